#if Cluster
    package import DAGMounts
    package import DAGStorage
    internal import PostgreSQL

    /// A mount that an available shard shall get.
    package struct ShardMove: Sendable, Equatable {
        /// The states of a move.
        package enum State: Int64, Sendable {
            /// A node will compare the CAR at the mount with the index.
            case waiting = 0
            /// The shard has the mount, and its nodes follow.
            case following = 1
            /// The comparison failed: the shard keeps its mount.
            case refused = 2
        }

        /// The shard.
        package let shard: UInt32
        /// The URL of the mount.
        package let mountURL: String
        /// The one node that reaches the mount; nil if all do.
        package let reach: [UInt8]?
        /// The state.
        package let state: State
        /// The number of the request.
        package let request: [UInt8]
        /// The reason of a refusal.
        package let error: DAGStoreError?

        static let columns = "shard, mount, reach, state, request, error_code, error"

        /// Reads the columns of `ShardMove.columns`.
        ///
        /// - Throws: `catalogCorrupt` if a value is impossible.
        init(_ rows: Rows, _ row: Int) throws {
            shard = UInt32(try rows.count(row, 0, 0...ClusterShard.numberMax))
            mountURL = try rows.text(row, 1)
            reach = try rows.optionalBytes(row, 2)
            guard let state = State(rawValue: try rows.integer(row, 3)) else {
                throw DAGStoreError(.catalogCorrupt, "the database has an impossible move")
            }
            self.state = state
            request = try rows.bytes(row, 4)
            let code = Int32(exactly: try rows.integer(row, 5)) ?? 0
            let message = try rows.text(row, 6)
            error =
                state == .refused
                ? DAGStoreError(DAGStoreError.Code(rawValue: code) ?? .sourceChanged, message) : nil
        }
    }

    /// Shards that get another mount.
    ///
    /// A node compares the CAR at the new mount with the index first. Then one transaction changes the shard. Each
    /// holder follows by itself, and reads the old mount until then; so a copy serves at each moment.
    extension ClusterDatabase {
        /// Asks for another mount of a shard.
        ///
        /// A shard without an index gets the mount at once, and a node indexes it.
        ///
        /// - Parameters:
        ///   - key: The shard.
        ///   - mountURL: The URL of the mount.
        ///   - reach: The one node that reaches it; nil if all do.
        /// - Returns: The number of the request; nil if the shard has the mount already.
        /// - Throws: `shardUnknown`; `catalogUnreachable`, `readOnly`.
        package func relocate(
            _ key: ShardKey,
            to mountURL: MountURL,
            reach: [UInt8]? = nil
        ) async throws -> [UInt8]? {
            let request = Array(randomBytes: 16)
            let isAsked = try await change("relocate") { transaction in
                guard let shard = try Self.shard(key, transaction) else {
                    throw DAGStoreError(.shardUnknown, "the cluster has no such shard", shard: key)
                }
                let (number, url) = (Int64(shard.number), SQLValue.text(mountURL.text))
                let only = reach.map { SQLValue.bytes($0) } ?? .null
                guard shard.state == .available else {
                    try transaction.run(
                        """
                        UPDATE dagstore_shards SET mount = $2, reach = $3, state = 0, epoch = epoch + 1,
                            error_code = 0, error = ''
                        WHERE number = $1
                        """,
                        .integer(number),
                        url,
                        only
                    )
                    try Self.addJob(.index, number, only, transaction)
                    return 0
                }
                try transaction.run(
                    """
                    INSERT INTO dagstore_moves
                        (shard, mount, reach, state, request, error_code, error, made_at)
                    VALUES ($1, $2, $3, 0, $4, 0, '', now())
                    ON CONFLICT (shard) DO UPDATE SET mount = excluded.mount, reach = excluded.reach,
                        state = 0, request = excluded.request, error_code = 0, error = '', made_at = now()
                    """,
                    .integer(number),
                    url,
                    only,
                    .bytes(request)
                )
                try Self.addJob(.move, number, only, transaction)
                return 1
            }
            return isAsked == 1 ? request : nil
        }

        /// Returns the last move of a shard; nil if there is none, or all nodes have followed.
        ///
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        package func move(of shard: UInt32) async throws -> ShardMove? {
            try await run(.repeatableRead) { transaction in
                let rows = try transaction.run(
                    "SELECT \(ShardMove.columns) FROM dagstore_moves WHERE shard = $1",
                    .integer(Int64(shard))
                )
                return rows.count == 0 ? nil : try ShardMove(rows, 0)
            }
        }

        /// Gives a shard the mount that a node has compared, and which the node's copy reads.
        ///
        /// - Throws: `JobLost`, also if the shard changed or another request came; `catalogUnreachable`.
        func publish(
            _ move: ShardMove,
            of record: ClusterShard,
            _ job: JobLease,
            by node: [UInt8]
        ) async throws {
            try await change("move") { transaction in
                try Self.finish(job, transaction)
                let isWaiting = try transaction.run(
                    """
                    UPDATE dagstore_moves SET state = 1 WHERE shard = $1 AND request = $2 AND state = 0
                    """,
                    .integer(Int64(record.number)),
                    .bytes(move.request)
                ).changeCount
                let isSame = try transaction.run(
                    """
                    UPDATE dagstore_shards SET mount = $2, reach = $3, epoch = epoch + 1, settled = 0
                    WHERE number = $1 AND state = 1 AND epoch = $4
                    """,
                    .integer(Int64(record.number)),
                    .text(move.mountURL),
                    move.reach.map { .bytes($0) } ?? .null,
                    .integer(record.epoch)
                ).changeCount
                guard isWaiting == 1, isSame == 1 else { throw JobLost() }
                try Self.hold(record, at: move.mountURL, on: node, transaction)
                // Copies that never left this mount have nothing to follow.
                try transaction.run(
                    """
                    UPDATE dagstore_placements SET error_code = 0, error = ''
                    WHERE shard = $1 AND state = 1 AND mount = $2
                    """,
                    .integer(Int64(record.number)),
                    .text(move.mountURL)
                )
                try Self.removeFollowedMoves(transaction)
                return 0
            }
        }

        /// Refuses a move: the shard keeps its mount.
        ///
        /// - Throws: `JobLost`; `catalogUnreachable`.
        func refuse(_ move: ShardMove, _ job: JobLease, _ error: DAGStoreError) async throws {
            try await change("refuse") { transaction in
                try Self.finish(job, transaction)
                try transaction.run(
                    """
                    UPDATE dagstore_moves SET state = 2, error_code = $3, error = $4
                    WHERE shard = $1 AND request = $2 AND state = 0
                    """,
                    .integer(Int64(move.shard)),
                    .bytes(move.request),
                    .integer(Int64(error.code.rawValue)),
                    .text(error.message.storable)
                )
                return 0
            }
        }

        // MARK: Following

        /// Returns copies of a node that read an earlier mount than their shards have, and are due.
        ///
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        func placementsToFollow(of node: [UInt8], limit: Int) async throws -> [Placement] {
            try await run(.repeatableRead) { transaction in
                let rows = try transaction.run(
                    """
                    SELECT p.node, p.shard, p.key, p.mount, p.state, p.error FROM dagstore_moves m
                    JOIN dagstore_shards s ON s.number = m.shard
                    JOIN dagstore_placements p ON p.shard = m.shard
                    WHERE p.node = $1 AND p.state = 1 AND p.mount <> s.mount AND p.try_at <= now()
                        AND (s.reach IS NULL OR s.reach = $1)
                    ORDER BY p.shard LIMIT $2
                    """,
                    .bytes(node),
                    .integer(Int64(limit))
                )
                return try (0..<rows.count).map { try Placement(rows, $0) }
            }
        }

        /// Reports that a copy reads another mount.
        ///
        /// - Throws: `catalogUnreachable`, `readOnly`.
        func follow(_ placement: Placement, to mountURL: String) async throws {
            try await run { transaction in
                try transaction.run(
                    """
                    UPDATE dagstore_placements SET mount = $3, error_code = 0, error = ''
                    WHERE node = $1 AND shard = $2 AND state = 1
                    """,
                    .bytes(placement.node),
                    .integer(Int64(placement.shard)),
                    .text(mountURL)
                )
                try Self.removeFollowedMoves(transaction)
            }
        }

        /// The time for which the reason of a refusal is kept.
        private static let refusalTime = Duration.seconds(86_400)

        /// Removes the moves that all nodes have followed, old refusals, and those of shards that are gone.
        static func removeFollowedMoves(_ transaction: borrowing Transaction) throws {
            try transaction.run(
                """
                DELETE FROM dagstore_moves WHERE state > 0
                    AND (state = 1 OR made_at < now() - CAST($1 AS bigint) * interval '1 millisecond')
                    AND NOT EXISTS (SELECT 1 FROM dagstore_placements p
                        JOIN dagstore_shards s ON s.number = p.shard
                        WHERE p.shard = dagstore_moves.shard AND p.mount <> s.mount)
                    AND (EXISTS (SELECT 1 FROM dagstore_shards s WHERE s.number = dagstore_moves.shard)
                        OR NOT EXISTS (SELECT 1 FROM dagstore_placements p
                            WHERE p.shard = dagstore_moves.shard))
                """,
                .integer(Self.refusalTime.milliseconds)
            )
        }
    }
#endif
