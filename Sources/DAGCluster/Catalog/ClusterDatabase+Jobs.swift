#if Cluster
    internal import DAGStorage
    internal import PostgreSQL

    /// The kinds of jobs.
    package enum JobKind: Int64, Sendable, CaseIterable {
        /// Index a shard; the subject is its number.
        case index = 1
        /// Choose the nodes of shards; there is one such job.
        case place = 2
        /// Merge runs of the inverse index; the subject is the partition.
        case merge = 3
        /// Delete what no row names; there is one such job.
        case sweep = 4
        /// Make a damaged bundle again; the subject is the shard.
        case mend = 5
        /// Write the entries of a damaged run again; the subject is the shard.
        case rebuild = 6
        /// Compare the source at another mount with the index; the subject is the shard.
        case move = 7

        /// The kinds whose subject is a shard.
        static let ofShards: [JobKind] = [.index, .mend, .rebuild, .move]

        /// The word for people and JSON.
        package var name: String { String(describing: self) }
    }

    /// The numbers of jobs of one kind.
    package struct JobCounts: Sendable, Equatable {
        /// The kind.
        package let kind: JobKind
        /// The jobs that a node works on.
        package let running: Int
        /// The jobs that are due, and that no node works on.
        package let waiting: Int
        /// The jobs that are not due yet, such as those that repeat.
        package let resting: Int
    }

    /// A job that this process has for a while.
    ///
    /// The database knows the job's epoch. Each claim raises it, so a worker whose lease ran out can publish nothing.
    struct JobLease: Sendable, Equatable {
        /// The kind.
        let kind: JobKind
        /// The subject of the kind.
        let subject: Int64
        /// The number of the claim.
        let epoch: Int64
        /// The number of claims since the job was added.
        let attempts: Int64
    }

    /// The error of a worker whose job another worker has.
    struct JobLost: Error {}

    /// The jobs of a cluster.
    extension ClusterDatabase {
        /// Returns how many jobs of each kind there are; no kind without jobs.
        ///
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        package func jobCounts() async throws -> [JobCounts] {
            try await run(.repeatableRead) { transaction in
                let rows = try transaction.run(
                    """
                    SELECT kind,
                        CAST(sum(CASE WHEN holder IS NOT NULL AND lease_until > now()
                            THEN 1 ELSE 0 END) AS bigint),
                        CAST(sum(CASE WHEN run_at <= now() THEN 1 ELSE 0 END) AS bigint),
                        count(*)
                    FROM dagstore_jobs GROUP BY kind ORDER BY kind
                    """
                )
                return try (0..<rows.count).map { row in
                    guard let kind = JobKind(rawValue: try rows.integer(row, 0)) else {
                        throw DAGStoreError(.catalogCorrupt, "the database has an impossible job")
                    }
                    let running = try rows.count(row, 1)
                    let due = try rows.count(row, 2)
                    return JobCounts(
                        kind: kind,
                        running: running,
                        waiting: max(0, due - running),
                        resting: try rows.count(row, 3) - due
                    )
                }
            }
        }

        /// Adds a job, or makes a present one due.
        static func addJob(
            _ kind: JobKind,
            _ subject: Int64,
            _ reach: SQLValue = .null,
            _ transaction: borrowing Transaction
        ) throws {
            try transaction.run(
                """
                INSERT INTO dagstore_jobs (kind, subject, reach, epoch, attempts, run_at, lease_until)
                VALUES ($1, $2, $3, 0, 0, now(), now())
                ON CONFLICT (kind, subject) DO UPDATE SET epoch = dagstore_jobs.epoch + 1,
                    attempts = 0, reach = excluded.reach, run_at = now(), lease_until = now()
                """,
                .integer(kind.rawValue),
                .integer(subject),
                reach
            )
        }

        /// Takes a due job that no worker has; a node that drains gets none.
        ///
        /// If the answer is lost, the lease runs out, and some worker takes the job again.
        ///
        /// - Parameters:
        ///   - kind: The kind of job.
        ///   - subject: The subject; nil for any.
        ///   - node: The node of the worker.
        ///   - time: How long the worker has the job.
        /// - Returns: The job; nil if none is due.
        /// - Throws: `catalogUnreachable`.
        func claim(
            _ kind: JobKind,
            of subject: Int64? = nil,
            for node: [UInt8],
            lease time: Duration
        ) async throws -> JobLease? {
            try await run(.repeatableRead) { transaction in
                let due = try transaction.run(
                    """
                    SELECT subject FROM dagstore_jobs
                    WHERE kind = $1 AND run_at <= now() AND lease_until <= now()
                        AND (reach IS NULL OR reach = $2)
                        AND subject >= $3 AND subject <= $4
                        AND NOT EXISTS (SELECT 1 FROM dagstore_nodes WHERE id = $2 AND state <> 0)
                    ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED
                    """,
                    .integer(kind.rawValue),
                    .bytes(node),
                    .integer(subject ?? 0),
                    .integer(subject ?? .max)
                )
                guard due.count == 1 else { return nil }
                return try Self.take(kind, due.integer(0, 0), node, lease: time, transaction)
            }
        }

        /// Gives a worker a job that no other has.
        static func take(
            _ kind: JobKind,
            _ subject: Int64,
            _ node: [UInt8],
            lease time: Duration,
            _ transaction: borrowing Transaction
        ) throws -> JobLease? {
            let rows = try transaction.run(
                """
                UPDATE dagstore_jobs SET epoch = epoch + 1, attempts = attempts + 1, holder = $3,
                    lease_until = now() + CAST($4 AS bigint) * interval '1 millisecond'
                WHERE kind = $1 AND subject = $2 RETURNING epoch, attempts
                """,
                .integer(kind.rawValue),
                .integer(subject),
                .bytes(node),
                .integer(time.milliseconds)
            )
            guard rows.count == 1 else { return nil }
            return JobLease(
                kind: kind,
                subject: subject,
                epoch: try rows.integer(0, 0),
                attempts: try rows.integer(0, 1)
            )
        }

        /// Keeps a job for longer.
        ///
        /// - Throws: `JobLost`; `catalogUnreachable`.
        func renew(_ job: JobLease, lease time: Duration) async throws {
            try await run(.repeatableRead) { transaction in
                let count = try transaction.run(
                    """
                    UPDATE dagstore_jobs
                    SET lease_until = now() + CAST($4 AS bigint) * interval '1 millisecond'
                    WHERE kind = $1 AND subject = $2 AND epoch = $3
                    """,
                    .integer(job.kind.rawValue),
                    .integer(job.subject),
                    .integer(job.epoch),
                    .integer(time.milliseconds)
                ).changeCount
                guard count == 1 else { throw JobLost() }
            }
        }

        /// Gives a job back, to run again after a while; without effect if another worker has it.
        ///
        /// - Parameters:
        ///   - job: The job.
        ///   - time: The time until it runs again.
        ///   - isFault: Whether the claim counts among those that failed.
        /// - Throws: `catalogUnreachable`.
        func release(
            _ job: JobLease,
            runAgainIn time: Duration,
            isFault: Bool = false
        ) async throws {
            try await run { transaction in
                try transaction.run(
                    """
                    UPDATE dagstore_jobs SET epoch = epoch + 1, holder = NULL, lease_until = now(),
                        attempts = attempts - $5,
                        run_at = now() + CAST($4 AS bigint) * interval '1 millisecond'
                    WHERE kind = $1 AND subject = $2 AND epoch = $3
                    """,
                    .integer(job.kind.rawValue),
                    .integer(job.subject),
                    .integer(job.epoch),
                    .integer(time.milliseconds),
                    .integer(isFault ? 0 : 1)
                )
                return
            }
        }

        /// Ends a job inside the transaction that publishes its result.
        ///
        /// - Throws: `JobLost` if another worker has the job, so that the transaction changes nothing.
        static func finish(_ job: JobLease, _ transaction: borrowing Transaction) throws {
            let count = try transaction.run(
                "DELETE FROM dagstore_jobs WHERE kind = $1 AND subject = $2 AND epoch = $3",
                .integer(job.kind.rawValue),
                .integer(job.subject),
                .integer(job.epoch)
            ).changeCount
            guard count == 1 else { throw JobLost() }
        }

        /// Checks inside a transaction that this worker still has the job.
        ///
        /// - Throws: `JobLost`.
        static func confirm(_ job: JobLease, _ transaction: borrowing Transaction) throws {
            // A change of the row excludes a claim at the same time.
            let count = try transaction.run(
                """
                UPDATE dagstore_jobs SET epoch = epoch
                WHERE kind = $1 AND subject = $2 AND epoch = $3
                """,
                .integer(job.kind.rawValue),
                .integer(job.subject),
                .integer(job.epoch)
            ).changeCount
            guard count == 1 else { throw JobLost() }
        }
    }
#endif
