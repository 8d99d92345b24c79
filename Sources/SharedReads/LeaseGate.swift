public import Synchronization

/// A gate that threads pass in and out without meeting, and that its owner can close and count.
///
/// ```
/// take      add 1 to the own stripe;   gate open? → in        closed? → take the 1 back, refused
/// close     close the gate;            sum the stripes        0: nobody is in, and nobody will come
/// give back take 1 from the own stripe; gate closed? → the caller tells the owner, who sums again
/// ```
///
/// Each side writes before it looks at what the other side writes, all of it sequentially consistent. So of a `take`
/// and a `close` at the same moment, at least one sees the other: either the sum has the lease, or the lease is
/// refused. The same holds for giving back and closing: either the sum is without the lease, or the gate is seen
/// closed and the owner is told.
///
/// A sum that is taken while the gate is closed counts each lease that is held. It may count a `take` that is about
/// to be refused, whose caller tells the owner then.
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

    /// The leases, about: exact while the gate is closed and no attempt is under way.
    ///
    /// While the gate is open, a lease that moves from thread to thread during the sum may be missed or counted as given
    /// back only; a sum below zero counts as none.
    public var count: Int { max(0, leases.sum) }

    /// Grants leases from now on.
    public func open() { isOpenNow.store(true, ordering: .sequentiallyConsistent) }

    /// Grants no more leases, and says how many there are.
    public func close() -> Int {
        isOpenNow.store(false, ordering: .sequentiallyConsistent)
        return count
    }
}
