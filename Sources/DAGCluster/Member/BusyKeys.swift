#if Cluster
    internal import DAGStorage
    internal import SharedReads

    /// The keys whose shards a task of this process changes, one task at a time.
    ///
    /// *Concurrency*: any thread.
    final class BusyKeys: Sendable {
        private let keys = Lock(Set<ShardKey>())

        /// Takes a key.
        ///
        /// - Returns: Whether no task had it.
        func insert(_ key: ShardKey) -> Bool { keys.withLock { $0.insert(key).inserted } }

        /// Gives a key back.
        func remove(_ key: ShardKey) { _ = keys.withLock { $0.remove(key) } }

        /// Whether a task has a key.
        func contains(_ key: ShardKey) -> Bool { keys.withLock { $0.contains(key) } }
    }
#endif
