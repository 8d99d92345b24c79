internal import Dispatch
internal import SharedReads
internal import Synchronization

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// Runs blocking work, a few pieces at a time, in the order in which it came.
///
/// System calls, page faults and disk flushes stay off Swift's cooperative threads, of which there are
/// only as many as processors. The list of waiting jobs has no bound; whoever submits bounds it.
///
/// *Concurrency*: any thread may submit.
package final class JobPool: Sendable {
    /// A blocking piece of work.
    package typealias Job = @Sendable () -> Void

    /// The processors of the machine.
    package static let processorCount = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))

    private let lanes: JobLanes

    /// A pool that runs at most `width` jobs at once.
    ///
    /// It has threads of its own, which start with the first jobs and end when there was nothing to do for a
    /// while. Queues would share the process's few threads with whatever else blocks there.
    package init(label: String, width: Int) {
        precondition(width > 0)
        lanes = JobLanes(label: label, width: width)
    }

    deinit { lanes.end() }

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
    /// Jobs that wait when the pool itself is gone still run.
    ///
    /// *Cost*: O(1), a thread's start at most; the caller does not block.
    package func submit(_ job: @escaping Job) { lanes.submit(job) }
}

/// What the threads of a pool share; it outlives the pool until they have ended.
private final class JobLanes: Sendable {
    /// How long a thread without work stays.
    private static let patience = DispatchTimeInterval.seconds(2)

    private struct State {
        var waiting = JobQueue()
        var threads = 0
        /// Threads that wait at the bell, but for those it was rung for.
        var idle = 0
        var isOver = false
    }

    /// What a thread does next.
    private enum Step {
        case job(JobPool.Job)
        case wait, leave
    }

    /// What a job that came needs.
    private enum Need { case ring, thread, nothing }

    private let label: String
    private let width: Int
    private let state = Lock(State())
    private let bell = DispatchSemaphore(value: 0)

    init(label: String, width: Int) {
        self.label = label
        self.width = width
    }

    func submit(_ job: @escaping JobPool.Job) {
        let need = state.withLock { state -> Need in
            state.waiting.append(job)
            if state.idle > 0 {
                state.idle -= 1
                return .ring
            }
            guard state.threads < width else { return .nothing }
            state.threads += 1
            return .thread
        }
        switch need {
        case .ring: bell.signal()
        case .thread: SystemThread.start(label) { self.work() }
        case .nothing: break
        }
    }

    /// Sends the threads home that have nothing to do; the others go when that is so.
    func end() {
        let idle = state.withLock { state in
            state.isOver = true
            defer { state.idle = 0 }
            return state.idle
        }
        for _ in 0..<idle { bell.signal() }
    }

    /// A thread's whole life.
    private func work() {
        while true {
            switch next() {
            case .job(let job): job()
            case .wait: guard stays() else { return }
            case .leave: return
            }
        }
    }

    /// What a thread does next; one that waits counts as idle from here on.
    private func next() -> Step {
        state.withLock { state in
            if let job = state.waiting.takeFirst() { return .job(job) }
            guard state.isOver else {
                state.idle += 1
                return .wait
            }
            state.threads -= 1
            return .leave
        }
    }

    /// Waits for the bell.
    ///
    /// - Returns: Whether it rang; if not, the thread counts no more.
    private func stays() -> Bool {
        guard bell.wait(timeout: .now() + Self.patience) == .timedOut else { return true }
        let isRung = state.withLock { state in
            guard state.idle > 0 else { return true }
            state.idle -= 1
            state.threads -= 1
            return false
        }
        // Somebody rang between the timeout and here: the ring is this thread's.
        if isRung { bell.wait() }
        return isRung
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
