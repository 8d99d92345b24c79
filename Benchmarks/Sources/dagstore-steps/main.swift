import DAGMeasurement
import DAGStorage
import Glibc
import SystemPackage

/// The reads that `reads` repeats.
let readNames = ["lease", "get", "contains", "absent", "block", "nowhere"]

/// Repeats a read `count` times, for a tool that counts instructions.
///
/// The difference of two runs with different counts gives the instructions of one read. There is no
/// async function here, because such a tool loses a main thread that ends before the others.
func reads(_ name: String, _ path: String, _ key: String, _ count: Int) throws {
    let store = try DAGStore.open(at: FilePath(path))
    let key = try ShardKey(key)
    guard let lease = try store.acquireIfAvailable(key) else {
        throw DAGStoreError(.shardFailed, "the shard is not available")
    }
    var cids: [CID] = []
    try Measurement.forEachCID(of: lease) { _, cid in
        cids.append(try cid())
        return cids.count < 64
    }
    let others = (0..<64).map { number in
        let digest = [UInt8](repeating: UInt8(number), count: 32)
        return CID(codec: Codec.raw, multihash: Multihash(code: HashCode.sha2_256, digest: digest))
    }
    var found = 0
    for index in 0..<count {
        switch name {
        case "lease": try store.acquireIfAvailable(key)?.release()
        case "get": found += try lease.blockIfLocal(for: cids[index & 63])?.size ?? 0
        case "contains": found += try store.contains(cids[index & 63]) ? 1 : 0
        case "absent": found += try store.contains(others[index & 63]) ? 1 : 0
        case "block": found += try store.blockIfLocal(for: cids[index & 63])?.size ?? 0
        case "nowhere": found += try store.blockIfLocal(for: others[index & 63])?.size ?? 0
        default: throw DAGStoreError(.invalidArgument, "no read \(name)")
        }
    }
    print("\(name): \(count) reads, \(found)")
}

/// Does a step so many times.
func steps(_ name: String, _ count: Int) throws {
    guard let step = MeasuredStep.all.first(where: { $0.name == name }) else {
        throw DAGStoreError(.invalidArgument, "no step \(name)")
    }
    let sum = try step.prepared()(count)
    print("\(name): \(count) steps, \(sum)")
}

let arguments = CommandLine.arguments
do {
    switch arguments.count {
    case 2 where arguments[1] == "list":
        for step in MeasuredStep.all { print("\(step.name)\t\(step.about)") }
    case 3:
        guard let count = Int(arguments[2]) else { fallthrough }
        try steps(arguments[1], count)
    case 5:
        guard let count = Int(arguments[4]) else { fallthrough }
        try reads(arguments[1], arguments[2], arguments[3], count)
    default:
        print("Usage: dagstore-steps list | STEP COUNT | READ STORE KEY COUNT")
        print("READ is one of \(readNames.joined(separator: ", "))")
        exit(2)
    }
} catch {
    print("dagstore-steps: \(error)")
    exit(1)
}
// Threads of the store are still there; nothing waits for them.
exit(0)
