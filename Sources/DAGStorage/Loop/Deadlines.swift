/// The deadlines of parked callers, the earliest first.
///
/// A caller that was answered stays in the queue until its deadline; its ticket leads nowhere then.
struct Deadlines {
    private var queue = FIFOQueue<(time: ContinuousClock.Instant, ticket: UInt64)>()

    /// The earliest deadline; nil if there is none.
    var first: ContinuousClock.Instant? { queue.first?.time }

    /// Adds a caller.
    ///
    /// *Cost*: O(1) if its deadline is the last, as it is when all wait equally long.
    mutating func insert(_ time: ContinuousClock.Instant, _ ticket: UInt64) {
        queue.insert((time, ticket)) { $0.time <= $1.time }
    }

    /// Takes a caller whose deadline has passed; nil if there is none.
    mutating func removeFirst(before now: ContinuousClock.Instant) -> UInt64? {
        guard let first, first <= now else { return nil }
        return queue.popFirst()?.ticket
    }
}
