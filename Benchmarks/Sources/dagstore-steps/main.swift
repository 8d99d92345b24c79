import DAGStorage
import Glibc
import SystemPackage

/// Takes and gives back a lease so many times, and nothing else: what a tool that counts instructions looks at.
///
/// Two runs with different counts, one taken from the other, give the instructions of a lease. There is no
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

guard CommandLine.arguments.count == 4, let count = Int(CommandLine.arguments[3]) else {
    print("Usage: dagstore-steps STORE KEY COUNT")
    exit(2)
}
do {
    try leases(CommandLine.arguments[1], CommandLine.arguments[2], count)
} catch {
    print("dagstore-steps: \(error)")
    exit(1)
}
// Threads of the store are still there; nothing waits for them.
exit(0)
