public import Synchronization

/// Counts leases.
///
/// Threads take and give them back without shared writes; the owner closes the gate and adds them up.
///
/// ```
/// take      add 1 to the own stripe;   gate open? → in        closed? → take the 1 back, refused
/// close     close the gate;            sum the stripes        0: no lease is held, and none will be
/// give back take 1 from the own stripe; gate closed? → the caller tells the owner, who sums again
/// ```
///
/// Each side first writes, and then reads the other side's word; all operations are sequentially consistent. So if a
/// `take` and a `close` overlap, at least one sees the other: the sum has the lease, or `take` refuses it. If a
/// `giveBack` and a `close` overlap, the sum lacks the lease, or `giveBack` sees the closed gate and its caller
/// informs the owner.
///
/// While the gate is closed, the sum counts every lease that is held. It may also count a `take` that is about to
/// refuse; that caller informs the owner.
///
/// *Cost*: one atomic addition to the thread's own stripe; see `StripedCount`.
///
/// *Concurrency*: any thread takes, adds and gives back. The owner alone opens and closes.
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
    public func take() -> Answer {
        guard isOpenNow.load(ordering: .relaxed) else { return .closed }
        leases.add(1)
        guard isOpenNow.load(ordering: .sequentiallyConsistent) else {
            leases.add(-1)
            return .refused
        }
        return .granted
    }

    /// Adds a lease that the owner grants, whether or not the gate is open.
    public func add() { leases.add(1) }

    /// Gives a lease back.
    ///
    /// - Returns: Whether the gate is open; if not, the caller informs the owner.
    @inlinable
    public func giveBack() -> Bool {
        leases.add(-1)
        return isOpenNow.load(ordering: .sequentiallyConsistent)
    }

    /// The number of leases; exact while the gate is closed and no `take` is under way.
    ///
    /// While the gate is open, the sum may miss a lease that one thread takes and another gives back, and still
    /// subtract it. A sum below zero counts as zero.
    public var count: Int { max(0, leases.sum) }

    /// Opens the gate: `take` grants leases.
    public func open() { isOpenNow.store(true, ordering: .sequentiallyConsistent) }

    /// Closes the gate, and returns the number of leases.
    public func close() -> Int {
        isOpenNow.store(false, ordering: .sequentiallyConsistent)
        return count
    }
}
