internal import DAGCARFiles
internal import DAGMounts
internal import DAGSystem
internal import Dispatch
internal import SharedReads
internal import Synchronization

/// The work of a passing state: fetches and indexes a shard, or opens one.
///
/// *Concurrency*: any thread.
final class ShardJob: Sendable {
    /// The current step of a job.
    enum Phase: Sendable {
        /// The job waits until others have been indexed.
        case waitingForTurn
        /// The job waits for the mount's answer.
        case reachingSource
        /// The source is not ready yet, or other fetches run first.
        case waitingForSource
        case copying
        case indexing(IndexingProgress?)
        case opening
    }

    private struct State {
        var phase = Phase.waitingForTurn
        var task: OwnedTask<Void>?
        var remote: RemoteBytes?
    }

    let key: ShardKey
    let number: UInt64
    /// When the job was made.
    let start = ContinuousClock.now
    /// The same, in milliseconds since 1970.
    let since = WallClock.milliseconds
    /// Whether the job opens a shard that has an index.
    let isOpening: Bool
    /// Whether this is the second try to open a shard, after the loop closed idle ones.
    let isSecondTry: Bool
    /// The callback for the progress of indexing.
    let progress: (@Sendable (IndexingProgress) -> Void)?
    private let state = Lock(State())
    private let wasCancelled = Atomic<Bool>(false)

    init(
        _ key: ShardKey,
        number: UInt64,
        progress: (@Sendable (IndexingProgress) -> Void)?,
        isOpening: Bool = false,
        isSecondTry: Bool = false
    ) {
        self.key = key
        self.isOpening = isOpening
        self.isSecondTry = isSecondTry
        self.number = number
        self.progress = progress
    }

    /// Whether the job was cancelled.
    var isCancelled: Bool { wasCancelled.load(ordering: .relaxed) }

    /// The current step.
    var phase: Phase {
        get { state.withLock { $0.phase } }
        set { state.withLock { $0.phase = newValue } }
    }

    /// Whether the job waits for the bytes.
    var isFetching: Bool {
        switch phase {
        case .reachingSource, .waitingForSource, .copying: true
        case .waitingForTurn, .indexing, .opening: false
        }
    }

    /// Whether the job indexes the bytes.
    var isIndexing: Bool {
        guard case .indexing = phase else { return false }
        return true
    }

    /// Throws if the job was cancelled.
    ///
    /// - Throws: `CancellationError`.
    func checkCancelled() throws { if isCancelled { throw CancellationError() } }

    /// Runs `body`, which waits for a mount, in a task that `cancel` cancels.
    func run(_ body: @escaping @Sendable () async -> Void) {
        let task = OwnedTask(body)
        state.withLock { $0.task = task }
        if isCancelled { task.cancel() }
    }

    /// Sets the remote source of the job; `cancel` ends its reads.
    func startReading(_ remote: RemoteBytes) {
        state.withLock { $0.remote = remote }
        if isCancelled { remote.cancel() }
    }

    /// Cancels the job.
    func cancel() {
        wasCancelled.store(true, ordering: .sequentiallyConsistent)
        let (task, remote) = state.withLock { ($0.task, $0.remote) }
        task?.cancel()
        remote?.cancel()
    }

    /// Cancels the job if it still waits for its bytes when `time` has passed.
    ///
    /// A job that waits for its turn at that moment gets the same time again.
    ///
    /// - Parameters:
    ///   - time: `Configuration.fetchTimeout`; nil for no limit.
    ///   - fail: Receives the job and `fetchTimedOut`. Returns false if the job has its outcome already.
    func limitFetch(
        to time: Duration?,
        _ fail: @escaping @Sendable (ShardJob, DAGStoreError) -> Bool
    ) {
        guard let time else { return }
        let end = DispatchTime.now() + .nanoseconds(Int(clamping: time.nanoseconds))
        DispatchQueue.global().asyncAfter(deadline: end) { [weak self] in
            guard let self, !isCancelled else { return }
            guard isFetching else {
                if !isIndexing { limitFetch(to: time, fail) }
                return
            }
            let error = DAGStoreError(.fetchTimedOut, "not fetched within \(time)", shard: key)
            if fail(self, error) { cancel() }
        }
    }

    /// Waits for `fetch`, which reaches a mount, unless `time` passes or the caller is cancelled.
    ///
    /// The call does not wait for a mount that ignores its cancellation.
    ///
    /// - Parameters:
    ///   - time: `Configuration.fetchTimeout`; nil for no limit.
    ///   - fetch: Reaches the mount.
    ///   - discard: Receives a result that comes after the caller has stopped waiting.
    /// - Returns: The result of `fetch`.
    /// - Throws: `fetchTimedOut`, `CancellationError`, and the errors of `fetch`.
    func fetching<R: Sendable>(
        within time: Duration?,
        _ fetch: @escaping @Sendable () async throws -> R,
        discard: @escaping @Sendable (R) async throws -> Void
    ) async throws -> R {
        let answer = FirstAnswer<R, any Error>()
        phase = .reachingSource
        limitFetch(to: time) { _, error in answer.deliver(.failure(error)) }
        run {
            do {
                let result = try await fetch()
                if !answer.deliver(.success(result)) { try await discard(result) }
            } catch {
                answer.deliver(.failure(error))
            }
        }
        return try await withTaskCancellationHandler {
            try await answer.value
        } onCancel: {
            if answer.deliver(.failure(CancellationError())) { cancel() }
        }
    }

    /// Stores the progress of indexing, and calls the registration's progress callback.
    ///
    /// - Parameters:
    ///   - progress: The progress.
    ///   - pool: The pool that runs the job.
    func reportProgress(_ progress: IndexingProgress, on pool: JobPool) {
        phase = .indexing(progress)
        guard let callback = self.progress else { return }
        // The callback may wait for other jobs.
        pool.lendingPlace { callback(progress) }
    }
}

/// The outcome of a job.
enum JobOutcome: Sendable {
    /// The index is built and waits to be published.
    case indexed(IndexedSource)
    /// The shard is open; `facts` describe a source that differs from the record's and has the same content.
    case opened(ShardReader, facts: SourceFacts?)
    /// The source of a failed shard has the indexed bytes, so its index stays.
    case found(SourceFacts)
    case failed(DAGStoreError)
    /// The job was cancelled.
    case abandoned
}
