public import Synchronization

/// Counts leases.
///
/// Threads take and return leases without shared writes; the owner closes the gate and adds the leases up.
///
/// ```
/// takeLease    add 1 to the own stripe;        gate open? → in    closed? → subtract the 1, refused
/// close        close the gate;                 sum the stripes    0: no lease is held, and none will be
/// returnLease  subtract 1 from the own stripe; gate closed? → the caller tells the owner; it sums again
/// ```
///
/// Each side first writes, and then reads the other side's word; all operations are sequentially consistent. So if a
/// `takeLease` and a `close` overlap, at least one sees the other: the sum has the lease, or `takeLease` refuses it.
/// If a `returnLease` and a `close` overlap, the sum lacks the lease, or `returnLease` sees the closed gate and its
/// caller informs the owner.
///
/// While the gate is closed, the sum counts every lease that is held. It may also count a `takeLease` that is about
/// to refuse; that caller informs the owner.
///
/// *Cost*: one atomic addition to the thread's own stripe; see `StripedCount`.
///
/// *Concurrency*: any thread takes, adds and returns leases. The owner alone opens and closes.
public struct LeaseGate: ~Copyable, Sendable {
    @usableFromInline let isOpenNow = Atomic<Bool>(false)
    @usableFromInline let leases = StripedCount()

    /// Creates a closed gate.
    public init() {}

    /// Whether leases are granted.
    @inlinable
    public var isOpen: Bool { isOpenNow.load(ordering: .sequentiallyConsistent) }

    /// The result of an attempt to take a lease.
    @frozen public enum Answer {
        /// The caller has a lease.
        case granted
        /// The caller has no lease. The owner may have counted the attempt, so the caller informs it.
        case refused
        /// The caller has no lease: the gate was closed before.
        case closed
    }

    /// Takes a lease, if the gate is open.
    @inlinable
    public func takeLease() -> Answer {
        guard isOpenNow.load(ordering: .relaxed) else { return .closed }
        leases.add(1)
        guard isOpenNow.load(ordering: .sequentiallyConsistent) else {
            leases.add(-1)
            return .refused
        }
        return .granted
    }

    /// Adds a lease that the owner grants, whether or not the gate is open.
    public func addLease() { leases.add(1) }

    /// Returns a lease.
    ///
    /// - Returns: Whether the gate is open; if not, the caller informs the owner.
    @inlinable
    public func returnLease() -> Bool {
        leases.add(-1)
        return isOpenNow.load(ordering: .sequentiallyConsistent)
    }

    /// The number of leases; exact while the gate is closed and no `takeLease` is under way.
    ///
    /// While the gate is open, the sum may miss a lease that one thread takes and another returns, and still
    /// subtract it. A sum below zero counts as zero.
    public var count: Int { max(0, leases.sum) }

    /// Opens the gate: `takeLease` grants leases.
    public func open() { isOpenNow.store(true, ordering: .sequentiallyConsistent) }

    /// Closes the gate, and returns the number of leases.
    public func close() -> Int {
        isOpenNow.store(false, ordering: .sequentiallyConsistent)
        return count
    }
}
