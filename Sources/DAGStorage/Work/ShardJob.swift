internal import DAGCARFiles
internal import DAGMounts
internal import Dispatch
internal import SharedReads
internal import Synchronization

/// The work of a passing state: a shard is being fetched and indexed, or opened.
///
/// *Concurrency*: any thread.
final class ShardJob: Sendable {
    /// The step that a job is at.
    enum Phase: Sendable {
        /// It waits until others have been indexed.
        case waitingForTurn
        /// It asks the mount, and the mount has not answered.
        case reachingSource
        /// Its source is there and not ready, or others are fetched before it.
        case waitingForSource
        case copying
        case indexing(IndexingProgress?)
        case opening
    }

    private struct State {
        var phase = Phase.waitingForTurn
        var task: OwnedTask<Void>?
        var remote: RemoteBytes?
        var since = WallClock.milliseconds
    }

    let key: ShardKey
    let number: UInt64
    /// Whether it opens a shard after idle ones were closed for it.
    let isSecondTry: Bool
    /// The callback for the progress of indexing.
    let progress: (@Sendable (IndexingProgress) -> Void)?
    private let state = Lock(State())
    private let wasCancelled = Atomic<Bool>(false)

    init(
        _ key: ShardKey,
        number: UInt64,
        progress: (@Sendable (IndexingProgress) -> Void)?,
        isSecondTry: Bool = false
    ) {
        self.key = key
        self.isSecondTry = isSecondTry
        self.number = number
        self.progress = progress
    }

    /// Whether the job was cancelled.
    var isCancelled: Bool { wasCancelled.load(ordering: .relaxed) }

    /// The step that it is at.
    var phase: Phase {
        get { state.withLock { $0.phase } }
        set { state.withLock { $0.phase = newValue } }
    }

    /// Whether it has begun to reach for the bytes, and has not got them.
    var isFetching: Bool {
        switch phase {
        case .reachingSource, .waitingForSource, .copying: true
        case .waitingForTurn, .indexing, .opening: false
        }
    }

    /// Whether it has the bytes.
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

    /// Reads from `remote` from now on; `cancel` frees a thread that waits for it.
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

    /// Cancels the job if its bytes are not there when `time` has passed.
    ///
    /// A job that has no place among the running ones at that moment gets the same time again.
    ///
    /// - Parameters:
    ///   - time: `Configuration.fetchTimeout`; nil for no limit.
    ///   - fail: Receives the job and `fetchTimedOut`. Returns false if the job has its outcome, and goes on.
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

    /// Stores how far indexing is, and calls the registration's progress callback.
    ///
    /// - Parameters:
    ///   - progress: How far it is.
    ///   - pool: On which the job runs.
    func reportProgress(_ progress: IndexingProgress, on pool: JobPool) {
        phase = .indexing(progress)
        guard let callback = self.progress else { return }
        // The callback may wait for other jobs.
        pool.lendingPlace { callback(progress) }
    }
}

/// How a job has ended.
enum JobOutcome: Sendable {
    /// The index is built and waits to be published.
    case indexed(IndexedSource)
    /// The shard can be read; `facts` if its source is another than the record says, with the same content.
    case opened(ShardReader, facts: SourceFacts?)
    /// The source of a failed shard is what was indexed, and the index it has will do.
    case found(SourceFacts)
    case failed(DAGStoreError)
    /// It was cancelled.
    case abandoned
}
