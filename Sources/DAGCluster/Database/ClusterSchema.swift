#if Cluster
    internal import DAGStorage
    internal import PostgreSQL

    /// The tables of a cluster, by version.
    ///
    /// Each version is a row of `dagstore_versions`, and one transaction makes the row and the tables. A version names
    /// the least version of programs that may still use the database, so that old and new nodes run side by side.
    enum ClusterSchema {
        /// One step from a version to the next.
        struct Step: Sendable {
            /// The version after the step.
            let version: Int64
            /// The least version of programs that may use the database after the step.
            let least: Int64
            /// The statements, in order.
            let statements: [String]
        }

        /// All steps, in order.
        static let steps = [
            Step(version: 1, least: 1, statements: first),
            // Programs of version 1 look for all bytes in the database. A cluster with its bytes elsewhere raises
            // `least`.
            Step(version: objectsVersion, least: 1, statements: mending),
        ]

        /// The first version whose programs know clusters with bytes in an object store.
        static let objectsVersion: Int64 = 2

        /// The version that this program makes and reads.
        static var version: Int64 { steps.last?.version ?? 0 }

        /// The table that says which other tables there are.
        static let versions = """
            CREATE TABLE IF NOT EXISTS dagstore_versions (
                version bigint PRIMARY KEY,
                least bigint NOT NULL,
                made_at timestamptz NOT NULL)
            """

        /// The tables of version 1.
        private static let first = [
            """
            CREATE TABLE dagstore_requests (
                id bytea PRIMARY KEY,
                kind text NOT NULL,
                outcome bigint NOT NULL,
                made_at timestamptz NOT NULL)
            """,
            "CREATE INDEX dagstore_requests_age ON dagstore_requests (made_at)",
            // `one` keeps it at one row. `next_shard` and `next_run` are numbers to give away; `runs_version` changes
            // with the runs.
            """
            CREATE TABLE dagstore_cluster (
                one bigint PRIMARY KEY CHECK (one = 1),
                id bytea NOT NULL,
                hash_key bytea NOT NULL,
                copies bigint NOT NULL,
                partition_bits bigint NOT NULL,
                objects text NOT NULL,
                next_shard bigint NOT NULL,
                next_run bigint NOT NULL,
                runs_version bigint NOT NULL,
                made_at timestamptz NOT NULL)
            """,
            // A row of its own, so that publications and placing do not meet.
            """
            CREATE TABLE dagstore_placing (
                one bigint PRIMARY KEY CHECK (one = 1),
                placed_for bytea NOT NULL,
                placing_from bigint NOT NULL)
            """,
            """
            CREATE TABLE dagstore_nodes (
                id bytea PRIMARY KEY,
                incarnation bigint NOT NULL,
                name text NOT NULL,
                url text NOT NULL,
                capacity bigint NOT NULL,
                state bigint NOT NULL,
                release text NOT NULL,
                joined_at timestamptz NOT NULL,
                seen_at timestamptz NOT NULL)
            """,
            // `reach` is the one node that reaches the mount, NULL if all do. `settled` is 0 where placements
            // are due.
            """
            CREATE TABLE dagstore_shards (
                number bigint PRIMARY KEY,
                key text NOT NULL,
                mount text NOT NULL,
                policy bigint NOT NULL,
                reach bytea,
                state bigint NOT NULL,
                epoch bigint NOT NULL,
                settled bigint NOT NULL,
                bundle bytea,
                bundle_size bigint NOT NULL,
                source_size bigint NOT NULL,
                blocks bigint NOT NULL,
                multihashes bigint NOT NULL,
                bytes bigint NOT NULL,
                roots bigint NOT NULL,
                error_code bigint NOT NULL,
                error text NOT NULL,
                made_at timestamptz NOT NULL)
            """,
            "CREATE UNIQUE INDEX dagstore_shards_key ON dagstore_shards (key)",
            "CREATE INDEX dagstore_shards_settled ON dagstore_shards (settled, number)",
            "CREATE INDEX dagstore_shards_bundle ON dagstore_shards (bundle)",
            """
            CREATE TABLE dagstore_placements (
                node bytea NOT NULL,
                shard bigint NOT NULL,
                key text NOT NULL,
                mount text NOT NULL,
                state bigint NOT NULL,
                error_code bigint NOT NULL,
                error text NOT NULL,
                try_at timestamptz NOT NULL,
                PRIMARY KEY (node, shard))
            """,
            "CREATE INDEX dagstore_placements_shard ON dagstore_placements (shard)",
            "CREATE INDEX dagstore_placements_state ON dagstore_placements (node, state, shard)",
            "CREATE INDEX dagstore_placements_key ON dagstore_placements (node, key)",
            """
            CREATE TABLE dagstore_jobs (
                kind bigint NOT NULL,
                subject bigint NOT NULL,
                reach bytea,
                epoch bigint NOT NULL,
                holder bytea,
                attempts bigint NOT NULL,
                run_at timestamptz NOT NULL,
                lease_until timestamptz NOT NULL,
                PRIMARY KEY (kind, subject))
            """,
            "CREATE INDEX dagstore_jobs_due ON dagstore_jobs (kind, run_at)",
            """
            CREATE TABLE dagstore_blobs (
                name bytea PRIMARY KEY,
                incarnation bigint NOT NULL,
                state bigint NOT NULL,
                size bigint NOT NULL,
                touched_at timestamptz NOT NULL)
            """,
            """
            CREATE TABLE dagstore_blob_parts (
                name bytea NOT NULL,
                incarnation bigint NOT NULL,
                start bigint NOT NULL,
                bytes bytea NOT NULL,
                PRIMARY KEY (name, incarnation, start))
            """,
            // `part` is -1 for the run of one shard, and `number` that of its publication. Else `part` is the
            // partition, and `number` that of the last publication that the merged run has.
            """
            CREATE TABLE dagstore_runs (
                part bigint NOT NULL,
                number bigint NOT NULL,
                shard bigint NOT NULL,
                blob bytea NOT NULL,
                entries bigint NOT NULL,
                size bigint NOT NULL,
                directory bytea NOT NULL,
                PRIMARY KEY (part, number))
            """,
            "CREATE INDEX dagstore_runs_blob ON dagstore_runs (blob)",
            """
            CREATE TABLE dagstore_partitions (
                part bigint PRIMARY KEY,
                merged_through bigint NOT NULL)
            """,
        ]

        /// Brings the tables to the version of this program.
        ///
        /// - Parameters:
        ///   - database: The database.
        ///   - isNewAllowed: Whether to make the tables of a database without any.
        ///   - steps: The steps that this program knows.
        /// - Throws: `invalidArgument` if there are no tables and none may be made; `catalogTooNew` if only newer
        ///   programs may use the database; `catalogUnreachable`, `readOnly`.
        static func upgrade(
            _ database: ClusterDatabase,
            isNewAllowed: Bool,
            _ steps: [Step] = ClusterSchema.steps
        ) async throws {
            if isNewAllowed { try await makeVersions(database) }
            for step in steps {
                try await database.run { transaction in
                    let present = try self.present(transaction)
                    try checkAge(present, steps)
                    guard present.version < step.version, isNewAllowed || present.version > 0 else {
                        return
                    }
                    // Of two nodes at once, one writes the row, and the other then finds it.
                    let isFirst =
                        try transaction.run(
                            """
                            INSERT INTO dagstore_versions (version, least, made_at)
                            VALUES ($1, $2, now()) ON CONFLICT (version) DO NOTHING
                            """,
                            .integer(step.version),
                            .integer(step.least)
                        ).changeCount == 1
                    guard isFirst else { return }
                    for statement in step.statements { try transaction.run(statement) }
                }
            }
        }

        /// Makes the table of versions, unless it is there.
        private static func makeVersions(_ database: ClusterDatabase) async throws {
            do {
                _ = try await database.run { try $0.run(versions).count }
            } catch let error as DAGStoreError where error.code == .catalogCorrupt {
                // Of two programs at once, the server fails one, in spite of IF NOT EXISTS.
                _ = try await database.run { try $0.run(versions).count }
            }
        }

        private static func present(
            _ transaction: borrowing Transaction
        ) throws -> (version: Int64, least: Int64) {
            let rows = try transaction.run(
                """
                SELECT coalesce(max(version), 0), coalesce(max(least), 0) FROM dagstore_versions
                """
            )
            return (try rows.integer(0, 0), try rows.integer(0, 1))
        }

        private static func checkAge(
            _ present: (version: Int64, least: Int64),
            _ steps: [Step]
        ) throws {
            let own = steps.last?.version ?? 0
            guard present.least <= own else {
                throw DAGStoreError(
                    .catalogTooNew,
                    "the tables of the cluster have version \(present.version) and need programs of "
                        + "version \(present.least); this one has \(own)"
                )
            }
        }
    }
#endif
