import DAGMeasurement
import DAGStorage
import Glibc
import SystemPackage

/// Acquires and releases a shard `count` times, for a tool that counts instructions.
///
/// The difference of two runs with different counts gives the instructions of a lease. There is no
/// async function here, because such a tool loses a main thread that ends before the others.
func leases(_ path: String, _ key: String, _ count: Int) throws {
    var configuration = Configuration()
    configuration.isReadOnly = true
    let store = try DAGStore.open(at: FilePath(path), configuration: configuration)
    let key = try ShardKey(key)
    for _ in 0..<count {
        guard let shard = try store.acquireIfAvailable(key) else {
            throw DAGStoreError(.shardFailed, "the shard is not available")
        }
        shard.release()
    }
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
    case 4:
        guard let count = Int(arguments[3]) else { fallthrough }
        try leases(arguments[1], arguments[2], count)
    default:
        print("Usage: dagstore-steps list | STEP COUNT | STORE KEY COUNT")
        exit(2)
    }
} catch {
    print("dagstore-steps: \(error)")
    exit(1)
}
// Threads of the store are still there; nothing waits for them.
exit(0)
