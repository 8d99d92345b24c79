#if Node
    package import AdminMessages
    internal import DAGMounts
    package import DAGStorage
    internal import DAGSystem
    package import Logging
    internal import ServiceLifecycle
    internal import SharedReads
    package import SystemPackage

    /// The state of the admin interface of a node, which all its listeners share.
    ///
    /// *Concurrency*: any thread.
    package final class Admin: Sendable {
        /// What the interface tells about its node.
        package struct Facts: Sendable {
            /// The program's version.
            package var version: String
            /// The store's directory, without symbolic links.
            package var directory: FilePath
            /// The address on which the gateway listens, once it does.
            package var gateway: @Sendable () -> String?
            /// Whether the node is ready.
            package var isReady: @Sendable () -> Bool
            /// The least important level of the log.
            package var logLevel: @Sendable () -> Logger.Level
            /// Changes that level.
            package var setLogLevel: @Sendable (Logger.Level) -> Void
            /// The cluster; nil for a node by itself.
            package var cluster: ClusterView?

            /// Makes the facts.
            package init(
                version: String,
                directory: FilePath,
                gateway: @escaping @Sendable () -> String?,
                isReady: @escaping @Sendable () -> Bool,
                logLevel: @escaping @Sendable () -> Logger.Level,
                setLogLevel: @escaping @Sendable (Logger.Level) -> Void,
                cluster: ClusterView? = nil
            ) {
                self.version = version
                self.directory = directory
                self.gateway = gateway
                self.isReady = isReady
                self.logLevel = logLevel
                self.setLogLevel = setLogLevel
                self.cluster = cluster
            }
        }

        /// Runs a verb for a client of the socket, and returns the exit status.
        ///
        /// It gets the request and a function that sends a frame, which returns false if the client is gone. It may
        /// block its thread.
        package typealias RunVerb =
            @Sendable (VerbRequest, OutputSender) async -> Int32

        let store: DAGStore
        let metrics: NodeMetrics
        let facts: Facts
        package let watchdog: Watchdog
        let history = ShardHistory()
        let runVerb: RunVerb
        let startedAt = WallClock.milliseconds
        let start = ContinuousClock.now
        private let lastMinute = Lock(MinuteWindow())
        /// The threads on which the catalog is read.
        let pool: JobPool
        /// The threads on which verbs run; all of them may wait for sources.
        private let verbExecutor = PoolExecutor(
            JobPool(label: "dagstore.verbs", width: 4, sparesMax: 60)
        )

        /// Makes the state.
        ///
        /// - Parameters:
        ///   - store: The store, which outlives it.
        ///   - facts: What the interface tells about its node.
        ///   - metrics: The node's metrics.
        ///   - watchdog: The watchdog.
        ///   - runVerb: Runs a verb.
        package init(
            _ store: DAGStore,
            _ facts: Facts,
            _ metrics: NodeMetrics,
            _ watchdog: Watchdog,
            runVerb: @escaping RunVerb
        ) {
            self.store = store
            self.facts = facts
            self.metrics = metrics
            self.watchdog = watchdog
            self.runVerb = runVerb
            pool = JobPool(label: "dagstore.admin", width: 4, sparesMax: 60)
            metrics.registry.collect { [store, watchdog] text in
                StoreMetrics.write(store, stuckCount: watchdog.stuck.count, to: &text)
            }
        }

        /// Runs all steps of an action on the threads of verbs; the end of the node cancels it.
        func running<R: Sendable>(
            _ body: @escaping @Sendable () async throws -> R
        ) async throws -> R {
            try await withTaskExecutorPreference(verbExecutor) {
                try await cancelWhenGracefulShutdown(body)
            }
        }

        /// Runs all steps of a verb on the threads of verbs.
        ///
        /// - Returns: The exit status.
        func runningVerb(_ verb: VerbRequest, _ sender: OutputSender) async -> Int32 {
            await withTaskExecutorPreference(verbExecutor) { await runVerb(verb, sender) }
        }

        // MARK: Watching

        /// How often `watch` looks.
        package static let interval = Duration.seconds(5)

        /// Follows the store's events until the store closes or the task is cancelled.
        package func followEvents() async {
            for await event in store.events(bufferingNewest: 4096, includingLeases: false) {
                history.add(event, at: WallClock.milliseconds)
                metrics.receive(event)
            }
        }

        /// Looks for stuck shards, and keeps the times of the last minute.
        package func look() {
            watchdog.look()
            let counts = metrics.answerTimes
            lastMinute.withLock { $0.add(counts) }
        }

        /// The counts of answers in the last minute, by buckets of time.
        var lastMinuteCounts: [UInt64] {
            let counts = metrics.answerTimes
            return lastMinute.withLock { $0.change(to: counts) }
        }
    }

    /// The counts of a histogram about a minute ago.
    private struct MinuteWindow {
        private var looks: [[UInt64]] = []

        mutating func add(_ counts: [UInt64]) {
            looks.append(counts)
            if looks.count > Int(Duration.seconds(60) / Admin.interval) { looks.removeFirst() }
        }

        func change(to counts: [UInt64]) -> [UInt64] {
            guard let first = looks.first else { return counts }
            return zip(counts, first).map { $0 >= $1 ? $0 - $1 : 0 }
        }
    }
#endif
