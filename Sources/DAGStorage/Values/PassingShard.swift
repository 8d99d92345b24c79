internal import DAGCARFiles

/// A shard on its way to another state, and the job that takes it there.
public struct PassingShard: Sendable, Equatable {
    /// The step of a job.
    public enum Step: Sendable, Equatable {
        /// Other jobs run first.
        case waitingForTurn
        /// The mount has not answered yet.
        case reachingSource
        /// The source is not ready, or other fetches run first.
        case waitingForSource
        /// The bytes are copied.
        case copying
        /// The bytes are indexed: the bytes read so far and all, if known.
        case indexing(bytesDone: UInt64?, bytesTotal: UInt64?)
        /// The source of an indexed shard is opened.
        case opening

        init(_ phase: ShardJob.Phase) {
            self =
                switch phase {
                case .waitingForTurn: .waitingForTurn
                case .reachingSource: .reachingSource
                case .waitingForSource: .waitingForSource
                case .copying: .copying
                case .indexing(let progress):
                    .indexing(bytesDone: progress?.bytesDone, bytesTotal: progress?.bytesTotal)
                case .opening: .opening
                }
        }
    }

    /// The shard.
    public let key: ShardKey
    /// Its state.
    public let state: ShardStatus.State
    /// The URL of its mount.
    public let mountURL: String
    /// The number of the job: another job has another number.
    public let jobNumber: UInt64
    /// When the job began, in milliseconds since 1970.
    public let since: UInt64
    /// The time since then.
    public let duration: Duration
    /// What the job does now.
    public let step: Step
    /// The bytes that this process has read of the shard's source elsewhere, for this job and before.
    public let bytesFetched: UInt64
    /// The number of callers that wait for it.
    public let callerCount: Int
}

extension DAGStore {
    /// Returns the shards that jobs fetch, index or open now.
    ///
    /// *Cost*: a step for each shard in use, on the event loop. The call returns only when the loop answers.
    ///
    /// - Throws: `closed`.
    public func passingShards() async throws -> [PassingShard] {
        try checkOpen()
        let shards: [PassingShard]? = await withCheckedContinuation { continuation in
            if !engine.loop.post(.listPassing { continuation.resume(returning: $0) }) {
                continuation.resume(returning: nil)
            }
        }
        guard let shards else { throw DAGStoreError.storeIsClosed }
        return shards
    }

    /// The number of messages that wait for the event loop, about.
    public var waitingMessageCount: Int { engine.loop.count }
}
