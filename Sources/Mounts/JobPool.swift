internal import Dispatch
internal import Synchronization

/// Runs blocking work, a few pieces at a time, in the order in which it came.
///
/// System calls, page faults and disk flushes stay off Swift's cooperative threads, of which there are
/// only as many as processors. The list of waiting jobs has no bound; whoever submits bounds it.
///
/// *Concurrency*: any thread may submit.
package final class JobPool: Sendable {
    /// A blocking piece of work.
    package typealias Job = @Sendable () -> Void

    private struct State {
        var running = 0
        var waiting = JobQueue()
    }

    private let queue: DispatchQueue
    private let width: Int
    private let state = Mutex(State())

    /// A pool that runs at most `width` jobs at once.
    package init(label: String, width: Int) {
        precondition(width > 0)
        self.width = width
        queue = DispatchQueue(label: label, qos: .unspecified, attributes: .concurrent)
    }

    /// Runs `body` on a thread of the pool.
    ///
    /// - Returns: What `body` returns.
    package func run<R: Sendable>(
        _ body: @escaping @Sendable () throws -> R
    ) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            submit { continuation.resume(with: Result(catching: body)) }
        }
    }

    /// Has `job` run on a thread of the pool, after those that came before it, and does not wait.
    ///
    /// *Cost*: O(1); the caller does not block.
    package func submit(_ job: @escaping Job) {
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

    private func start(_ job: @escaping Job) {
        queue.async {
            var next: Job? = job
            while let job = next {
                job()
                next = self.takeNext()
            }
        }
    }

    private func takeNext() -> Job? {
        state.withLock { state in
            guard let job = state.waiting.takeFirst() else {
                state.running -= 1
                return nil
            }
            return job
        }
    }
}

/// Jobs in the order in which they came; both ends cost O(1), taken over many calls.
private struct JobQueue {
    // What stands before `head` was taken, and is nil so that nothing holds what the job held.
    private var jobs: [JobPool.Job?] = []
    private var head = 0

    mutating func append(_ job: @escaping JobPool.Job) { jobs.append(job) }

    mutating func takeFirst() -> JobPool.Job? {
        guard head < jobs.count else { return nil }
        let job = jobs[head]
        jobs[head] = nil
        head += 1
        // Half of the array is dead at least, so that every job is moved once on average.
        if head * 2 >= jobs.count {
            jobs.removeFirst(head)
            head = 0
        }
        return job
    }
}
