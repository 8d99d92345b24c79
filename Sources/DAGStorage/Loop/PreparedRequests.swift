internal import DAGMounts

/// Registrations whose small CARs are being indexed before their shards have records.
///
/// Registrations go on in the order of their requests, so that the numbers of shards have this order. A registration
/// with a slow file loses its place after half a second, so that it delays the others only for this time.
///
/// *Concurrency*: the loop's thread.
struct PreparedRequests {
    /// The longest time that the others wait for the first.
    private static let patience = Duration.milliseconds(500)

    private struct Entry {
        var request: Request
        var built: IndexedSource?
        var isDone = false
        /// Whether the registration has its place in `order`.
        var isInOrder = true
    }

    private var entries: [UInt64: Entry] = [:]
    /// The registrations in their places, with the times when they lose them.
    private var order = FIFOQueue<(ticket: UInt64, end: ContinuousClock.Instant)>()
    /// The registrations that lost their places and are indexed.
    private var late: [UInt64] = []
    private var doneCount = 0

    /// Whether there are no registrations.
    var isEmpty: Bool { entries.isEmpty }

    /// The time when the first registration loses its place; nil if no other registration waits for it.
    var deadline: ContinuousClock.Instant? {
        doneCount > 0 ? order.first?.end : nil
    }

    /// Adds a registration at the end.
    mutating func begin(_ request: Request, at time: ContinuousClock.Instant) {
        entries[request.ticket] = Entry(request: request)
        order.append((request.ticket, time + Self.patience))
    }

    /// Stores the index of a registration; does nothing if the registration was removed.
    mutating func end(_ ticket: UInt64, _ built: IndexedSource?) {
        guard var entry = entries[ticket] else { return }
        entry.built = built
        entry.isDone = true
        entries[ticket] = entry
        doneCount += 1
        if !entry.isInOrder { late.append(ticket) }
    }

    /// Removes the next registration that goes on; returns nil if there is none.
    mutating func next(at time: ContinuousClock.Instant) -> (Request, IndexedSource?)? {
        if let ticket = late.popLast() { return remove(ticket) }
        while let first = order.first {
            let isDone = entries[first.ticket]?.isDone ?? false
            guard isDone || first.end <= time else { return nil }
            order.popFirst()
            entries[first.ticket]?.isInOrder = false
            if isDone { return remove(first.ticket) }
        }
        return nil
    }

    private mutating func remove(_ ticket: UInt64) -> (Request, IndexedSource?)? {
        guard let entry = entries.removeValue(forKey: ticket) else { return nil }
        doneCount -= 1
        return (entry.request, entry.built)
    }

    /// Detaches the caller of a registration; the registration goes on.
    ///
    /// - Returns: The caller; nil if there is no such registration.
    mutating func detachCaller(_ ticket: UInt64) -> Request? {
        guard let request = entries[ticket]?.request else { return nil }
        entries[ticket]?.request = Request(kind: request.kind, key: request.key, ticket: ticket) {
            _ in
        }
        return request
    }

    /// Removes all registrations.
    ///
    /// - Returns: The requests of their callers.
    mutating func removeAll() -> [Request] {
        defer { self = PreparedRequests() }
        return entries.values.map(\.request)
    }
}
