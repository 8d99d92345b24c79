internal import Synchronization

/// A place where tasks wait until a test lets them go on.
package final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var nextNumber = 0
        var arrived = 0
        var waiting: [Int: CheckedContinuation<Void, any Error>] = [:]
        var cancelled: Set<Int> = []
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    /// A gate that is closed.
    package init() {}

    /// Lets go everybody who waits, and everybody who comes later.
    package func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Waits until the gate is open.
    ///
    /// - Parameter heedsCancellation: Whether the wait ends when the task is cancelled; if not, nothing
    ///   but `open()` ends it.
    /// - Throws: `CancellationError`.
    package func pass(heedingCancellation heedsCancellation: Bool) async throws {
        let number = state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { enter(number, $0) }
        } onCancel: {
            guard heedsCancellation else { return }
            let continuation = state.withLock { state in
                state.cancelled.insert(number)
                return state.waiting.removeValue(forKey: number)
            }
            continuation?.resume(throwing: CancellationError())
        }
    }

    /// Waits until `count` tasks in all have come to the gate.
    package func waitForArrivals(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.arrived < count { state.watchers.append((count, continuation)) }
                return state.arrived >= count
            }
            if isThere { continuation.resume() }
        }
    }

    private func enter(_ number: Int, _ continuation: CheckedContinuation<Void, any Error>) {
        let (outcome, watchers) = state.withLock { state in
            state.arrived += 1
            let watchers = state.watchers.filter { $0.count <= state.arrived }
            state.watchers.removeAll { $0.count <= state.arrived }
            guard !state.cancelled.contains(number) else {
                return (Result<Void, any Error>?.some(.failure(CancellationError())), watchers)
            }
            guard !state.isOpen else { return (.success(()), watchers) }
            state.waiting[number] = continuation
            return (nil, watchers)
        }
        for watcher in watchers { watcher.continuation.resume() }
        if let outcome { continuation.resume(with: outcome) }
    }
}
