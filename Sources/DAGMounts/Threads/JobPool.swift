internal import DAGSystem
internal import Dispatch
internal import SharedReads
internal import Synchronization

/// Runs blocking jobs on threads of its own, a few at a time.
///
/// Jobs begin in the order of submission. With one thread they also end in this order, unless a job lends its place;
/// with several threads, a later job may end before an earlier one.
///
/// The pool keeps blocking calls, page faults and disk flushes off Swift's cooperative threads, of which there are
/// only as many as processors. Any number of jobs may wait; the submitter limits them.
///
/// *Concurrency*: any thread may submit.
package final class JobPool: Sendable {
    /// A blocking job.
    package typealias Job = @Sendable () -> Void

    /// The number of the machine's processors.
    package static let processorCount = ThisProcess.processorCount

    private let lanes: JobLanes

    /// Creates a pool that runs at most `width` jobs at once.
    ///
    /// The pool has its own threads. They start with the first jobs, and end after a while without jobs. Queues would
    /// share the process's few threads with all other blocking code.
    ///
    /// - Parameters:
    ///   - label: The name of the threads.
    ///   - width: The largest number of jobs at once.
    ///   - sparesMax: The largest number of extra threads, which the pool starts while jobs wait and no running job
    ///     ends. So a job that hangs, in a network file system or a user's mount, does not stop the others. An extra
    ///     thread ends when it finds no job.
    package init(label: String, width: Int, sparesMax: Int = 0) {
        precondition(width > 0)
        lanes = JobLanes(label: label, width: width, sparesMax: sparesMax)
    }

    deinit { lanes.end() }

    /// Runs `body` on a thread of the pool.
    ///
    /// - Returns: The result of `body`.
    package func run<R: Sendable>(
        _ body: @escaping @Sendable () throws -> R
    ) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            submit { continuation.resume(with: Result(catching: body)) }
        }
    }

    /// Runs `body`, which waits for other jobs of the pool, inside a job.
    ///
    /// Meanwhile another thread may take the job's place.
    ///
    /// *Cost*: a lock, twice.
    ///
    /// - Returns: The result of `body`.
    package func lendingPlace<R>(_ body: () throws -> R) rethrows -> R {
        lanes.lendPlace()
        defer { lanes.reclaimPlace() }
        return try body()
    }

    /// Submits a job to the pool, and returns at once.
    ///
    /// Jobs that wait at the end of the pool's life still run.
    ///
    /// *Cost*: O(1), and at most the start of a thread; the caller does not block.
    package func submit(_ job: @escaping Job) { lanes.submit(job) }
}

/// The shared state of a pool's threads; it lives until they have ended.
private final class JobLanes: Sendable {
    /// How long a thread waits for a job before it ends.
    private static let patience = DispatchTimeInterval.seconds(2)

    private struct State {
        var waiting = FIFOQueue<JobPool.Job>()
        var threads = 0
        /// The number of threads that wait at the bell and have no ring on the way.
        var idle = 0
        /// The number of jobs that have lent their places.
        var lent = 0
        var isOver = false
        /// The number of jobs that have begun.
        var begun: UInt64 = 0
        /// Whether `watch` is scheduled.
        var isWatched = false
    }

    /// The next step of a thread.
    private enum Step {
        case job(JobPool.Job)
        case wait, leave
    }

    /// The action that a submitted job requires.
    private enum Need {
        case ring, thread, nothing
        case watch(begun: UInt64)
    }

    private let label: String
    private let width: Int
    private let sparesMax: Int
    private let state = Lock(State())
    private let bell = DispatchSemaphore(value: 0)
    /// How long jobs may wait without any job beginning, until the pool adds threads.
    private static let hangTime = DispatchTimeInterval.milliseconds(250)

    init(label: String, width: Int, sparesMax: Int) {
        self.label = label
        self.width = width
        self.sparesMax = sparesMax
    }

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

    /// Checks later whether jobs have begun, and adds threads if none has and some wait.
    private func watch(after begun: UInt64) {
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.hangTime) { [self] in
            let (added, next) = state.withLock { state -> (Int, UInt64?) in
                guard !state.waiting.isEmpty else {
                    state.isWatched = false
                    return (0, nil)
                }
                guard state.begun == begun else { return (0, state.begun) }
                // The number doubles each time, so many hanging jobs are soon overtaken.
                let spares = max(0, state.threads - width - state.lent)
                let added = max(0, min(max(1, spares), sparesMax - spares, state.waiting.count))
                state.threads += added
                return (added, state.begun)
            }
            for _ in 0..<added { SystemThread.start(label) { self.work() } }
            if let next { watch(after: next) }
        }
    }

    /// Makes room for one more job.
    func lendPlace() {
        let isWaiting = state.withLock { state in
            state.lent += 1
            guard !state.waiting.isEmpty, state.threads < width + state.lent else { return false }
            state.threads += 1
            return true
        }
        if isWaiting { SystemThread.start(label) { self.work() } }
    }

    /// Ends `lendPlace`; an extra thread ends after its job.
    func reclaimPlace() { state.withLock { $0.lent -= 1 } }

    /// Ends idle threads now, and all others when no jobs are left.
    func end() {
        let idle = state.withLock { state in
            state.isOver = true
            defer { state.idle = 0 }
            return state.idle
        }
        for _ in 0..<idle { bell.signal() }
    }

    /// Runs jobs until the thread ends.
    private func work() {
        while true {
            switch next() {
            case .job(let job): job()
            case .wait: guard waitsForBell() else { return }
            case .leave: return
            }
        }
    }

    /// Returns the thread's next step, and counts a waiting thread as idle.
    private func next() -> Step {
        state.withLock { state in
            // A lent place has been taken back.
            guard state.threads <= width + state.lent + sparesMax else {
                state.threads -= 1
                return .leave
            }
            if let job = state.waiting.popFirst() {
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
    /// - Returns: Whether it rang; if not, the thread is no longer counted.
    private func waitsForBell() -> Bool {
        guard bell.wait(timeout: .now() + Self.patience) == .timedOut else { return true }
        let isRung = state.withLock { state in
            guard state.idle > 0 else { return true }
            state.idle -= 1
            state.threads -= 1
            return false
        }
        // The bell rang after the timeout and before the lock: that ring is for this thread.
        if isRung { bell.wait() }
        return isRung
    }
}
