#if Cluster
    internal import DAGCatalog
    internal import DAGCluster
    internal import DAGHashing
    public import DAGMounts
    public import DAGMultiformats
    public import DAGStorage
    public import SystemPackage

    /// A cluster of one node whose steps a benchmark runs one by one.
    public final class ClusterMeasurement: Sendable {
        /// The node's store.
        public let store: DAGStore
        private let database: ClusterDatabase
        private let facts: ClusterFacts
        private let member: ClusterMember
        private let directory: FilePath

        /// Makes a cluster in an empty database, and a node with a store.
        ///
        /// - Parameters:
        ///   - address: The address of the database.
        ///   - directory: The folder of the node's store; made anew.
        /// - Throws: The errors of `cluster init` and `serve --cluster`.
        public init(at address: String, directory: FilePath) async throws {
            database = try ClusterDatabase(at: address, patience: .seconds(60))
            facts = try ClusterFacts(copies: 1)
            try await database.create(facts)
            var configuration = Configuration()
            configuration.hashKey = HashKey(facts.hashKey)
            store = try DAGStore.open(at: directory, configuration: configuration)
            let number = try NodeNumber(in: directory, of: facts.id)
            var times = ClusterTimes()
            times.merge = .zero
            member = ClusterMember(
                NodeProfile(id: number.node, name: "benchmark", url: "", release: ""),
                of: facts.id,
                in: database,
                store: store,
                times: times
            )
            self.directory = directory
            try await member.join()
        }

        /// Closes store and database.
        public func close() async {
            await store.close()
            database.close()
        }

        /// Registers a shard in the cluster, and lets the node index and publish it.
        ///
        /// - Throws: The errors of both.
        public func publish(_ key: ShardKey, from mount: FileMount) async throws {
            _ = try await database.register(key, from: mount.url)
            while try await database.placedShard(key)?.shard.state == .registered {
                _ = try await member.indexShard()
            }
            guard let shard = try await database.placedShard(key)?.shard,
                shard.state == .available
            else { throw DAGStoreError(.shardFailed, "the shard was not published", shard: key) }
        }

        /// Lets the node do one merge, if one is due.
        ///
        /// - Returns: Whether a partition was looked at.
        public func merge() async throws -> Bool { try await member.mergeRuns() }

        /// The runs that a look-up reads: the most of a partition, and those that no merge has taken.
        public func amplification() async throws -> (merged: Int, waiting: Int) {
            let finder = ClusterFinder(facts, in: database)
            try await finder.refresh()
            return (finder.mergedRunCountMax, finder.waitingCount)
        }

        /// Makes what searches the cluster's inverse index.
        ///
        /// - Parameter cache: The folder of a cache of chunks; nil to read each chunk from the database.
        /// - Returns: A search that knows the runs of this moment.
        /// - Throws: `catalogUnreachable`; the errors of the cache.
        public func search(cache: FilePath?) async throws -> ClusterSearch {
            let chunks = try cache.map { try ChunkCache(at: $0, sizeMax: 1 << 30) }
            let finder = ClusterFinder(facts, in: database, cache: chunks)
            try await finder.refresh()
            // A node of the cluster does so as it follows the publications.
            try await finder.gather(sizeMax: 1 << 29)
            return ClusterSearch(finder: finder)
        }
    }

    /// Searches of a cluster's inverse index.
    public struct ClusterSearch: Sendable {
        let finder: ClusterFinder

        /// Counts the shards that may have a multihash.
        public func count(of multihash: Multihash) async throws -> Int {
            try await finder.shards(containing: multihash).count
        }
    }
#endif
