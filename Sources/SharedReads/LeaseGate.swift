public import Synchronization

/// Counts leases that threads take and give back without meeting; its owner can close it and add them up.
///
/// ```
/// take      add 1 to the own stripe;   gate open? → in        closed? → take the 1 back, refused
/// close     close the gate;            sum the stripes        0: no lease is held, and none will be
/// give back take 1 from the own stripe; gate closed? → the caller tells the owner, who sums again
/// ```
///
/// Each side writes first and then reads what the other side writes; all operations are sequentially consistent. So if
/// a `take` and a `close` overlap, at least one sees the other: the sum has the lease, or `take` refuses it. If a
/// `giveBack` and a `close` overlap, the sum lacks the lease, or `giveBack` sees the closed gate and its caller tells the
/// owner.
///
/// While the gate is closed, the sum counts every lease that is held. It may also count a `take` that is about to refuse;
/// the caller of that `take` tells the owner.
///
/// *Cost*: one atomic addition to the thread's own stripe; see `StripedCount`.
///
/// *Concurrency*: any thread takes, adds and gives back. The owner alone opens and closes.
public struct LeaseGate: ~Copyable, Sendable {
    @usableFromInline let isOpenNow = Atomic<Bool>(false)
    @usableFromInline let leases = StripedCount()

    /// A closed gate.
    public init() {}

    /// Whether leases are granted.
    @inlinable
    public var isOpen: Bool { isOpenNow.load(ordering: .sequentiallyConsistent) }

    /// What became of an attempt.
    @frozen public enum Answer {
        /// A lease.
        case granted
        /// None; the owner may have counted the attempt, and is to be told.
        case refused
        /// None; the gate was closed before.
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
    /// - Returns: Whether the gate is open; if not, the owner is to be told.
    @inlinable
    public func giveBack() -> Bool {
        leases.add(-1)
        return isOpenNow.load(ordering: .sequentiallyConsistent)
    }

    /// The number of leases; exact while the gate is closed and no `take` is under way.
    ///
    /// While the gate is open, the sum may miss a lease that one thread takes and another gives back, and still subtract
    /// it. A sum below zero counts as none.
    public var count: Int { max(0, leases.sum) }

    /// Grants leases from now on.
    public func open() { isOpenNow.store(true, ordering: .sequentiallyConsistent) }

    /// Grants no more leases, and says how many there are.
    public func close() -> Int {
        isOpenNow.store(false, ordering: .sequentiallyConsistent)
        return count
    }
}
