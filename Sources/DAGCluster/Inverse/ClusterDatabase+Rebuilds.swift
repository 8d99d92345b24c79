#if Cluster
    internal import DAGStorage
    internal import PostgreSQL

    /// Runs of the inverse index whose bytes are damaged.
    ///
    /// Merges leave such a run out. Look-ups go on reading it: a hit in a sound chunk counts, and a damaged chunk is an
    /// error, never "not here". Meanwhile nodes write the entries of its shards again, from their copies. The run goes
    /// with the last of them.
    extension ClusterDatabase {
        /// The longest time of a statement over all shards.
        private static let patienceOfRebuilds = Duration.seconds(600)

        /// Marks a run as damaged, and adds jobs that write the entries of its shards again.
        ///
        /// A merged run has entries of the publications after the run before it. Shards whose entries have several
        /// publications count as its shards, too.
        ///
        /// - Parameters:
        ///   - run: The run.
        ///   - blob: The name of its bytes; nil if the row of the run cannot be read.
        /// - Returns: Whether the run was sound before.
        /// - Throws: `catalogUnreachable`, `readOnly`.
        @discardableResult
        func markDamaged(_ run: RunNumber, _ blob: BlobName?) async throws -> Bool {
            try await self.run(within: Self.patienceOfRebuilds) { transaction in
                // The usual limit of a session is shorter.
                let limit = Self.patienceOfRebuilds.components.seconds * 1000
                try transaction.run("SET LOCAL statement_timeout = \(limit)")
                let (part, number) = (SQLValue.integer(run.part), SQLValue.integer(run.number))
                let count = try transaction.run(
                    """
                    UPDATE dagstore_runs SET damaged = 1
                    WHERE part = $1 AND number = $2 AND damaged = 0
                        AND (CAST($3 AS bytea) IS NULL OR blob = $3)
                    """,
                    part,
                    number,
                    blob.map { .bytes($0.bytes) } ?? .null
                ).changeCount
                guard count == 1 else { return false }
                if run.part < 0 {
                    try transaction.run(
                        """
                        INSERT INTO dagstore_rebuilds (part, number, shard)
                        SELECT r.part, r.number, r.shard FROM dagstore_runs r
                        JOIN dagstore_shards s ON s.number = r.shard
                        WHERE r.part = $1 AND r.number = $2 AND s.state = 1 AND s.multihashes > 0
                        """,
                        part,
                        number
                    )
                } else {
                    try transaction.run(
                        """
                        INSERT INTO dagstore_rebuilds (part, number, shard)
                        SELECT CAST($1 AS bigint), CAST($2 AS bigint), number FROM dagstore_shards
                        WHERE state = 1 AND multihashes > 0 AND (published = 0
                            OR published <= $2 AND published > (
                                SELECT coalesce(max(number), 0) FROM dagstore_runs
                                WHERE part = $1 AND number < $2))
                        """,
                        part,
                        number
                    )
                }
                try transaction.run(
                    """
                    INSERT INTO dagstore_jobs
                        (kind, subject, reach, epoch, attempts, run_at, lease_until)
                    SELECT CAST($3 AS bigint), shard, NULL, 0, 0, now(), now()
                    FROM dagstore_rebuilds WHERE part = $1 AND number = $2
                    ON CONFLICT (kind, subject) DO NOTHING
                    """,
                    part,
                    number,
                    .integer(JobKind.rebuild.rawValue)
                )
                try Self.removeRebuiltRuns(transaction)
                try Self.changeRunsVersion(transaction)
                return true
            }
        }

        /// Returns the damaged runs that have entries of a shard.
        ///
        /// - Throws: `catalogUnreachable`.
        func damagedRuns(of shard: UInt32) async throws -> [RunNumber] {
            try await run(.repeatableRead) { transaction in
                let rows = try transaction.run(
                    "SELECT part, number FROM dagstore_rebuilds WHERE shard = $1 ORDER BY part, number",
                    .integer(Int64(shard))
                )
                return try (0..<rows.count).map { row in
                    RunNumber(part: try rows.integer(row, 0), number: try rows.integer(row, 1))
                }
            }
        }

        /// Publishes entries of a shard again, and removes each damaged run whose last shard this is.
        ///
        /// - Parameters:
        ///   - runs: The new runs: one with all entries, or one for each partition.
        ///   - isComplete: Whether the run has all entries of the shard.
        ///   - shard: The shard.
        ///   - damaged: The damaged runs whose entries of the shard are in the new ones.
        ///   - job: The job `rebuild` of the shard.
        /// - Throws: `JobLost`, also if the shard has changed; `quotaExceeded` while too many runs wait for merges;
        ///   `catalogUnreachable`.
        func publishRebuilt(
            _ runs: [PublishedRun],
            isComplete: Bool,
            of shard: ClusterShard,
            for damaged: [RunNumber],
            _ job: JobLease
        ) async throws {
            try await change("rebuild") { transaction in
                try Self.finish(job, transaction)
                // 0: several publications have the entries.
                var published: Int64 = 0
                for run in runs {
                    let number = try Self.add(run, of: shard.number, transaction)
                    if isComplete { published = number }
                }
                let count = try transaction.run(
                    """
                    UPDATE dagstore_shards SET published = $3
                    WHERE number = $1 AND state = 1 AND epoch = $2
                    """,
                    .integer(Int64(shard.number)),
                    .integer(shard.epoch),
                    .integer(published)
                ).changeCount
                guard count == 1 else { throw JobLost() }
                for run in damaged {
                    try transaction.run(
                        """
                        DELETE FROM dagstore_rebuilds
                        WHERE part = $1 AND number = $2 AND shard = $3
                        """,
                        .integer(run.part),
                        .integer(run.number),
                        .integer(Int64(shard.number))
                    )
                }
                let rest = try transaction.run(
                    "SELECT count(*) FROM dagstore_rebuilds WHERE shard = $1",
                    .integer(Int64(shard.number))
                )
                // Another run was found damaged meanwhile.
                if try rest.integer(0, 0) > 0 {
                    try Self.addMissingJob(
                        .rebuild,
                        Int64(shard.number),
                        .null,
                        transaction
                    )
                }
                try Self.removeRebuiltRuns(transaction)
                try Self.changeRunsVersion(transaction)
                return 0
            }
        }

        /// Ends a job whose shard is gone or has no index, with what damaged runs have of it.
        ///
        /// - Throws: `JobLost`; `catalogUnreachable`.
        func removeRebuilds(_ job: JobLease) async throws {
            try await change("rebuild") { transaction in
                try Self.finish(job, transaction)
                try Self.removeRebuilds(of: job.subject, transaction)
                return 0
            }
        }

        /// Removes what a shard that is gone has in damaged runs.
        static func removeRebuilds(of shard: Int64, _ transaction: borrowing Transaction) throws {
            let count = try transaction.run(
                "DELETE FROM dagstore_rebuilds WHERE shard = $1",
                .integer(shard)
            ).changeCount
            guard count > 0 else { return }
            try removeRebuiltRuns(transaction)
            try changeRunsVersion(transaction)
        }

        /// Removes the damaged runs whose entries other runs have.
        private static func removeRebuiltRuns(_ transaction: borrowing Transaction) throws {
            try transaction.run(
                """
                DELETE FROM dagstore_runs WHERE damaged = 1 AND NOT EXISTS (
                    SELECT 1 FROM dagstore_rebuilds b
                    WHERE b.part = dagstore_runs.part AND b.number = dagstore_runs.number)
                """
            )
        }

        /// Tells all look-ups that the runs have changed.
        static func changeRunsVersion(_ transaction: borrowing Transaction) throws {
            try transaction.run(
                "UPDATE dagstore_cluster SET runs_version = runs_version + 1 WHERE one = 1"
            )
        }
    }
#endif
