#if Node
    internal import DAGMounts

    /// The threads on which a gateway waits for disks.
    struct Blocking: Sendable {
        /// The threads beside those that hang: a disk answers many reads at once.
        private static let width = max(8, 2 * JobPool.processorCount)
        private static let sparesMax = 240

        private let pool: JobPool
        private let executor: PoolExecutor

        init() {
            pool = JobPool(label: "dagstore.gateway", width: Self.width, sparesMax: Self.sparesMax)
            executor = PoolExecutor(pool)
        }

        /// Runs all steps of `body` on these threads.
        func run<R: Sendable>(_ body: () async throws -> R) async throws -> R {
            try await withTaskExecutorPreference(executor) { try await body() }
        }

        /// Runs a blocking call on one of these threads.
        func call<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
            try await pool.run(body)
        }
    }
#endif
