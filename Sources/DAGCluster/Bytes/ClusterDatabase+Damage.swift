#if Cluster
    internal import DAGStorage
    internal import PostgreSQL

    /// Bundles whose bytes are damaged.
    ///
    /// Equal bytes have one name, so the bundle that is made again has the name of the damaged one, and another
    /// incarnation.
    extension ClusterDatabase {
        /// Gives a damaged or missing bundle up, and lets a node make it again.
        ///
        /// A node that holds a shard with the bundle exports it; without a living one, another node indexes the CAR.
        ///
        /// - Parameters:
        ///   - bundle: The bundle.
        ///   - incarnation: The damaged upload; nil if the cluster lacks the bundle.
        /// - Throws: `catalogUnreachable`, `readOnly`.
        func giveUp(_ bundle: BlobName, _ incarnation: Int64?) async throws {
            try await run { transaction in
                if let incarnation {
                    try transaction.run(
                        """
                        UPDATE dagstore_blobs SET state = 2, touched_at = now()
                        WHERE name = $1 AND incarnation = $2 AND state = 1
                        """,
                        .bytes(bundle.bytes),
                        .integer(incarnation)
                    )
                }
                let live = try transaction.run(
                    "SELECT 1 FROM dagstore_blobs WHERE name = $1 AND state = 1",
                    .bytes(bundle.bytes)
                )
                // A node has made it again meanwhile.
                guard live.count == 0 else { return }
                let shards = try transaction.run(
                    """
                    SELECT number, reach FROM dagstore_shards
                    WHERE bundle = $1 AND state = 1 ORDER BY number LIMIT $2
                    """,
                    .bytes(bundle.bytes),
                    .integer(Self.mendersMax)
                )
                for row in 0..<shards.count {
                    let reach = try shards.optionalBytes(row, 1).map { SQLValue.bytes($0) } ?? .null
                    try Self.addMissingJob(.mend, shards.integer(row, 0), reach, transaction)
                }
            }
        }

        /// The most shards whose nodes try to make one bundle again.
        private static let mendersMax: Int64 = 64

        /// Ends the job of a bundle that a holder has uploaded again; nodes that wait for the bundle try at once.
        ///
        /// - Throws: `JobLost`; `catalogUnreachable`, also if the bundle was swept meanwhile.
        func finishMending(_ bundle: BlobName, _ job: JobLease) async throws {
            try await change("mend") { transaction in
                try Self.finish(job, transaction)
                try Blobs.keep(bundle, transaction)
                try transaction.run(
                    """
                    UPDATE dagstore_placements SET try_at = now() WHERE state = 0 AND shard IN (
                        SELECT number FROM dagstore_shards WHERE bundle = $1)
                    """,
                    .bytes(bundle.bytes)
                )
                return 0
            }
        }
    }
#endif
