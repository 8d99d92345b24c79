#if Cluster
    internal import DAGStorage
    internal import PostgreSQL
    internal import ShardIndex

    /// The runs of a cluster's inverse index.
    ///
    /// A publication adds the run of its shard. A merge replaces runs of one partition by one, and raises the number up
    /// to which the partition is merged. A run of a shard goes when all partitions have merged it.
    extension ClusterDatabase {
        /// The most runs of single shards that wait for merges; then publications wait.
        static let unmergedMax: Int64 = 256

        /// Adds the run of a shard inside the transaction that publishes the shard.
        ///
        /// The row of the cluster gives the numbers out, so runs become visible in the order of their numbers.
        ///
        /// - Returns: The number of the publication.
        /// - Throws: `quotaExceeded` while too many runs wait for merges.
        static func add(
            _ run: PublishedRun,
            of shard: UInt32,
            _ transaction: borrowing Transaction
        ) throws -> Int64 {
            try Blobs.keep(run.blob, transaction)
            let rows = try transaction.run(
                """
                UPDATE dagstore_cluster SET next_run = next_run + 1, runs_version = runs_version + 1
                WHERE one = 1 RETURNING next_run - 1
                """
            )
            let waiting = try checkedRoom(transaction)
            if waiting + 1 >= Int64(ClusterMergePolicy.levelZeroMax) {
                try transaction.run(
                    "UPDATE dagstore_jobs SET run_at = now() WHERE kind = $1 AND run_at > now()",
                    .integer(JobKind.merge.rawValue)
                )
            }
            try transaction.run(
                """
                INSERT INTO dagstore_runs (part, number, shard, blob, entries, size, directory)
                VALUES (-1, $1, $2, $3, $4, $5, $6)
                """,
                .integer(try rows.integer(0, 0)),
                .integer(Int64(shard)),
                .bytes(run.blob.bytes),
                .integer(Int64(run.entryCount)),
                .integer(Int64(run.size)),
                .bytes(run.directory)
            )
            return try rows.integer(0, 0)
        }

        /// Checks that a run may be published now, before a node uploads it.
        ///
        /// - Throws: `quotaExceeded` while too many runs wait for merges; `catalogUnreachable`.
        func checkRoomForRun() async throws {
            try await run(.repeatableRead) { transaction in
                _ = try Self.checkedRoom(transaction)
            }
        }

        /// Returns the number of runs that wait for merges.
        private static func checkedRoom(_ transaction: borrowing Transaction) throws -> Int64 {
            let waiting = try transaction.run(
                "SELECT count(*) FROM dagstore_runs WHERE part = -1 AND damaged = 0"
            ).integer(0, 0)
            guard waiting < unmergedMax else {
                throw DAGStoreError(
                    .quotaExceeded,
                    "\(unmergedMax) runs of the inverse index wait for a merge; try again"
                )
            }
            return waiting
        }

        /// Returns what changed in the runs since a version.
        ///
        /// - Parameters:
        ///   - version: The version that the caller knows; -1 for none.
        ///   - known: The runs that the caller knows, with their bytes: a restored database gives numbers away again.
        /// - Returns: The changes; nil if there are none.
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        func runs(
            after version: Int64,
            known: [RunNumber: BlobName]
        ) async throws -> RunChanges? {
            try await run(.repeatableRead) { transaction in
                let now = try transaction.run(
                    "SELECT runs_version FROM dagstore_cluster WHERE one = 1"
                )
                guard now.count == 1 else {
                    throw DAGStoreError(.catalogCorrupt, "the cluster has no row")
                }
                var changes = RunChanges(version: try now.integer(0, 0))
                guard changes.version != version else { return nil }
                let names = try transaction.run(
                    "SELECT part, number, damaged, blob FROM dagstore_runs"
                )
                var wanted: Set<RunNumber> = []
                for row in 0..<names.count {
                    let run = RunNumber(
                        part: try names.integer(row, 0),
                        number: try names.integer(row, 1)
                    )
                    changes.present.insert(run)
                    if try names.integer(row, 2) != 0 { changes.damaged.insert(run) }
                    if try known[run]?.bytes != names.bytes(row, 3) { wanted.insert(run) }
                }
                try Self.readRuns(wanted, into: &changes, transaction)
                let marks = try transaction.run(
                    "SELECT part, merged_through FROM dagstore_partitions ORDER BY part"
                )
                for row in 0..<marks.count {
                    guard try marks.integer(row, 0) == Int64(row) else {
                        throw DAGStoreError(.catalogCorrupt, "the cluster lacks partition \(row)")
                    }
                    changes.mergedThrough.append(try marks.integer(row, 1))
                }
                return changes
            }
        }

        /// The runs that one statement reads.
        private static let runsAtOnce = 64

        /// Reads runs, many at once.
        private static func readRuns(
            _ wanted: Set<RunNumber>,
            into changes: inout RunChanges,
            _ transaction: borrowing Transaction
        ) throws {
            for (part, runs) in Dictionary(grouping: wanted, by: \.part) {
                var rest = runs.map(\.number).sorted()[...]
                while !rest.isEmpty {
                    let some = rest.prefix(runsAtOnce)
                    rest = rest.dropFirst(runsAtOnce)
                    let rows = try transaction.run(
                        """
                        SELECT \(ClusterRun.columns) FROM dagstore_runs
                        WHERE part = $1 AND number = ANY ($2)
                        """,
                        .integer(part),
                        .integers(Array(some))
                    )
                    for row in 0..<rows.count {
                        do {
                            changes.added.append(try ClusterRun(rows, row))
                        } catch let error as DAGStoreError where error.code == .catalogCorrupt {
                            changes.unreadable.insert(part)
                        }
                    }
                }
            }
        }

        /// Returns the runs that concern a partition.
        ///
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        func mergeState(of part: Int64) async throws -> MergeState {
            try await run(.repeatableRead) { transaction in
                var state = MergeState()
                let marks = try transaction.run(
                    "SELECT merged_through FROM dagstore_partitions WHERE part = $1",
                    .integer(part)
                )
                guard marks.count == 1 else {
                    throw DAGStoreError(.catalogCorrupt, "the cluster lacks partition \(part)")
                }
                let rows = try transaction.run(
                    """
                    SELECT \(ClusterRun.columns) FROM dagstore_runs
                    WHERE part = $1 OR (part = -1 AND number > $2 AND damaged = 0)
                    ORDER BY part, number
                    """,
                    .integer(part),
                    .integer(try marks.integer(0, 0))
                )
                for row in 0..<rows.count {
                    guard try rows.integer(row, 7) == 0 else {
                        // A merged run covers a range of publications, so only newer ones are merged with each other.
                        state.merged = []
                        continue
                    }
                    do {
                        let run = try ClusterRun(rows, row)
                        if run.number.part < 0 {
                            state.levelZero.append(run)
                        } else {
                            state.merged.append(run)
                        }
                    } catch let error as DAGStoreError where error.code == .catalogCorrupt {
                        let number = RunNumber(
                            part: try rows.integer(row, 0),
                            number: try rows.integer(row, 1)
                        )
                        // It becomes a damaged one.
                        if number.part >= 0 { state.merged = [] }
                        state.unreadable.append(number)
                    }
                }
                return state
            }
        }

        /// Returns the numbers of all shards.
        ///
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        func shardNumbers() async throws -> Set<UInt32> {
            try await run(.repeatableRead) { transaction in
                let rows = try transaction.run("SELECT number FROM dagstore_shards")
                var numbers: Set<UInt32> = []
                for row in 0..<rows.count {
                    numbers.insert(UInt32(try rows.count(row, 0, 0...ClusterShard.numberMax)))
                }
                return numbers
            }
        }

        /// Replaces runs of a partition by one, and ends the job for now.
        ///
        /// - Parameters:
        ///   - merged: The merged runs to replace.
        ///   - result: The new run; nil if it would have no entries.
        ///   - through: The last publication that the partition has merged then.
        ///   - job: The job `merge` of the partition.
        /// - Throws: `JobLost` if another worker has the job; `catalogUnreachable`, also if a blob was swept.
        func publishMerge(
            of merged: [RunNumber],
            into result: PublishedRun?,
            through: Int64,
            _ job: JobLease
        ) async throws {
            try await change("merge") { transaction in
                try Self.confirm(job, transaction)
                for run in merged {
                    let count = try transaction.run(
                        "DELETE FROM dagstore_runs WHERE part = $1 AND number = $2",
                        .integer(run.part),
                        .integer(run.number)
                    ).changeCount
                    guard count == 1 else { throw JobLost() }
                }
                if let result {
                    try Blobs.keep(result.blob, transaction)
                    try transaction.run(
                        """
                        INSERT INTO dagstore_runs
                            (part, number, shard, blob, entries, size, directory)
                        VALUES ($1, $2, 0, $3, $4, $5, $6)
                        """,
                        .integer(job.subject),
                        .integer(through),
                        .bytes(result.blob.bytes),
                        .integer(Int64(result.entryCount)),
                        .integer(Int64(result.size)),
                        .bytes(result.directory)
                    )
                }
                try transaction.run(
                    "UPDATE dagstore_partitions SET merged_through = $2 WHERE part = $1",
                    .integer(job.subject),
                    .integer(through)
                )
                try transaction.run(
                    """
                    DELETE FROM dagstore_runs WHERE part = -1 AND damaged = 0
                        AND number <= (SELECT min(merged_through) FROM dagstore_partitions)
                    """
                )
                try Self.changeRunsVersion(transaction)
                return 0
            }
        }
    }

    /// The number of a run.
    struct RunNumber: Hashable, Sendable {
        /// The partition; -1 for the run of one shard.
        let part: Int64
        /// The last publication that the run has.
        let number: Int64
    }

    /// A run of a cluster's inverse index.
    ///
    /// *Concurrency*: immutable. Look-ups copy one reference of it.
    final class ClusterRun: Sendable {
        /// Its number.
        let number: RunNumber
        /// The shard, of a run of one shard.
        let shard: UInt32
        /// Its bytes.
        let blob: BlobName
        /// The number of entries.
        let entryCount: UInt64
        /// The places of its chunks.
        let directory: ChunkDirectory

        static let columns = "part, number, shard, blob, entries, size, directory, damaged"

        /// Reads the columns of `ClusterRun.columns`.
        ///
        /// - Throws: `catalogCorrupt` if a value is impossible.
        init(_ rows: Rows, _ row: Int) throws {
            let part = try rows.integer(row, 0)
            guard part >= -1, part < 1 << Int64(ClusterFacts.partitionBitsMax) else {
                throw DAGStoreError(.catalogCorrupt, "a run of partition \(part)")
            }
            number = RunNumber(part: part, number: Int64(try rows.count(row, 1)))
            shard = UInt32(try rows.count(row, 2, 0...ClusterShard.numberMax))
            blob = try BlobName(rows.bytes(row, 3))
            entryCount = UInt64(try rows.count(row, 4))
            let encoded = try rows.bytes(row, 6)
            do throws(ShardIndexError) {
                directory = try ChunkDirectory(reading: encoded)
            } catch {
                throw DAGStoreError(.catalogCorrupt, "the directory of a run: \(error.detail)")
            }
            guard UInt64(try rows.count(row, 5)) == directory.totalSize else {
                throw DAGStoreError(.catalogCorrupt, "a run has another size than its chunks")
            }
        }
    }

    /// The changes of the runs since a version.
    struct RunChanges: Sendable {
        /// The version of the runs.
        let version: Int64
        /// All runs.
        var present: Set<RunNumber> = []
        /// Those that the caller did not know.
        var added: [ClusterRun] = []
        /// Those whose entries are written again.
        var damaged: Set<RunNumber> = []
        /// The partitions with runs that cannot be read; -1 for the run of a shard.
        var unreadable: Set<Int64> = []
        /// For each partition the last publication that is merged.
        var mergedThrough: [Int64] = []

        init(version: Int64) { self.version = version }
    }

    /// The runs from which a merge of one partition chooses.
    struct MergeState: Sendable {
        /// The runs of single shards that the partition has not merged, in order.
        var levelZero: [ClusterRun] = []
        /// The merged runs of the partition after the last damaged one, the oldest first.
        var merged: [ClusterRun] = []
        /// The runs whose rows cannot be read.
        var unreadable: [RunNumber] = []
    }
#endif
