internal import DAGCatalog
internal import SharedReads
internal import Synchronization

/// One opening of a shard, as all threads see it: its leases, and the reader they share.
///
/// If the loop opens a shard again while leases of an earlier opening are held, the new opening counts those too.
///
/// *Concurrency*: any thread. The loop alone opens and closes the gate.
final class OpenShard: Sendable {
    let key: ShardKey
    /// The hash of the key, for tables.
    let keyHash: UInt64
    let reader: ShardReader
    /// The reader, for threads that do not count references to it, which they would all write.
    let borrowedReader: Borrowed<ShardReader>
    /// The index of the reader, for the same.
    let index: Borrowed<IndexReader>
    let leases = LeaseGate()
    /// The earlier opening, while leases on it are held.
    private let previous: Lock<OpenShard?>
    /// About when a lease last ended, in nanoseconds since the machine was started.
    let lastUse: Atomic<UInt64>
    /// When the file's state was last compared, in the same unit.
    private let lastCheck = Atomic<UInt64>(CoarseClock.now)
    /// When it was last compared, or left alone because there were other leases.
    private let lastLook = Atomic<UInt64>(CoarseClock.now)

    /// - Parameters:
    ///   - key: The shard's key.
    ///   - reader: The reader that its leases share.
    ///   - previous: The earlier opening.
    ///   - now: The time.
    init(_ key: ShardKey, _ reader: ShardReader, after previous: OpenShard?, now: UInt64) {
        self.key = key
        keyHash = key.tableHash
        self.reader = reader
        borrowedReader = Borrowed(reader)
        index = Borrowed(reader.index)
        self.previous = Lock(previous?.inUse)
        lastUse = Atomic(now)
    }

    /// The shard's number.
    var number: UInt32 { reader.record.number }

    /// The bytes of its payload.
    var size: UInt64 { reader.record.payloadSize }

    /// The leases, those of earlier openings included.
    var leaseCount: Int { leases.count + (previous.withLock { $0 }?.leaseCount ?? 0) }

    /// The first opening from here back that has leases.
    private var inUse: OpenShard? { leases.count > 0 ? self : previous.withLock { $0 }?.inUse }

    /// Frees earlier openings whose leases have ended; the loop calls it for each lease that ends.
    func dropPrevious(_ mark: ReadMark) {
        let gone = previous.withLock { previous -> OpenShard? in
            guard let before = previous else { return nil }
            let left = before.inUse
            guard left !== before else { return nil }
            previous = left
            return before
        }
        // The lease that has just ended may still read it.
        if let gone { Reclaimer.retire(gone, mark) }
    }

    /// Records that the file was found to be what was indexed.
    func recordCheck() {
        let now = CoarseClock.now
        lastCheck.store(now, ordering: .relaxed)
        lastLook.store(now, ordering: .relaxed)
    }

    /// Whether the file must be compared for a lease that was just taken.
    ///
    /// It must, if the lease is the only one and the last look is more than `interval` nanoseconds ago. A further
    /// lease is as good as the first.
    func isCheckDue(after interval: UInt64) -> Bool {
        let now = CoarseClock.now
        guard now &- lastLook.load(ordering: .relaxed) >= interval else { return false }
        guard leaseCount > 1 else { return true }
        lastLook.store(now, ordering: .relaxed)
        return false
    }

    /// Whether the last comparison is more than `interval` nanoseconds ago.
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
