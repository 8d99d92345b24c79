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
        /// Lanes that run no job.
        var free: [DispatchQueue]
        var waiting = JobQueue()
    }

    private let state: Mutex<State>

    /// A pool that runs at most `width` jobs at once.
    ///
    /// Each has a serial queue, which gets a thread whenever it has work. A concurrent queue would share the
    /// process's few threads with Swift's tasks, and wait while those are blocked.
    package init(label: String, width: Int) {
        precondition(width > 0)
        state = Mutex(State(free: (0..<width).map { _ in DispatchQueue(label: label) }))
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
        let lane = state.withLock { state in
            guard let lane = state.free.popLast() else {
                state.waiting.append(job)
                return nil as DispatchQueue?
            }
            return lane
        }
        if let lane { start(job, on: lane) }
    }

    private func start(_ job: @escaping Job, on lane: DispatchQueue) {
        lane.async {
            var next: Job? = job
            while let job = next {
                job()
                next = self.takeNext(lane)
            }
        }
    }

    private func takeNext(_ lane: DispatchQueue) -> Job? {
        state.withLock { state in
            guard let job = state.waiting.takeFirst() else {
                state.free.append(lane)
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
