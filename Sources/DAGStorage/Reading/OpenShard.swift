internal import DAGCatalog
internal import SharedReads
internal import Synchronization

/// One opening of a shard, shared by all threads: the leases, and the reader that they share.
///
/// If the loop opens a shard again while leases of an earlier opening are held, the new opening also counts them.
///
/// *Concurrency*: any thread. The loop alone opens and closes the gate.
final class OpenShard: Sendable {
    let key: ShardKey
    /// The hash of the key, for tables.
    let keyHash: UInt64
    let reader: ShardReader
    /// The reader without a reference count, which all threads would write.
    let borrowedReader: Borrowed<ShardReader>
    /// The index of the reader, without a reference count.
    let index: Borrowed<IndexReader>
    let leases = LeaseGate()
    /// The earlier opening, while leases on it are held.
    private let previous: Lock<OpenShard?>
    /// The approximate time when a lease last ended, in nanoseconds since the start of the machine.
    let lastUse: Atomic<UInt64>
    /// Whether the thread that ends the last lease informs the loop, which then closes the shard.
    let informsOfLastLease = Atomic<Bool>(false)
    /// The time of the last comparison of the file, in the unit of `lastUse`.
    private let lastCheck = Atomic<UInt64>(CoarseClock.now)
    /// The time of the last comparison, or of the last one that other leases made unnecessary.
    private let lastLook = Atomic<UInt64>(CoarseClock.now)

    /// Creates an opening with a closed gate.
    ///
    /// - Parameters:
    ///   - key: The shard's key.
    ///   - reader: The reader that the leases share.
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

    /// The size of the payload in bytes.
    var size: UInt64 { reader.record.payloadSize }

    /// The number of leases, with those on earlier openings.
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
        // The thread of the lease that has just ended may still read the opening.
        if let gone { Reclaimer.retire(gone, mark) }
    }

    /// Records that the file has just been compared and is the indexed one.
    func recordCheck() {
        let now = CoarseClock.now
        lastCheck.store(now, ordering: .relaxed)
        lastLook.store(now, ordering: .relaxed)
    }

    /// Returns whether a new lease must compare the file.
    ///
    /// That is the case if the lease is the only one, and the last look is more than `interval` nanoseconds ago.
    func isCheckDue(after interval: UInt64) -> Bool {
        let now = CoarseClock.now
        guard now &- lastLook.load(ordering: .relaxed) >= interval else { return false }
        guard leaseCount > 1 else { return true }
        lastLook.store(now, ordering: .relaxed)
        return false
    }

    /// Returns whether the last comparison is more than `interval` nanoseconds ago.
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
