internal import DAGMounts
internal import SharedReads
internal import Synchronization

/// Limits the number of tasks that run at once; admits waiters in the order of their arrival.
///
/// *Concurrency*: any task. A cancelled waiter leaves at once and takes no place.
final class Throttle: Sendable {
    struct State {
        var free: Int
        var lastTicket: UInt64 = 0
        /// The waiters, oldest first; a ticket that is missing in `waiting` was cancelled.
        var tickets = FIFOQueue<UInt64>()
        var waiting: [UInt64: CheckedContinuation<Bool, Never>] = [:]
    }

    let state: Lock<State>

    /// Creates a throttle with `width` places.
    init(width: Int) { state = Lock(State(free: width)) }

    /// Runs `body` in a place.
    ///
    /// The place is free again when `body` ends or the task is cancelled, because a hanging source may never return.
    ///
    /// - Throws: `CancellationError` if the task is cancelled while it waits; the errors of `body`.
    func run<R: Sendable>(_ body: () async throws -> R) async throws -> R {
        try await takePlace()
        let isGivenBack = Flag()
        defer { returnPlace(unless: isGivenBack) }
        return try await withTaskCancellationHandler {
            try await body()
        } onCancel: {
            returnPlace(unless: isGivenBack)
        }
    }

    private final class Flag: Sendable {
        let value = Atomic<Bool>(false)
    }

    private func returnPlace(unless flag: Flag) {
        if !flag.value.exchange(true, ordering: .relaxed) { returnPlace() }
    }

    private func takePlace() async throws {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
        let isTaken = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    if Task.isCancelled { return false }
                    guard state.free == 0 else {
                        state.free -= 1
                        return true
                    }
                    state.tickets.append(ticket)
                    state.waiting[ticket] = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume(returning: false)
        }
        guard isTaken else { throw CancellationError() }
    }

    private func returnPlace() {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            while let ticket = state.tickets.popFirst() {
                if let waiter = state.waiting.removeValue(forKey: ticket) { return waiter }
            }
            state.free += 1
            return nil
        }
        next?.resume(returning: true)
    }
}
