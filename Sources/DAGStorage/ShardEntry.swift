internal import Synchronization

/// A shard in memory, as all threads see it: its leases, and what they read through.
///
/// There is one for every shard that is open, and for none that is not.
///
/// *Concurrency*: any thread. The loop alone changes the core.
final class ShardEntry: Sendable {
    let key: ShardKey
    let leases = LeaseWord()
    /// When the last lease ended, in nanoseconds since the machine was started.
    let lastUse = Atomic<UInt64>(0)
    /// When the file's state was last looked at for a block, in the same.
    let lastCheck = Atomic<UInt64>(0)
    private let current = Mutex<ShardCore?>(nil)

    init(_ key: ShardKey) { self.key = key }

    /// Lets go of what leases read through; there are none.
    func letGo() {
        let core = current.withLock { core in
            defer { core = nil }
            return core
        }
        core?.letGo()
    }

    /// What leases read through; nil while the shard is not open.
    var core: ShardCore? {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }
}
