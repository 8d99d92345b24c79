#if Cluster
    internal import DAGStorage
    internal import PostgreSQL

    /// The copies of shards, from the side of the node that has them.
    extension ClusterDatabase {
        /// Returns the placements that a node shall make or destroy, and that are due.
        ///
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        func duePlacements(of node: [UInt8], limit: Int) async throws -> [Placement] {
            try await run { transaction in
                var placements: [Placement] = []
                // Copies to destroy come first: one of them may have the key of a new shard.
                for state in [Placement.State.dropped, .wanted] {
                    let rows = try transaction.run(
                        """
                        SELECT \(Placement.columns) FROM dagstore_placements
                        WHERE node = $1 AND state = $2 AND try_at <= now() ORDER BY shard LIMIT $3
                        """,
                        .bytes(node),
                        .integer(state.rawValue),
                        .integer(Int64(limit))
                    )
                    for row in 0..<rows.count { placements.append(try Placement(rows, row)) }
                }
                return placements
            }
        }

        /// Reports that a node begins to index a shard, so that the cluster knows of a copy that a crash leaves behind.
        ///
        /// - Throws: `JobLost` if another worker has the job; `shardInUse` if the node's copy of an earlier shard with
        ///   the key is not destroyed; `catalogUnreachable`, `readOnly`.
        func beginIndexing(_ shard: ClusterShard, _ job: JobLease, on node: [UInt8]) async throws {
            try await run { transaction in
                try Self.confirm(job, transaction)
                let earlier = try transaction.run(
                    "SELECT 1 FROM dagstore_placements WHERE node = $1 AND key = $2 AND shard <> $3",
                    .bytes(node),
                    .text(shard.key.text),
                    .integer(Int64(shard.number))
                )
                guard earlier.count == 0 else {
                    throw DAGStoreError(
                        .shardInUse,
                        "an earlier copy is not destroyed",
                        shard: shard.key
                    )
                }
                try transaction.run(
                    """
                    INSERT INTO dagstore_placements
                        (node, shard, key, mount, state, error_code, error, try_at)
                    VALUES ($1, $2, $3, $4, 3, 0, '', now())
                    ON CONFLICT (node, shard) DO UPDATE SET state = 3, mount = excluded.mount
                    """,
                    .bytes(node),
                    .integer(Int64(shard.number)),
                    .text(shard.key.text),
                    .text(shard.mountURL)
                )
                return
            }
        }

        /// Removes the placement of an indexing that left nothing behind; an available shard is placed again.
        ///
        /// - Throws: `catalogUnreachable`, `readOnly`.
        func endIndexing(of shard: UInt32, on node: [UInt8]) async throws {
            try await run { transaction in
                try transaction.run(
                    "DELETE FROM dagstore_placements WHERE node = $1 AND shard = $2 AND state = 3",
                    .bytes(node),
                    .integer(Int64(shard))
                )
                try transaction.run(
                    "UPDATE dagstore_shards SET settled = 0 WHERE number = $1 AND state = 1",
                    .integer(Int64(shard))
                )
                return
            }
        }

        /// Returns the placements of a key on a node, of all shards that have or had it.
        ///
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        func placements(ofKey key: ShardKey, on node: [UInt8]) async throws -> [Placement] {
            try await run { transaction in
                let rows = try transaction.run(
                    """
                    SELECT \(Placement.columns) FROM dagstore_placements
                    WHERE node = $1 AND key = $2 ORDER BY shard
                    """,
                    .bytes(node),
                    .text(key.text)
                )
                return try (0..<rows.count).map { try Placement(rows, $0) }
            }
        }

        /// Returns some placements that a node holds, by the number of the shard.
        ///
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        func heldPlacements(
            of node: [UInt8],
            after shard: UInt32?,
            limit: Int
        ) async throws -> [Placement] {
            try await run { transaction in
                let rows = try transaction.run(
                    """
                    SELECT \(Placement.columns) FROM dagstore_placements
                    WHERE node = $1 AND state = 1 AND shard > $2 ORDER BY shard LIMIT $3
                    """,
                    .bytes(node),
                    .integer(shard.map { Int64($0) } ?? -1),
                    .integer(Int64(limit))
                )
                return try (0..<rows.count).map { try Placement(rows, $0) }
            }
        }

        /// Reports that a node lost a copy, so that it makes another one.
        ///
        /// - Throws: `catalogUnreachable`, `readOnly`.
        func lose(_ placement: Placement) async throws {
            try await run { transaction in
                try transaction.run(
                    """
                    UPDATE dagstore_placements SET state = 0, try_at = now()
                    WHERE node = $1 AND shard = $2 AND state = 1
                    """,
                    .bytes(placement.node),
                    .integer(Int64(placement.shard))
                )
                return
            }
        }

        /// Reports that a node holds a shard, and reads the CAR at a mount.
        ///
        /// - Returns: Whether the shard is still wanted there.
        /// - Throws: `catalogUnreachable`, `readOnly`.
        func hold(_ placement: Placement, at mountURL: String) async throws -> Bool {
            try await change("hold") { transaction in
                let count = try transaction.run(
                    """
                    UPDATE dagstore_placements SET state = 1, error_code = 0, error = '', mount = $3
                    WHERE node = $1 AND shard = $2 AND state = 0
                    """,
                    .bytes(placement.node),
                    .integer(Int64(placement.shard)),
                    .text(mountURL)
                ).changeCount
                guard count == 1 else { return 0 }
                try transaction.run(
                    "UPDATE dagstore_shards SET settled = 0 WHERE number = $1",
                    .integer(Int64(placement.shard))
                )
                return 1
            } == 1
        }

        /// Removes a placement whose copy is destroyed, or whose shard is.
        ///
        /// - Throws: `catalogUnreachable`, `readOnly`.
        func remove(_ placement: Placement) async throws {
            try await run { transaction in
                try transaction.run(
                    "DELETE FROM dagstore_placements WHERE node = $1 AND shard = $2 AND state = $3",
                    .bytes(placement.node),
                    .integer(Int64(placement.shard)),
                    .integer(placement.state.rawValue)
                )
                try Self.removeFollowedMoves(transaction)
            }
        }

        /// Reports that a node could not make or destroy a copy, and when it tries again.
        ///
        /// - Throws: `catalogUnreachable`, `readOnly`.
        func report(
            _ error: DAGStoreError,
            of placement: Placement,
            retryAfter time: Duration
        ) async throws {
            try await run { transaction in
                try transaction.run(
                    """
                    UPDATE dagstore_placements SET error_code = $3, error = $4,
                        try_at = now() + CAST($5 AS bigint) * interval '1 millisecond'
                    WHERE node = $1 AND shard = $2
                    """,
                    .bytes(placement.node),
                    .integer(Int64(placement.shard)),
                    .integer(Int64(error.code.rawValue)),
                    .text(error.message.storable),
                    .integer(time.milliseconds)
                )
                return
            }
        }

        /// Reports that a node can make no copies now, and when it tries again.
        ///
        /// Placements without an error count as on their way, and too many of these would stop the placing of all
        /// nodes.
        ///
        /// - Throws: `catalogUnreachable`, `readOnly`.
        func postponeWanted(
            on node: [UInt8],
            _ error: DAGStoreError,
            retryAfter pause: Duration
        ) async throws {
            try await run { transaction in
                try transaction.run(
                    """
                    UPDATE dagstore_placements SET error_code = $2, error = $3,
                        try_at = now() + CAST($4 AS bigint) * interval '1 millisecond'
                    WHERE node = $1 AND state = 0 AND error_code = 0
                    """,
                    .bytes(node),
                    .integer(Int64(error.code.rawValue)),
                    .text(error.message.storable),
                    .integer(pause.milliseconds)
                )
                return
            }
        }

        /// Returns the placement of a shard on a node; nil if there is none.
        ///
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        func placement(of shard: UInt32, on node: [UInt8]) async throws -> Placement? {
            try await run { transaction in
                let rows = try transaction.run(
                    """
                    SELECT \(Placement.columns) FROM dagstore_placements
                    WHERE node = $1 AND shard = $2
                    """,
                    .bytes(node),
                    .integer(Int64(shard))
                )
                return rows.count == 0 ? nil : try Placement(rows, 0)
            }
        }

        /// Returns the number of placements of each node in each state.
        ///
        /// - Throws: `catalogUnreachable`.
        package func placementCounts() async throws -> [[UInt8]: [Placement.State: Int]] {
            try await run { transaction in
                let rows = try transaction.run(
                    "SELECT node, state, count(*) FROM dagstore_placements GROUP BY node, state"
                )
                var counts: [[UInt8]: [Placement.State: Int]] = [:]
                for row in 0..<rows.count {
                    guard let state = Placement.State(rawValue: try rows.integer(row, 1)) else {
                        continue
                    }
                    counts[try rows.bytes(row, 0), default: [:]][state] = try rows.count(row, 2)
                }
                return counts
            }
        }

        /// Returns the number of shards that no living node would hold if a node ended now.
        ///
        /// Shards that no other node could take do not count: only this node reaches them, or it is the last one.
        ///
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        func undrainedCount(of node: [UInt8], deadAfter: Duration) async throws -> Int {
            try await run { transaction in
                let members = Members(try Self.nodes(transaction), deadAfter: deadAfter)
                guard members.active.contains(where: { $0.id != node }) else { return 0 }
                let rows = try transaction.run(
                    """
                    SELECT count(*) FROM dagstore_placements p
                    JOIN dagstore_shards s ON s.number = p.shard
                    WHERE p.node = $1 AND p.state = 1 AND (s.reach IS NULL OR s.reach <> $1)
                        AND NOT EXISTS (SELECT 1 FROM dagstore_placements q
                            WHERE q.shard = p.shard AND q.state = 1 AND q.node <> $1
                                AND q.node = ANY ($2))
                    """,
                    .bytes(node),
                    .byteStrings(Array(members.alive))
                )
                return try rows.count(0, 0)
            }
        }

        /// Marks a node as ended, so that its shards move at once.
        ///
        /// - Throws: `catalogUnreachable`, `readOnly`.
        func leave(_ node: [UInt8], _ incarnation: Int64) async throws {
            try await run { transaction in
                try transaction.run(
                    "UPDATE dagstore_nodes SET state = 2 WHERE id = $1 AND incarnation = $2",
                    .bytes(node),
                    .integer(incarnation)
                )
                return
            }
        }
    }
#endif
