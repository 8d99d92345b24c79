#if Cluster
    internal import DAGCatalog
    package import DAGMultiformats
    internal import DAGStorage
    internal import DAGSystem
    internal import SharedReads
    package import SystemPackage

    /// Tells a node which other nodes have what it lacks.
    ///
    /// *Concurrency*: any thread or task.
    package final class ClusterGuide: Sendable {
        private struct State {
            var finder: ClusterFinder?
            /// The version of the runs that the finder has gathered.
            var gathered: Int64 = -1
            var nodes: [ClusterNode] = []
            var seen: ContinuousClock.Instant?
        }

        private let database: ClusterDatabase
        private let node: [UInt8]
        private let times: ClusterTimes
        private let cache: ChunkCache?
        private let state = Lock(State())

        /// The name of the cache's folder in the store's.
        private static let folderName = "cluster-cache"
        /// The bytes of chunks that a node keeps.
        private static let cacheSizeMax: UInt64 = 1 << 30
        /// The time for which the list of nodes is believed.
        private static let nodesTime = Duration.seconds(5)

        /// Creates a guide of a node, which opens the cache in the store's folder.
        ///
        /// - Parameters:
        ///   - database: The catalog.
        ///   - node: The node that asks, to which the guide never points.
        ///   - directory: The store's folder.
        ///   - times: The intervals of the node.
        package convenience init(
            in database: ClusterDatabase,
            for node: [UInt8],
            directory: FilePath,
            times: ClusterTimes = ClusterTimes()
        ) {
            let cache = directory.appending(Self.folderName)
            self.init(in: database, for: node, cache: cache, times: times)
        }

        /// Creates a guide with a folder for the cache; nil for none.
        init(
            in database: ClusterDatabase,
            for node: [UInt8],
            cache: FilePath?,
            times: ClusterTimes
        ) {
            self.database = database
            self.node = node
            self.times = times
            self.cache = cache.flatMap { Self.openCache(in: $0) }
        }

        /// Opens a cache; makes a new one in place of a damaged one.
        ///
        /// Without a cache, look-ups take longer.
        private static func openCache(in directory: FilePath) -> ChunkCache? {
            try? FileSystem.makeDirectory(directory)
            if let cache = try? ChunkCache(at: directory, sizeMax: cacheSizeMax) { return cache }
            for name in (try? FileSystem.names(in: directory)) ?? [] {
                try? FileSystem.removeFile(directory.appending(name))
            }
            return try? ChunkCache(at: directory, sizeMax: cacheSizeMax)
        }

        /// Learns which runs are new, gathers them, and reports runs that are damaged.
        ///
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        package func follow() async throws {
            let finder = try await finder()
            try await finder.refresh()
            let version = finder.version
            if state.withLock({ $0.gathered }) != version {
                try await finder.gather(sizeMax: Self.cacheSizeMax / 2)
                state.withLock { $0.gathered = version }
            }
            try await finder.reportDamage()
        }

        private func finder() async throws -> ClusterFinder {
            if let finder = state.withLock({ $0.finder }) { return finder }
            let made = ClusterFinder(try await database.facts(), in: database, cache: cache)
            return state.withLock { state in
                if let finder = state.finder { return finder }
                state.finder = made
                return made
            }
        }

        /// The most shards that a look-up asks for.
        private static let shardsMax = 64

        /// Returns the URLs of the living nodes that hold a block; none if no node does, or this one does.
        ///
        /// A node that holds such a shard has looked already: the inverse index has 48 bits of each hash.
        ///
        /// - Throws: `catalogUnreachable`, also if only dead nodes hold the block; `catalogCorrupt`.
        package func urls(ofBlock multihash: Multihash) async throws -> [String] {
            let finder = try await finder()
            let known = try await shards(finder, multihash, asking: false)
            let urls = try await urls(of: known)
            guard urls.isEmpty, !known.isEmpty, !isOwn(known) else { return urls }
            // The shards may have moved since.
            let present = try await shards(finder, multihash, asking: true)
            guard !present.isEmpty, !isOwn(present) else { return [] }
            let newer = try await self.urls(of: present)
            if !newer.isEmpty { return newer }
            throw DAGStoreError(.catalogUnreachable, "no living node holds the block")
        }

        /// Returns the shards that have a multihash.
        func shards(containing multihash: Multihash) async throws -> [PlacedShard] {
            try await shards(try await finder(), multihash, asking: false)
        }

        /// Asks the finder; a client of the node cannot mend the node's credentials.
        private func shards(
            _ finder: ClusterFinder,
            _ multihash: Multihash,
            asking isNew: Bool
        ) async throws -> [PlacedShard] {
            do {
                return try await finder.shards(
                    containing: multihash,
                    limit: Self.shardsMax,
                    asking: isNew
                )
            } catch let error as DAGStoreError where error.code == .invalidConfiguration {
                throw DAGStoreError(.catalogUnreachable, error.message)
            }
        }

        /// Returns the URL of a living node that holds a shard; nil if the cluster has no such shard, or this node
        /// holds it.
        ///
        /// - Throws: `catalogUnreachable`, also if no living node holds the shard; `catalogCorrupt`.
        package func url(ofShard key: String) async throws -> String? {
            guard let key = try? ShardKey(key), let placed = try await database.placedShard(key)
            else { return nil }
            guard placed.shard.state == .available, !isOwn([placed]) else { return nil }
            if let url = try await urls(of: [placed]).randomElement() { return url }
            throw DAGStoreError(.catalogUnreachable, "no living node holds the shard", shard: key)
        }

        private func isOwn(_ shards: [PlacedShard]) -> Bool {
            shards.contains { $0.holders.contains(node) }
        }

        private func urls(of shards: [PlacedShard]) async throws -> [String] {
            // Two nodes that send a client to each other would never end.
            guard !isOwn(shards) else { return [] }
            let holders = Set(shards.flatMap(\.holders))
            guard !holders.isEmpty else { return [] }
            let living = try await nodes().filter { node in
                holders.contains(node.id) && !node.url.isEmpty
                    && !node.isDead(after: times.deadAfter)
            }
            return living.map(\.url)
        }

        /// Returns the nodes, as they were some seconds ago at most.
        func nodes() async throws -> [ClusterNode] {
            let known = state.withLock { ($0.nodes, $0.seen) }
            if let seen = known.1, .now - seen < Self.nodesTime { return known.0 }
            do {
                let nodes = try await database.nodes()
                state.withLock { state in
                    state.nodes = nodes
                    state.seen = .now
                }
                return nodes
            } catch let error as DAGStoreError where error.code == .catalogUnreachable {
                // Nodes rarely change while the database is away.
                guard !known.0.isEmpty else { throw error }
                return known.0
            }
        }
    }
#endif
