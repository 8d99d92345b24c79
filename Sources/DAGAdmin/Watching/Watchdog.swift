#if Node
    internal import DAGMounts
    package import DAGStorage
    package import Logging
    internal import SharedReads

    /// A shard that stays in a passing state beyond the limit.
    package struct StuckShard: Sendable, Equatable {
        /// The shard; nil if the event loop itself does not answer.
        package let key: ShardKey?
        /// The state, or `loop`.
        package let state: String
        /// How long it has been so, in seconds.
        package let seconds: Double
        /// What it waits for, for people.
        package let waitsFor: String
    }

    /// Looks for shards that stay in a passing state beyond a limit, and for an event loop that does not answer.
    ///
    /// A job whose bytes advance is not stuck, however long it takes.
    ///
    /// *Concurrency*: any thread.
    package final class Watchdog: Sendable {
        /// What was seen of a shard at an earlier look.
        private struct Seen {
            let jobNumber: UInt64
            var step: PassingShard.Step
            var bytes: UInt64
            /// When the step was first seen as it is.
            var since: ContinuousClock.Instant
            var isLogged = false
        }

        private struct State {
            var seen: [ShardKey: Seen] = [:]
            var stuck: [StuckShard] = []
            /// When a job was last seen to have ended.
            var lastEnd: ContinuousClock.Instant?
            /// When a question to the loop was asked that has no answer yet.
            var askedAt: ContinuousClock.Instant?
            var question: OwnedTask<Void>?
            var isLoopLogged = false
        }

        private let store: DAGStore
        private let limit: Duration
        private let logger: Logger
        private let state = Lock(State())

        /// Makes a watchdog.
        ///
        /// - Parameters:
        ///   - store: The store.
        ///   - limit: The time from which on a shard is stuck.
        ///   - logger: Receives a line for each shard that is stuck, once.
        package init(_ store: DAGStore, limit: Duration, logger: Logger) {
            self.store = store
            self.limit = limit
            self.logger = logger
        }

        /// The shards that were stuck at the last look, the longest first.
        package var stuck: [StuckShard] { state.withLock { $0.stuck } }

        /// Looks at all shards with jobs.
        ///
        /// The call returns at once if the loop has not answered the question of an earlier look.
        package func look(at now: ContinuousClock.Instant = .now) {
            let waiting = state.withLock { state -> Duration? in
                if let asked = state.askedAt { return now - asked }
                state.askedAt = now
                return nil
            }
            guard let waiting else {
                let question = OwnedTask<Void> { [weak self, store] in
                    let shards = (try? await store.passingShards()) ?? []
                    self?.receive(shards, at: .now)
                }
                state.withLock { $0.question = question }
                return
            }
            if waiting > limit { reportLoop(waiting) }
        }

        /// Compares the shards with those of the last look.
        func receive(_ shards: [PassingShard], at now: ContinuousClock.Instant) {
            var toLog: [StuckShard] = []
            state.withLock { state in
                state.askedAt = nil
                state.isLoopLogged = false
                let numbers = Set(shards.map(\.jobNumber))
                let hasEnded = state.seen.values.contains { !numbers.contains($0.jobNumber) }
                if hasEnded { state.lastEnd = now }
                var seen: [ShardKey: Seen] = [:]
                var stuck: [StuckShard] = []
                for shard in shards {
                    // The job may be older than the first look at it.
                    var entry = Seen(
                        jobNumber: shard.jobNumber,
                        step: shard.step,
                        bytes: shard.bytesFetched,
                        since: now - shard.duration
                    )
                    if let old = state.seen[shard.key], old.jobNumber == shard.jobNumber {
                        let isSame = old.step == shard.step && old.bytes == shard.bytesFetched
                        if isSame { entry = old } else { entry.since = now }
                    }
                    // A queue that moves is not stuck.
                    if shard.isInQueue, let end = state.lastEnd {
                        entry.since = max(entry.since, end)
                    }
                    let time = now - entry.since
                    if time >= limit {
                        let found = StuckShard(
                            key: shard.key,
                            state: shard.state.rawValue,
                            seconds: time.inSeconds,
                            waitsFor: shard.waitsFor
                        )
                        stuck.append(found)
                        if !entry.isLogged { toLog.append(found) }
                        entry.isLogged = true
                    }
                    seen[shard.key] = entry
                }
                state.seen = seen
                state.stuck = stuck.sorted { $0.seconds > $1.seconds }
            }
            for shard in toLog { log(shard) }
        }

        private func reportLoop(_ time: Duration) {
            let found = StuckShard(
                key: nil,
                state: "loop",
                seconds: time.inSeconds,
                waitsFor: "the event loop of the store, which does not answer"
            )
            let isFirst = state.withLock { state in
                state.stuck = [found] + state.stuck.filter { $0.key != nil }
                defer { state.isLoopLogged = true }
                return !state.isLoopLogged
            }
            if isFirst { log(found) }
        }

        private func log(_ shard: StuckShard) {
            logger.warning(
                "A shard is stuck",
                metadata: [
                    "key": "\(shard.key?.text ?? "")", "state": "\(shard.state)",
                    "seconds": "\(Int(shard.seconds))", "waits-for": "\(shard.waitsFor)",
                ]
            )
        }
    }

    extension PassingShard {
        /// Whether the job waits for the ends of others.
        fileprivate var isInQueue: Bool { step == .waitingForTurn || step == .waitingForSource }

        /// What the job waits for, for people.
        var waitsFor: String {
            switch step {
            case .waitingForTurn: "its turn among the jobs"
            case .reachingSource: "an answer of \(mountURL)"
            case .waitingForSource: "\(mountURL) to get ready, or other fetches to end"
            case .copying: "bytes of \(mountURL)"
            case .indexing(let done?, let total?): "its indexing: \(done) of \(total) bytes"
            case .indexing: "its indexing"
            case .opening: "the opening of \(mountURL)"
            }
        }
    }
#endif
