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
        var idlers: [CheckedContinuation<Void, Never>] = []
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
        let (job, idlers) = state.withLock {
            state -> ((@Sendable () -> Void)?, [CheckedContinuation<Void, Never>]) in
            if !state.waiting.isEmpty { return (state.waiting.removeFirst(), []) }
            state.running -= 1
            guard state.running == 0 else { return (nil, []) }
            defer { state.idlers = [] }
            return (nil, state.idlers)
        }
        for idler in idlers { idler.resume() }
        return job
    }

    /// Waits until nothing runs or waits.
    func drain() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.running == 0 { return true }
                state.idlers.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
    }
}
