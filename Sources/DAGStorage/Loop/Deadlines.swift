/// When parked callers give up, the earliest first.
///
/// Callers that have been answered stay in the row until their time has come; nobody finds them then.
struct Deadlines {
    private var row: [(time: ContinuousClock.Instant, ticket: UInt64)] = []
    private var head = 0

    /// The earliest.
    var first: ContinuousClock.Instant? { head < row.count ? row[head].time : nil }

    /// Adds a caller.
    ///
    /// *Cost*: O(1) for one whose time comes last, as it does when all wait equally long.
    mutating func insert(_ time: ContinuousClock.Instant, _ ticket: UInt64) {
        var place = row.count
        while place > head, row[place - 1].time > time { place -= 1 }
        row.insert((time, ticket), at: place)
    }

    /// A caller whose time has come, if there is one.
    mutating func removeFirst(before now: ContinuousClock.Instant) -> UInt64? {
        guard head < row.count, row[head].time <= now else { return nil }
        defer {
            head += 1
            if head > 64, head * 2 > row.count {
                row.removeFirst(head)
                head = 0
            }
        }
        return row[head].ticket
    }
}
