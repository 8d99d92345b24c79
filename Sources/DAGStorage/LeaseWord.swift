internal import Synchronization

/// The leases of a shard, and whether more are given, in one atomic word.
///
/// ```
/// bit 63       whether leases are granted without asking the loop
/// bits 0...31  leases
/// ```
///
/// *Concurrency*: any thread. Only the loop opens and closes the word, so that between its closing and
/// its opening the count can only fall.
struct LeaseWord: ~Copyable, Sendable {
    private static let granting: UInt64 = 1 << 63
    private static let countMask: UInt64 = 1 << 32 - 1

    private let word = Atomic<UInt64>(0)

    /// The leases at this moment.
    var count: Int { Int(word.load(ordering: .acquiring) & Self.countMask) }

    /// Whether leases are granted.
    var isOpen: Bool { word.load(ordering: .acquiring) & Self.granting != 0 }

    /// Takes a lease, if leases are granted.
    ///
    /// - Returns: How many there were before; nil if none are granted.
    func take() -> Int? {
        var current = word.load(ordering: .relaxed)
        while current & Self.granting != 0 {
            precondition(current & Self.countMask < Self.countMask, "too many leases")
            let (isDone, found) = word.weakCompareExchange(
                expected: current,
                desired: current + 1,
                ordering: .acquiringAndReleasing
            )
            guard !isDone else { return Int(current & Self.countMask) }
            current = found
        }
        return nil
    }

    /// Adds a lease that the loop grants.
    ///
    /// - Returns: How many there were before.
    func add() -> Int {
        Int(word.add(1, ordering: .acquiringAndReleasing).oldValue & Self.countMask)
    }

    /// Gives a lease back.
    ///
    /// - Returns: How many are left, and whether more are granted.
    func giveBack() -> (left: Int, isOpen: Bool) {
        let (old, new) = word.subtract(1, ordering: .acquiringAndReleasing)
        precondition(old & Self.countMask > 0, "a lease was released twice")
        return (Int(new & Self.countMask), new & Self.granting != 0)
    }

    /// Grants leases from now on, and says how many there are.
    func open() -> Int {
        let old = word.bitwiseOr(Self.granting, ordering: .acquiringAndReleasing).oldValue
        return Int(old & Self.countMask)
    }

    /// Grants no more leases, and says how many there are.
    func close() -> Int {
        let old = word.bitwiseAnd(~Self.granting, ordering: .acquiringAndReleasing).oldValue
        return Int(old & Self.countMask)
    }
}
