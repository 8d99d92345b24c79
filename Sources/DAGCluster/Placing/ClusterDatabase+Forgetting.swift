#if Cluster
    internal import DAGStorage
    internal import PostgreSQL

    /// Nodes that are removed from a cluster.
    extension ClusterDatabase {
        /// The keys that an error names.
        private static let namedMax = 8

        /// Removes a node that has ended for good, with its placements.
        ///
        /// Shards that only this node reached fail: `recover` cannot help them, but `relocate` and `destroy` can. If
        /// the node's process comes back, it joins as a new node.
        ///
        /// - Parameters:
        ///   - node: The node.
        ///   - deadAfter: The silence after which a node counts as dead.
        ///   - isForced: Whether to remove also a node that alone reaches shards.
        /// - Returns: The number of shards that fail.
        /// - Throws: `invalidArgument` if the cluster has no such node, if it gave a sign of life, or if it alone
        ///   reaches shards; `catalogUnreachable`, `readOnly`.
        package func forget(
            _ node: [UInt8],
            deadAfter: Duration,
            isForced: Bool
        ) async throws -> Int {
            let count = try await change("forget") { transaction in
                guard let known = try Self.nodes(transaction).first(where: { $0.id == node }) else {
                    throw DAGStoreError(.invalidArgument, "the cluster has no such node")
                }
                guard known.isDead(after: deadAfter) else {
                    throw DAGStoreError(
                        .invalidArgument,
                        "node \(known.name) gave a sign of life \(known.silence.seconds) s ago",
                        advice: "drain it with 'dagstore cluster drain', end it, and wait "
                            + "\(deadAfter.seconds) s"
                    )
                }
                if !isForced { try Self.checkReach(of: known, transaction) }
                let failed = try transaction.run(
                    """
                    UPDATE dagstore_shards SET state = 2, epoch = epoch + 1, error_code = $2, error = $3
                    WHERE reach = $1 RETURNING number
                    """,
                    .bytes(node),
                    .integer(Int64(DAGStoreError.Code.mountGone.rawValue)),
                    .text("node \(known.name), which alone reached the CAR, was removed".storable)
                )
                var shards: [Int64] = []
                for row in 0..<failed.count {
                    let shard = try failed.integer(row, 0)
                    try Self.removeRebuilds(of: shard, transaction)
                    try Self.removeJobs(of: shard, transaction)
                    shards.append(shard)
                }
                try Self.refuseMoves(to: known, andOf: shards, transaction)
                try transaction.run(
                    """
                    UPDATE dagstore_shards SET settled = 0 WHERE state = 1 AND number IN (
                        SELECT shard FROM dagstore_placements WHERE node = $1 AND state <> 2)
                    """,
                    .bytes(node)
                )
                try transaction.run(
                    "DELETE FROM dagstore_placements WHERE node = $1",
                    .bytes(node)
                )
                try transaction.run("DELETE FROM dagstore_nodes WHERE id = $1", .bytes(node))
                try Self.removeFollowedMoves(transaction)
                return Int64(failed.count)
            }
            return Int(count)
        }

        /// Refuses the moves that only a removed node could compare, and those of shards that failed.
        private static func refuseMoves(
            to node: ClusterNode,
            andOf shards: [Int64],
            _ transaction: borrowing Transaction
        ) throws {
            let rows = try transaction.run(
                """
                UPDATE dagstore_moves SET state = 2, error_code = $3, error = $4
                WHERE state = 0 AND (reach = $1 OR shard = ANY ($2)) RETURNING shard
                """,
                .bytes(node.id),
                .integers(shards),
                .integer(Int64(DAGStoreError.Code.mountGone.rawValue)),
                .text("node \(node.name), which alone reached the CAR, was removed".storable)
            )
            try transaction.run(
                "DELETE FROM dagstore_jobs WHERE kind = $1 AND subject = ANY ($2)",
                .integer(JobKind.move.rawValue),
                .integers(try (0..<rows.count).map { try rows.integer($0, 0) })
            )
        }

        /// Checks that no shard is reached by one node alone.
        private static func checkReach(
            of node: ClusterNode,
            _ transaction: borrowing Transaction
        ) throws {
            let rows = try transaction.run(
                "SELECT key FROM dagstore_shards WHERE reach = $1 ORDER BY number LIMIT $2",
                .bytes(node.id),
                .integer(Int64(namedMax + 1))
            )
            guard rows.count > 0 else { return }
            var names = try (0..<min(rows.count, namedMax)).map { "\"\(try rows.text($0, 0))\"" }
            if rows.count > namedMax { names.append("and others") }
            throw DAGStoreError(
                .invalidArgument,
                "node \(node.name) alone reaches the CARs of \(names.joined(separator: ", "))",
                advice: "give these shards other mounts with 'dagstore cluster relocate', destroy "
                    + "them, or repeat with --force, which lets them fail"
            )
        }
    }
#endif
