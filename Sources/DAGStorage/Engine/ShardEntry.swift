internal import DAGCatalog
internal import SharedReads
internal import Synchronization

/// An open shard in memory, as all threads see it: its leases, and the core they read through.
///
/// Each opening of a shard has an entry. If a shard is opened again while leases of an earlier opening are held, the new
/// entry counts those too.
///
/// *Concurrency*: any thread. The loop alone opens and closes the gate.
final class ShardEntry: Sendable {
    let key: ShardKey
    /// The hash of the key, for tables.
    let keyHash: UInt64
    let core: ShardCore
    /// The index of the core, for readers that do not count references.
    let index: Borrowed<IndexReader>
    let leases = LeaseGate()
    /// What earlier leases read through, while there are any.
    private let previous: Lock<ShardEntry?>
    /// When a lease last ended, about, in nanoseconds since the machine was started.
    let lastUse: Atomic<UInt64>
    /// When the file's state was last compared, in the same.
    private let lastCheck = Atomic<UInt64>(CoarseClock.now)
    /// When it was last compared, or left alone because there were other leases.
    private let lastLook = Atomic<UInt64>(CoarseClock.now)

    /// - Parameters:
    ///   - key: The shard's key.
    ///   - core: What leases read through.
    ///   - previous: The entry of an earlier opening.
    ///   - now: The time.
    init(_ key: ShardKey, _ core: ShardCore, after previous: ShardEntry?, now: UInt64) {
        self.key = key
        keyHash = key.tableHash
        self.core = core
        index = Borrowed(core.index)
        self.previous = Lock(previous?.inUse)
        lastUse = Atomic(now)
    }

    /// The shard's number.
    var number: UInt32 { core.record.number }

    /// The bytes of its payload.
    var size: UInt64 { core.record.payloadSize }

    /// The leases, those of earlier openings included.
    var leaseCount: Int { leases.count + (previous.withLock { $0 }?.leaseCount ?? 0) }

    /// The first entry from here back that has leases.
    private var inUse: ShardEntry? { leases.count > 0 ? self : previous.withLock { $0 }?.inUse }

    /// Lets earlier entries go whose leases have ended; called by the loop, which hears of each that ends.
    func dropPrevious(_ mark: ReadMark) {
        let gone = previous.withLock { previous -> ShardEntry? in
            guard let before = previous else { return nil }
            let left = before.inUse
            guard left !== before else { return nil }
            previous = left
            return before
        }
        // The lease that has just ended may still look at it.
        if let gone { Reclaimer.retire(gone, mark) }
    }

    /// Notes that the file was found to be what was indexed.
    func noteCheck() {
        let now = CoarseClock.now
        lastCheck.store(now, ordering: .relaxed)
        lastLook.store(now, ordering: .relaxed)
    }

    /// Whether a lease that was just taken has the file compared.
    ///
    /// It has, if it is the only one and the last look is so many nanoseconds ago. A further lease is as good as the
    /// first.
    func isCheckDue(after interval: UInt64) -> Bool {
        let now = CoarseClock.now
        guard now &- lastLook.load(ordering: .relaxed) >= interval else { return false }
        guard leaseCount > 1 else { return true }
        lastLook.store(now, ordering: .relaxed)
        return false
    }

    /// Whether the last comparison is so many nanoseconds ago.
    func isCheckOld(after interval: UInt64) -> Bool {
        CoarseClock.now &- lastCheck.load(ordering: .relaxed) >= interval
    }
}

extension ShardKey {
    /// A hash for tables, which differs from process to process.
    var tableHash: UInt64 {
        var hasher = Hasher()
        hash(into: &hasher)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}

extension UInt32 {
    /// A shard's number as a hash for tables.
    var tableHash: UInt64 { UInt64(self) &* 0x9e37_79b9_7f4a_7c15 }
}
