#if Cluster
    package import DAGMounts
    package import DAGStorage
    internal import PostgreSQL
    internal import SharedReads

    /// The shards of a cluster.
    extension ClusterDatabase {
        /// Registers a shard, which a node then indexes.
        ///
        /// - Parameters:
        ///   - key: The key.
        ///   - mountURL: The URL of the mount.
        ///   - policy: What stays on a node of the bytes.
        ///   - reach: The one node that reaches the mount; nil if all nodes do.
        /// - Returns: The number of the shard.
        /// - Throws: `shardExists` if another shard has the key; `catalogUnreachable`, `readOnly`.
        package func register(
            _ key: ShardKey,
            from mountURL: MountURL,
            policy: MountPolicy = .automatic,
            reach: [UInt8]? = nil
        ) async throws -> UInt32 {
            let number = try await takeShardNumber()
            try await change("register") { transaction in
                let reach = reach.map { SQLValue.bytes($0) } ?? .null
                // The key is compared in the same statement, so two nodes at once cannot both succeed.
                let isNew =
                    try transaction.run(
                        """
                        INSERT INTO dagstore_shards (number, key, mount, policy, reach, state, epoch,
                            settled, bundle, bundle_size, source_size, blocks, multihashes, bytes,
                            roots, error_code, error, made_at)
                        VALUES ($1, $2, $3, $4, $5, 0, 1, 1, NULL, 0, 0, 0, 0, 0, 0, 0, '', now())
                        ON CONFLICT (key) DO NOTHING
                        """,
                        .integer(number),
                        .text(key.text),
                        .text(mountURL.text),
                        .integer(policy.number),
                        reach
                    ).changeCount == 1
                guard isNew else {
                    throw DAGStoreError(
                        .shardExists,
                        "the cluster has a shard with the key",
                        shard: key
                    )
                }
                try Self.addJob(.index, number, reach, transaction)
                return 0
            }
            return UInt32(number)
        }

        /// Returns a number that no other shard has or gets.
        ///
        /// All registrations would meet at one row, so this process takes numbers in blocks. The first block has one
        /// number, because most programs register one shard; later ones have up to 64.
        private func takeShardNumber() async throws -> Int64 {
            if let number = shardNumbers.withLock({ $0.next() }) { return number }
            let size = shardNumbers.withLock { $0.sizeOfNextBlock }
            let first = try await run { transaction in
                let rows = try transaction.run(
                    """
                    UPDATE dagstore_cluster SET next_shard = next_shard + $1 WHERE one = 1
                    RETURNING next_shard - $1
                    """,
                    .integer(size)
                )
                guard rows.count == 1 else {
                    throw DAGStoreError(.catalogCorrupt, "the cluster has no row")
                }
                return Int64(try rows.count(0, 0, 1...ClusterShard.numberMax - 64))
            }
            return shardNumbers.withLock { $0.fill(first..<first + size) }
        }

        /// Destroys a shard: its record, its run, and its copies as soon as their nodes answer.
        ///
        /// - Throws: `shardUnknown`; `catalogUnreachable`, `readOnly`.
        package func destroy(_ key: ShardKey) async throws {
            try await change("destroy") { transaction in
                let rows = try transaction.run(
                    "DELETE FROM dagstore_shards WHERE key = $1 RETURNING number",
                    .text(key.text)
                )
                guard rows.count == 1 else { throw Self.unknown(key) }
                let subject = try rows.integer(0, 0)
                let number = SQLValue.integer(subject)
                try transaction.run(
                    "UPDATE dagstore_placements SET state = 2, try_at = now() WHERE shard = $1",
                    number
                )
                let runs = try transaction.run(
                    "DELETE FROM dagstore_runs WHERE part = -1 AND shard = $1",
                    number
                )
                if runs.changeCount > 0 { try Self.changeRunsVersion(transaction) }
                try Self.removeRebuilds(of: subject, transaction)
                try Self.removeJobs(of: subject, transaction)
                // A copy may read the CAR at the new mount already; the row goes with the last copy.
                try transaction.run("UPDATE dagstore_moves SET state = 1 WHERE shard = $1", number)
                try Self.removeFollowedMoves(transaction)
                return 0
            }
        }

        /// Tries again to index a shard that failed.
        ///
        /// - Throws: `shardUnknown`, `notFailed`; `mountGone` if the node that alone reached the CAR was removed;
        ///   `catalogUnreachable`, `readOnly`.
        package func recover(_ key: ShardKey) async throws {
            try await change("recover") { transaction in
                let rows = try transaction.run(
                    """
                    UPDATE dagstore_shards SET state = 0, epoch = epoch + 1, error_code = 0, error = ''
                    WHERE key = $1 AND state = 2 RETURNING number, reach
                    """,
                    .text(key.text)
                )
                guard rows.count == 1 else {
                    guard try Self.shard(key, transaction) != nil else { throw Self.unknown(key) }
                    throw DAGStoreError(.notFailed, "the shard has not failed", shard: key)
                }
                let only = try rows.optionalBytes(0, 1)
                if let only, try !Self.nodes(transaction).contains(where: { $0.id == only }) {
                    var error = DAGStoreError(
                        .mountGone,
                        "the node that alone reached the CAR is not in the cluster",
                        shard: key
                    )
                    error.advice =
                        "give the shard another mount with 'dagstore cluster relocate', or destroy it"
                    throw error
                }
                let reach = only.map { SQLValue.bytes($0) } ?? .null
                try Self.addJob(.index, try rows.integer(0, 0), reach, transaction)
                return 0
            }
        }

        private static func unknown(_ key: ShardKey) -> DAGStoreError {
            DAGStoreError(.shardUnknown, "the cluster has no such shard", shard: key)
        }

        // MARK: Look-ups

        /// Returns a shard; nil if no shard has the key.
        ///
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        package func shard(_ key: ShardKey) async throws -> ClusterShard? {
            try await run { transaction in try Self.shard(key, transaction) }
        }

        /// Returns a shard with its placements; nil if no shard has the key.
        ///
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        package func placedShard(_ key: ShardKey) async throws -> PlacedShard? {
            try await run { transaction in
                let rows = try transaction.run(
                    "SELECT \(ClusterShard.columns) FROM dagstore_shards WHERE key = $1",
                    .text(key.text)
                )
                return try Self.placed(rows, transaction).first
            }
        }

        static func shard(
            _ key: ShardKey,
            _ transaction: borrowing Transaction
        ) throws -> ClusterShard? {
            let rows = try transaction.run(
                "SELECT \(ClusterShard.columns) FROM dagstore_shards WHERE key = $1",
                .text(key.text)
            )
            return rows.count == 0 ? nil : try ClusterShard(rows, 0)
        }

        /// Returns a shard; nil if there is none with the number.
        ///
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        func shard(_ number: UInt32) async throws -> ClusterShard? {
            try await run { transaction in
                let rows = try transaction.run(
                    "SELECT \(ClusterShard.columns) FROM dagstore_shards WHERE number = $1",
                    .integer(Int64(number))
                )
                return rows.count == 0 ? nil : try ClusterShard(rows, 0)
            }
        }

        /// Returns some shards with their placements, by number.
        ///
        /// - Parameters:
        ///   - number: The number before the first; nil for the beginning.
        ///   - limit: The most shards.
        /// - Returns: The shards; none after the last one.
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        package func shards(
            after number: UInt32? = nil,
            limit: Int = 256
        ) async throws -> [PlacedShard] {
            try await run { transaction in
                let rows = try transaction.run(
                    """
                    SELECT \(ClusterShard.columns) FROM dagstore_shards
                    WHERE number > $1 ORDER BY number LIMIT $2
                    """,
                    .integer(number.map { Int64($0) } ?? -1),
                    .integer(Int64(limit))
                )
                return try Self.placed(rows, transaction)
            }
        }

        /// Returns the shards with these numbers that exist, by number, with their placements.
        ///
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        func shards(numbered numbers: [UInt32]) async throws -> [PlacedShard] {
            try await run(.repeatableRead) { transaction in
                let rows = try transaction.run(
                    """
                    SELECT \(ClusterShard.columns) FROM dagstore_shards
                    WHERE number = ANY ($1) ORDER BY number
                    """,
                    .integers(numbers.map { Int64($0) })
                )
                return try Self.placed(rows, transaction)
            }
        }

        /// Returns the shards of rows, with their placements.
        static func placed(
            _ rows: Rows,
            _ transaction: borrowing Transaction
        ) throws -> [PlacedShard] {
            let shards = try (0..<rows.count).map { try ClusterShard(rows, $0) }
            guard !shards.isEmpty else { return [] }
            let places = try transaction.run(
                """
                SELECT \(Placement.columns) FROM dagstore_placements
                WHERE shard = ANY ($1) ORDER BY node
                """,
                .integers(shards.map { Int64($0.number) })
            )
            var byShard: [UInt32: [Placement]] = [:]
            for row in 0..<places.count {
                let placement = try Placement(places, row)
                byShard[placement.shard, default: []].append(placement)
            }
            return shards.map { PlacedShard(shard: $0, placements: byShard[$0.number] ?? []) }
        }

        /// Returns the numbers of shards in each state, of placements to make, and of jobs.
        ///
        /// - Throws: `catalogUnreachable`.
        package func totals() async throws -> ClusterTotals {
            try await run { transaction in
                var totals = ClusterTotals()
                let states = try transaction.run(
                    """
                    SELECT state, count(*), CAST(coalesce(sum(bytes), 0) AS bigint),
                        CAST(coalesce(sum(blocks), 0) AS bigint),
                        CAST(coalesce(sum(bundle_size), 0) AS bigint)
                    FROM dagstore_shards GROUP BY state
                    """
                )
                for row in 0..<states.count {
                    let state = ClusterShard.State(rawValue: try states.integer(row, 0))
                    totals.shards[state ?? .failed, default: 0] += try states.count(row, 1)
                    totals.payloadSize += UInt64(try states.count(row, 2))
                    totals.blockCount += UInt64(try states.count(row, 3))
                    totals.bundleSize += UInt64(try states.count(row, 4))
                }
                let places = try transaction.run(
                    "SELECT state, count(*) FROM dagstore_placements GROUP BY state"
                )
                for row in 0..<places.count {
                    let state = Placement.State(rawValue: try places.integer(row, 0))
                    totals.placements[state ?? .wanted, default: 0] += try places.count(row, 1)
                }
                let jobs = try transaction.run(
                    "SELECT count(*) FROM dagstore_jobs WHERE kind = $1",
                    .integer(JobKind.index.rawValue)
                )
                totals.indexJobCount = try jobs.count(0, 0)
                return totals
            }
        }
    }

    /// A shard and its copies.
    package struct PlacedShard: Sendable, Equatable {
        /// The shard.
        package let shard: ClusterShard
        /// The copies, wanted and present, and those to destroy.
        package let placements: [Placement]

        /// The nodes that hold it.
        package var holders: [[UInt8]] { placements.filter { $0.state == .held }.map(\.node) }
    }

    /// The totals of a cluster.
    package struct ClusterTotals: Sendable, Equatable {
        /// The number of shards in each state.
        package var shards: [ClusterShard.State: Int] = [:]
        /// The number of placements in each state.
        package var placements: [Placement.State: Int] = [:]
        /// The size of all payloads in bytes.
        package var payloadSize: UInt64 = 0
        /// The number of sections of all shards.
        package var blockCount: UInt64 = 0
        /// The size of all bundles in bytes.
        package var bundleSize: UInt64 = 0
        /// The number of shards that wait for a node to index them.
        package var indexJobCount = 0
    }
#endif
