#if Cluster
    public import DAGMounts
    public import DAGMultiformats
    public import DAGStorage
    public import SystemPackage

    /// A cluster: the shards that several nodes share through a PostgreSQL database.
    ///
    /// ```swift
    /// let cluster = try Cluster(at: "postgresql://dag@db.example/cluster?sslmode=verify-full")
    /// try await cluster.register(ShardKey("a"), from: MountURL("https://host.example/a.car"))
    /// ```
    ///
    /// A program needs no node for this, only the database. `dagstore cluster init` makes the tables, and
    /// `dagstore serve --cluster` runs the nodes.
    ///
    /// *Errors*: all calls throw `DAGStoreError`: `catalogUnreachable` if the database does not answer in time;
    /// `readOnly` if it refuses changes; `invalidConfiguration` if it refuses the user, or libpq is not installed;
    /// `catalogTooNew`; `catalogCorrupt` if its rows are impossible; and what is named at each call.
    ///
    /// *Concurrency*: any thread or task. Calls wait on threads of their own, and at most 64 talk to the database at
    /// once.
    public final class Cluster: Sendable {
        let database: ClusterDatabase
        let guide: ClusterGuide
        #if Node
            let reader: ClusterReader
        #endif

        /// Creates a client of a cluster; the first call opens a connection.
        ///
        /// - Parameters:
        ///   - address: A connection string of libpq. A password in it is in no message.
        ///   - patience: The longest time for one call.
        ///   - cache: A folder for up to 1 GiB of the inverse index, which one process has open; nil for none.
        /// - Throws: `invalidArgument`.
        public init(
            at address: String,
            patience: Duration = .seconds(20),
            cache: FilePath? = nil
        ) throws {
            database = try ClusterDatabase(at: address, patience: patience)
            // The number of no node, so shards of every node count.
            guide = ClusterGuide(in: database, for: [], cache: cache, times: .ofProcess)
            #if Node
                reader = ClusterReader(guide)
            #endif
        }

        /// Closes the idle connections; calls that are under way go on.
        public func close() { database.close() }

        // MARK: Changes

        /// Registers a shard, which some node then indexes.
        ///
        /// - Parameters:
        ///   - key: The key.
        ///   - mountURL: The URL of the mount, which all nodes can reach.
        ///   - policy: What stays on a node of the bytes.
        /// - Throws: `shardExists` if the cluster has a shard with the key.
        public func register(
            _ key: ShardKey,
            from mountURL: MountURL,
            policy: MountPolicy = .automatic
        ) async throws {
            _ = try await database.register(key, from: mountURL, policy: policy)
        }

        /// Asks for another mount of a shard; its index and its copies stay.
        ///
        /// A node first compares the CAR there with the index. If they differ, the shard keeps its mount. A shard
        /// that is not available gets the mount at once, and a node indexes it.
        ///
        /// - Parameters:
        ///   - key: The shard.
        ///   - mountURL: The URL of the mount, which all nodes can reach.
        /// - Throws: `shardUnknown`.
        public func relocate(_ key: ShardKey, to mountURL: MountURL) async throws {
            _ = try await database.relocate(key, to: mountURL)
        }

        /// Tries again to index a shard that failed.
        ///
        /// - Throws: `shardUnknown`, `notFailed`.
        public func recover(_ key: ShardKey) async throws { try await database.recover(key) }

        /// Destroys a shard; each node destroys its copy as soon as it hears of it.
        ///
        /// - Throws: `shardUnknown`.
        public func destroy(_ key: ShardKey) async throws { try await database.destroy(key) }

        // MARK: Shards

        /// Returns a shard; nil if the cluster has none with the key.
        ///
        /// - Throws: As all calls.
        public func shard(_ key: ShardKey) async throws -> Shard? {
            guard let placed = try await database.placedShard(key) else { return nil }
            return Shard(placed, try await database.nodes())
        }

        /// Returns some shards, in the order of their registration.
        ///
        /// *Cost*: one transaction that reads the rows of the shards and their copies.
        ///
        /// - Parameters:
        ///   - shard: The shard before the first; nil for the beginning.
        ///   - limit: The most shards; at least 1.
        /// - Returns: The shards; none after the last one.
        /// - Throws: As all calls.
        public func shards(after shard: Shard? = nil, limit: Int = 256) async throws -> [Shard] {
            precondition(limit > 0, "a page of \(limit) shards")
            let nodes = try await database.nodes()
            return try await database.shards(after: shard?.number, limit: limit)
                .map { Shard($0, nodes) }
        }

        /// Returns the shards that have a multihash, in the order of their registration.
        ///
        /// The inverse index has 48 bits of each hash: in one of some million calls a shard may lack the block.
        ///
        /// *Cost*: what the cache has takes microseconds; else up to six reads of at most 64 KiB from the database or
        /// the object store. "None" asks the database first whether the index has changed.
        ///
        /// - Throws: As all calls.
        public func shards(containing multihash: Multihash) async throws -> [Shard] {
            let placed = try await guide.shards(containing: multihash)
            guard !placed.isEmpty else { return [] }
            let nodes = try await guide.nodes()
            return placed.map { Shard($0, nodes) }
        }

        #if Node
            /// Returns a block: from a store, or else from a node that holds it; nil if no shard has it.
            ///
            /// Blocks of nodes come over HTTP, at most 32 MiB each, and are hashed. Those of the store are not.
            ///
            /// - Parameters:
            ///   - cid: The CID.
            ///   - store: The store to ask first; nil for none.
            /// - Returns: The block.
            /// - Throws: `catalogUnreachable` also if no node that holds the block answers; `hashMismatch` if they
            ///   answer with other bytes; `unsupportedHash` if the CID cannot prove any; the errors of the store.
            public func block(for cid: CID, near store: DAGStore? = nil) async throws -> Block? {
                if let block = try await store?.block(for: cid) { return block }
                return try await reader.block(for: cid)
            }
        #endif
    }
#endif
