internal import SharedReads

/// The work that a request belongs to; no class starves another.
package enum RequestClass: Int, CaseIterable, Sendable {
    /// A reader waits for a block.
    case read
    /// A shard is indexed at a distance.
    case index
    /// A shard is copied as a whole.
    case fetch
}

/// The slots of one host.
///
/// A class always finds its reserved slots. It may use more, as long as the reserved slots of the other classes stay
/// free.
struct SlotTable: Equatable {
    /// All slots.
    let count: Int
    /// The slots that each class has for itself.
    let reserved: Int
    private(set) var used = [Int](repeating: 0, count: RequestClass.allCases.count)

    /// Creates slots; each class has a quarter for itself, and at least one.
    init(count: Int) {
        self.count = max(count, RequestClass.allCases.count)
        reserved = max(1, count / 4)
    }

    /// The slots that one class can use while the others are idle.
    var share: Int { count - reserved * (RequestClass.allCases.count - 1) }

    /// Whether no slot is used.
    var isIdle: Bool { used.allSatisfy { $0 == 0 } }

    /// Returns whether a request of `kind` may begin now.
    func admits(_ kind: RequestClass) -> Bool {
        let free = count - used.reduce(0, +)
        if used[kind.rawValue] < reserved { return free > 0 }
        let kept = RequestClass.allCases.filter { $0 != kind }
            .reduce(0) { $0 + max(0, reserved - used[$1.rawValue]) }
        return free > kept
    }

    /// Takes a slot, which `admits` has permitted.
    mutating func take(_ kind: RequestClass) {
        precondition(admits(kind))
        used[kind.rawValue] += 1
    }

    /// Returns a slot.
    mutating func release(_ kind: RequestClass) {
        precondition(used[kind.rawValue] > 0, "a slot was released twice")
        used[kind.rawValue] -= 1
    }
}

/// Limits the requests that run at once for each host.
///
/// A request waits in the queue of its class; a full queue refuses it.
///
/// *Concurrency*: any task.
final class RequestSlots: Sendable {
    /// The most requests that wait for one host and class.
    static let waitersMax = 4096

    private struct Waiter {
        let number: UInt64
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct Host {
        var table: SlotTable
        var queues = [[Waiter]](repeating: [], count: RequestClass.allCases.count)
        var isIdle: Bool { table.isIdle && queues.allSatisfy { $0.isEmpty } }
    }

    private struct State {
        var hosts: [ObjectURL.Origin: Host] = [:]
        var cancelled: Set<UInt64> = []
        var waitersSeen: UInt64 = 0
    }

    private let count: Int
    private let state = Lock(State())

    /// Creates slots.
    ///
    /// - Parameter count: The requests that run at once for each host; at least one for each class.
    init(count: Int) { self.count = count }

    /// Calls `body` with a slot.
    ///
    /// - Throws: `.limitExceeded` if too many requests wait; `CancellationError`; the error of `body`.
    func withSlot<R>(
        _ origin: ObjectURL.Origin,
        _ kind: RequestClass,
        _ body: () async throws -> R
    ) async throws -> R {
        try await take(origin, kind)
        defer { release(origin, kind) }
        return try await body()
    }

    /// The requests of one class that can run at once for a host.
    var share: Int { SlotTable(count: count).share }

    /// The hosts with requests, for tests.
    var hostCount: Int { state.withLock { $0.hosts.count } }

    /// Returns the requests of a class that wait.
    func waiterCount(_ origin: ObjectURL.Origin, _ kind: RequestClass) -> Int {
        state.withLock { $0.hosts[origin]?.queues[kind.rawValue].count ?? 0 }
    }

    private func take(_ origin: ObjectURL.Origin, _ kind: RequestClass) async throws {
        try Task.checkCancellation()
        let number = state.withLock { state in
            state.waitersSeen += 1
            return state.waitersSeen
        }
        // A cancellation may come when the request has its slot already.
        defer { state.withLock { _ = $0.cancelled.remove(number) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let waiter = Waiter(number: number, continuation: continuation)
                if let answer = answer(waiter, origin, kind) { continuation.resume(with: answer) }
            }
        } onCancel: {
            cancel(number, origin, kind)
        }
    }

    /// Takes a slot for a request, or lets it wait.
    ///
    /// - Returns: The answer; nil if the request waits.
    private func answer(
        _ waiter: Waiter,
        _ origin: ObjectURL.Origin,
        _ kind: RequestClass
    ) -> Result<Void, any Error>? {
        state.withLock { state in
            guard state.cancelled.remove(waiter.number) == nil else {
                return .failure(CancellationError())
            }
            var host = state.hosts[origin] ?? Host(table: SlotTable(count: count))
            defer { state.hosts[origin] = host }
            if host.queues[kind.rawValue].isEmpty, host.table.admits(kind) {
                host.table.take(kind)
                return .success(())
            }
            guard host.queues[kind.rawValue].count < Self.waitersMax else {
                return .failure(
                    ObjectStorageError(
                        .limitExceeded,
                        "request: \(Self.waitersMax) requests wait for \(origin.host); try again later"
                    )
                )
            }
            host.queues[kind.rawValue].append(waiter)
            return nil
        }
    }

    private func cancel(_ number: UInt64, _ origin: ObjectURL.Origin, _ kind: RequestClass) {
        let waiter = state.withLock { state -> Waiter? in
            let queue = state.hosts[origin]?.queues[kind.rawValue]
            guard let index = queue?.firstIndex(where: { $0.number == number }) else {
                // The request does not wait yet, or has its slot already.
                state.cancelled.insert(number)
                return nil
            }
            return state.hosts[origin]?.queues[kind.rawValue].remove(at: index)
        }
        waiter?.continuation.resume(throwing: CancellationError())
    }

    private func release(_ origin: ObjectURL.Origin, _ kind: RequestClass) {
        let next = state.withLock { state -> [Waiter] in
            guard var host = state.hosts[origin] else { preconditionFailure("an unknown host") }
            host.table.release(kind)
            var next: [Waiter] = []
            for kind in RequestClass.allCases {
                while !host.queues[kind.rawValue].isEmpty, host.table.admits(kind) {
                    host.table.take(kind)
                    next.append(host.queues[kind.rawValue].removeFirst())
                }
            }
            state.hosts[origin] = host.isIdle ? nil : host
            return next
        }
        for waiter in next { waiter.continuation.resume() }
    }
}
