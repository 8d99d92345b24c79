internal import DAGSystem
internal import Dispatch
internal import SharedReads
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

    /// The processors of the machine.
    package static let processorCount = ThisProcess.processorCount

    private let lanes: JobLanes

    /// A pool that runs at most `width` jobs at once.
    ///
    /// It has threads of its own, which start with the first jobs and end when there was nothing to do for a
    /// while. Queues would share the process's few threads with whatever else blocks there.
    ///
    /// - Parameters:
    ///   - label: What the threads are called.
    ///   - width: How many jobs run at once.
    ///   - sparesMax: How many threads may be added while jobs wait and none of those that run ends: what hangs, a network
    ///     file system or a user's mount, must not stop the others. They go when they find nothing to do.
    package init(label: String, width: Int, sparesMax: Int = 0) {
        precondition(width > 0)
        lanes = JobLanes(label: label, width: width, sparesMax: sparesMax)
    }

    /// How many threads there are beyond the width: about as many jobs hang.
    package var spareCount: Int { lanes.spareCount }

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

    /// Runs `body`, which may wait for other jobs of the pool, within one of its jobs: another thread may have the job's
    /// place meanwhile.
    ///
    /// *Cost*: a lock, twice.
    ///
    /// - Returns: What `body` returns.
    package func lendingPlace<R>(_ body: () throws -> R) rethrows -> R {
        lanes.lend()
        defer { lanes.takeBack() }
        return try body()
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
        /// How many jobs have lent their places.
        var lent = 0
        var isOver = false
        /// How many jobs were begun.
        var begun: UInt64 = 0
        /// Whether somebody looks whether jobs are still begun.
        var isWatched = false
    }

    /// What a thread does next.
    private enum Step {
        case job(JobPool.Job)
        case wait, leave
    }

    /// What a job that came needs.
    private enum Need {
        case ring, thread, nothing
        case watch(begun: UInt64)
    }

    private let label: String
    private let width: Int
    private let sparesMax: Int
    private let state = Lock(State())
    private let bell = DispatchSemaphore(value: 0)
    /// How long no job may begin while some wait, until threads are added.
    private static let hangTime = DispatchTimeInterval.milliseconds(250)

    init(label: String, width: Int, sparesMax: Int) {
        self.label = label
        self.width = width
        self.sparesMax = sparesMax
    }

    var spareCount: Int { state.withLock { max(0, $0.threads - width - $0.lent) } }

    func submit(_ job: @escaping JobPool.Job) {
        let need = state.withLock { state -> Need in
            state.waiting.append(job)
            if state.idle > 0 {
                state.idle -= 1
                return .ring
            }
            guard state.threads < width + state.lent else {
                guard sparesMax > 0, !state.isWatched else { return .nothing }
                state.isWatched = true
                return .watch(begun: state.begun)
            }
            state.threads += 1
            return .thread
        }
        switch need {
        case .ring: bell.signal()
        case .thread: SystemThread.start(label) { self.work() }
        case .watch(let begun): watch(after: begun)
        case .nothing: break
        }
    }

    /// Looks later whether jobs were begun, and adds threads if none was and some wait.
    private func watch(after begun: UInt64) {
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.hangTime) { [self] in
            let (added, next) = state.withLock { state -> (Int, UInt64?) in
                guard !state.waiting.isEmpty else {
                    state.isWatched = false
                    return (0, nil)
                }
                guard state.begun == begun else { return (0, state.begun) }
                // Twice as many each time, so that many that hang are soon passed.
                let spares = max(0, state.threads - width - state.lent)
                let added = max(0, min(max(1, spares), sparesMax - spares, state.waiting.count))
                state.threads += added
                return (added, state.begun)
            }
            for _ in 0..<added { SystemThread.start(label) { self.work() } }
            if let next { watch(after: next) }
        }
    }

    /// Lets one more job run.
    func lend() {
        let isWaiting = state.withLock { state in
            state.lent += 1
            guard !state.waiting.isEmpty, state.threads < width + state.lent else { return false }
            state.threads += 1
            return true
        }
        if isWaiting { SystemThread.start(label) { self.work() } }
    }

    /// Takes back what was lent; a thread too many goes when its job has ended.
    func takeBack() { state.withLock { $0.lent -= 1 } }

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
            // A place that was lent has been taken back.
            guard state.threads <= width + state.lent + sparesMax else {
                state.threads -= 1
                return .leave
            }
            if let job = state.waiting.takeFirst() {
                state.begun += 1
                return .job(job)
            }
            guard state.isOver || state.threads > width + state.lent else {
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

    var isEmpty: Bool { head == jobs.count }
    var count: Int { jobs.count - head }

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
