/// The deadlines of callers, the earliest first: a binary heap.
///
/// The ticket of an answered caller stays until its deadline, and then refers to no request.
struct Deadlines {
    private typealias Entry = (time: ContinuousClock.Instant, ticket: UInt64)

    private var heap: [Entry] = []

    /// The earliest deadline; nil if there is none.
    var first: ContinuousClock.Instant? { heap.first?.time }

    /// Adds a caller.
    ///
    /// *Cost*: O(log n).
    mutating func insert(_ time: ContinuousClock.Instant, _ ticket: UInt64) {
        heap.append((time, ticket))
        var place = heap.count - 1
        while place > 0, heap[place].time < heap[(place - 1) / 2].time {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    /// Removes a caller whose deadline has passed.
    ///
    /// *Cost*: O(log n).
    mutating func removeFirst(before now: ContinuousClock.Instant) -> UInt64? {
        guard let first = heap.first, first.time <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2]
            where child < heap.count && heap[child].time < heap[least].time { least = child }
            guard least != place else { return first.ticket }
            heap.swapAt(place, least)
            place = least
        }
    }
}
