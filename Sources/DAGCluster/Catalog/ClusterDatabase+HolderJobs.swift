#if Cluster
    internal import DAGStorage
    internal import PostgreSQL

    /// Jobs that a node does from its own copy of a shard.
    extension ClusterDatabase {
        /// The failed claims after which a node without a copy may take a job, too.
        private static let attemptsOfHolders: Int64 = 3

        /// Adds a job unless it is there.
        static func addMissingJob(
            _ kind: JobKind,
            _ subject: Int64,
            _ reach: SQLValue = .null,
            _ transaction: borrowing Transaction
        ) throws {
            try transaction.run(
                """
                INSERT INTO dagstore_jobs (kind, subject, reach, epoch, attempts, run_at, lease_until)
                VALUES ($1, $2, $3, 0, 0, now(), now())
                ON CONFLICT (kind, subject) DO NOTHING
                """,
                .integer(kind.rawValue),
                .integer(subject),
                reach
            )
        }

        /// Removes all jobs of a shard that is gone.
        static func removeJobs(of shard: Int64, _ transaction: borrowing Transaction) throws {
            try transaction.run(
                "DELETE FROM dagstore_jobs WHERE kind = ANY ($1) AND subject = $2",
                .integers(JobKind.ofShards.map(\.rawValue)),
                .integer(shard)
            )
        }

        /// Takes a due job about a shard that the node holds, also while it drains.
        ///
        /// - Parameters:
        ///   - kind: The kind of job.
        ///   - node: The node of the worker.
        ///   - time: How long the worker has the job.
        ///   - deadAfter: The silence after which a holder counts as dead; nil to leave the job to holders. Without a
        ///     living holder, or after some failures, any active node that reaches the mount gets the job. So does the
        ///     one node that reaches the mount of a move.
        /// - Returns: The job; nil if none is due.
        /// - Throws: `catalogUnreachable`.
        func claimForHolder(
            _ kind: JobKind,
            for node: [UInt8],
            lease time: Duration,
            deadAfter: Duration?
        ) async throws -> JobLease? {
            try await run(.repeatableRead) { transaction in
                let due = try transaction.run(
                    """
                    SELECT j.subject FROM dagstore_jobs j
                    WHERE j.kind = $1 AND j.run_at <= now() AND j.lease_until <= now()
                        AND ((j.reach IS NULL OR j.reach = $2 OR j.kind <> $3)
                        AND EXISTS (SELECT 1 FROM dagstore_placements p
                            WHERE p.node = $2 AND p.shard = j.subject AND p.state = 1)
                        OR CAST($4 AS bigint) >= 0 AND (j.reach IS NULL OR j.reach = $2)
                        AND NOT EXISTS (SELECT 1 FROM dagstore_nodes WHERE id = $2 AND state <> 0)
                        AND (j.kind = $3 AND j.reach = $2 OR j.attempts >= $5 OR NOT EXISTS (
                            SELECT 1 FROM dagstore_placements p JOIN dagstore_nodes n ON n.id = p.node
                            WHERE p.shard = j.subject AND p.state = 1 AND n.state <> 2
                                AND n.seen_at > now() - CAST($4 AS bigint) * interval '1 millisecond')))
                    ORDER BY j.run_at LIMIT 1 FOR UPDATE SKIP LOCKED
                    """,
                    .integer(kind.rawValue),
                    .bytes(node),
                    .integer(JobKind.move.rawValue),
                    .integer(deadAfter?.milliseconds ?? -1),
                    .integer(Self.attemptsOfHolders)
                )
                guard due.count == 1 else { return nil }
                return try Self.take(kind, due.integer(0, 0), node, lease: time, transaction)
            }
        }
    }
#endif
