internal import Dispatch
internal import Synchronization

/// Runs blocking work, a few pieces at a time, in the order in which it came.
///
/// System calls, page faults and disk flushes stay off Swift's cooperative threads, of which there are
/// only as many as processors.
///
/// *Concurrency*: any thread may submit.
final class JobPool: Sendable {
    private struct State {
        var running = 0
        var waiting: [@Sendable () -> Void] = []
    }

    private let queue: DispatchQueue
    private let width: Int
    private let state = Mutex(State())

    /// A pool that runs at most `width` jobs at once.
    init(label: String, width: Int) {
        self.width = width
        queue = DispatchQueue(label: label, attributes: .concurrent)
    }

    /// Runs `body` on a thread of the pool.
    ///
    /// - Returns: What `body` returns.
    func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            submit { continuation.resume(with: Result(catching: body)) }
        }
    }

    private func submit(_ job: @escaping @Sendable () -> Void) {
        let isFree = state.withLock { state in
            guard state.running < width else {
                state.waiting.append(job)
                return false
            }
            state.running += 1
            return true
        }
        if isFree { start(job) }
    }

    private func start(_ job: @escaping @Sendable () -> Void) {
        queue.async {
            var next: (@Sendable () -> Void)? = job
            while let job = next {
                job()
                next = self.takeNext()
            }
        }
    }

    private func takeNext() -> (@Sendable () -> Void)? {
        state.withLock { state in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.running -= 1
            return nil
        }
    }
}
