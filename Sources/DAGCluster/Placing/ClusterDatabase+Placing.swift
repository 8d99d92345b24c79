#if Cluster
    internal import DAGStorage
    internal import PostgreSQL

    /// The placements of shards.
    extension ClusterDatabase {
        /// The most shards that one transaction places.
        static let placingBatch: Int64 = 64
        /// The most placements that wait for their nodes; more are not begun, so that moves stay bounded.
        static let wantedMax = 256

        /// Places the shards that need it: one batch.
        ///
        /// The first round after a change of the nodes looks at all shards, batch by batch. Every placed shard's row is
        /// written, so a publication or a destruction at the same time spoils one of the two transactions.
        ///
        /// - Parameters:
        ///   - job: The job `place`, which this process has.
        ///   - copies: The number of copies of each shard.
        ///   - deadAfter: The silence after which a node counts as dead.
        ///   - isJudge: Whether the caller can tell a dead node from one that the database did not hear.
        /// - Returns: Whether another batch is due at once.
        /// - Throws: `JobLost`; `catalogUnreachable`, `catalogCorrupt`.
        func place(
            _ job: JobLease,
            copies: Int,
            deadAfter: Duration,
            isJudge: Bool
        ) async throws -> Bool {
            try await run(.repeatableRead) { transaction in
                try Self.confirm(job, transaction)
                let nodes = try Self.nodes(transaction)
                // Two nodes that judge differently would move copies to and fro.
                let isCertain = nodes.allSatisfy { node in
                    node.state == .left || !node.isDead(after: deadAfter)
                }
                guard isJudge || isCertain else { return false }
                let members = Members(nodes, deadAfter: deadAfter)
                let waiting = try transaction.run(
                    """
                    SELECT count(*) FROM dagstore_placements
                    WHERE state = 0 AND error_code = 0 AND node = ANY ($1)
                    """,
                    .byteStrings(Array(members.alive))
                )
                var room = Self.wantedMax - (try waiting.count(0, 0))
                guard room > 0 else { return false }
                let unsettled = try transaction.run(
                    """
                    SELECT \(ClusterShard.columns) FROM dagstore_shards
                    WHERE settled = 0 ORDER BY number LIMIT $1
                    """,
                    .integer(Self.placingBatch)
                )
                try Self.place(unsettled, copies, members, &room, transaction)
                let isFull = unsettled.count == Self.placingBatch
                let isMore = try Self.placeNext(copies, members, &room, transaction)
                return (isFull || isMore) && room > 0
            }
        }

        /// Places the next shards after a change of the nodes.
        ///
        /// - Returns: Whether there are more.
        private static func placeNext(
            _ copies: Int,
            _ members: Members,
            _ room: inout Int,
            _ transaction: borrowing Transaction
        ) throws -> Bool {
            let row = try transaction.run(
                "SELECT placed_for, placing_from FROM dagstore_placing WHERE one = 1"
            )
            guard row.count == 1 else {
                throw DAGStoreError(.catalogCorrupt, "the cluster lacks the row of its placing")
            }
            let isSame = try row.bytes(0, 0) == members.fingerprint
            var from = isSame ? try row.integer(0, 1) : 0
            // -1: all shards were looked at since the nodes changed.
            guard from >= 0 else { return false }
            let next = try transaction.run(
                """
                SELECT \(ClusterShard.columns) FROM dagstore_shards
                WHERE number >= $1 AND state = 1 ORDER BY number LIMIT $2
                """,
                .integer(from),
                .integer(placingBatch)
            )
            try place(next, copies, members, &room, transaction)
            from = next.count == 0 ? -1 : Int64(try next.count(next.count - 1, 0)) + 1
            try transaction.run(
                "UPDATE dagstore_placing SET placed_for = $1, placing_from = $2 WHERE one = 1",
                .bytes(members.fingerprint),
                .integer(from)
            )
            return true
        }

        /// Writes the placements of the shards of rows.
        private static func place(
            _ rows: Rows,
            _ copies: Int,
            _ members: Members,
            _ room: inout Int,
            _ transaction: borrowing Transaction
        ) throws {
            for placed in try placed(rows, transaction) {
                let shard = placed.shard
                let number = SQLValue.integer(Int64(shard.number))
                let states = Dictionary(
                    placed.placements.map { ($0.node, $0.state) },
                    uniquingKeysWith: { first, _ in first }
                )
                let plan = PlacementPlan(
                    wanted: members.nodes(for: shard, copies: copies),
                    copies: shard.reach == nil ? copies : 1,
                    present: states,
                    alive: members.alive
                )
                for node in plan.adding {
                    try transaction.run(
                        """
                        INSERT INTO dagstore_placements
                            (node, shard, key, mount, state, error_code, error, try_at)
                        VALUES ($1, $2, $3, $4, 0, 0, '', now())
                        ON CONFLICT (node, shard) DO UPDATE SET state = 0, try_at = now()
                        """,
                        .bytes(node),
                        number,
                        .text(shard.key.text),
                        .text(shard.mountURL)
                    )
                }
                room -= plan.adding.count
                for node in plan.dropping {
                    try transaction.run(
                        """
                        UPDATE dagstore_placements SET state = 2, try_at = now()
                        WHERE node = $1 AND shard = $2
                        """,
                        .bytes(node),
                        number
                    )
                }
                // A copy that becomes complete unsettles its shard again.
                try transaction.run(
                    "UPDATE dagstore_shards SET settled = 1 WHERE number = $1",
                    number
                )
            }
        }
    }

    /// The nodes at the moment of a round.
    struct Members: Sendable {
        /// The nodes that may get shards.
        let active: [Rendezvous.Candidate]
        /// The nodes that serve, draining ones included.
        let alive: Set<[UInt8]>
        /// A value that changes with the nodes that may get shards.
        let fingerprint: [UInt8]

        init(_ nodes: [ClusterNode], deadAfter: Duration) {
            let living = nodes.filter { !$0.isDead(after: deadAfter) }
            alive = Set(living.map(\.id))
            active = living.filter { $0.state == .active }
                .map { Rendezvous.Candidate(id: $0.id, capacity: $0.capacity) }
                .sorted { $0.id.lexicographicallyPrecedes($1.id) }
            fingerprint = Checksums.sha256(
                active.flatMap { $0.id + Array("\($0.capacity);".utf8) }
            )
        }

        /// The nodes that should hold a shard.
        func nodes(for shard: ClusterShard, copies: Int) -> [[UInt8]] {
            let candidates = shard.reach.map { only in active.filter { $0.id == only } } ?? active
            return Rendezvous.nodes(for: shard.number, count: copies, of: candidates)
        }
    }

    extension String {
        /// The text without NULs, which the database rejects, and of a size that a row may have.
        var storable: String {
            String(prefix(1000).map { $0 == "\0" ? "\u{fffd}" : $0 })
        }
    }
#endif
