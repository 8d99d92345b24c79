#if Cluster
    internal import DAGStorage
    internal import PostgreSQL

    /// The making and opening of a cluster.
    extension ClusterDatabase {
        /// Makes a cluster in a database that has none.
        ///
        /// - Parameter facts: The facts of the cluster.
        /// - Throws: `invalidArgument` if the database has a cluster; `invalidConfiguration` if the object store of
        ///   the facts cannot be used; `catalogTooNew`, `catalogUnreachable`, `catalogFull`, `readOnly`.
        package func create(_ facts: ClusterFacts) async throws {
            // A refused call leaves nothing in the object store.
            if let present = try await presentCluster() { throw Self.exists(present) }
            try await facts.checkByteStore(self)
            try await ClusterSchema.upgrade(self, isNewAllowed: true)
            try await change("init") { transaction in
                let present = try transaction.run("SELECT id FROM dagstore_cluster WHERE one = 1")
                guard present.count == 0 else { throw Self.exists(try present.bytes(0, 0)) }
                try transaction.run(
                    """
                    INSERT INTO dagstore_cluster (one, id, hash_key, copies, partition_bits, objects,
                        next_shard, next_run, runs_version, made_at)
                    VALUES (1, $1, $2, $3, $4, $5, 1, 1, 0, now())
                    """,
                    .bytes(facts.id),
                    .bytes(facts.hashKey),
                    .integer(Int64(facts.copies)),
                    .integer(Int64(facts.partitionBits)),
                    .text(facts.objects)
                )
                if !facts.objects.isEmpty {
                    try transaction.run(
                        "UPDATE dagstore_versions SET least = $1 WHERE version = $1",
                        .integer(ClusterSchema.objectsVersion)
                    )
                }
                try transaction.run(
                    "INSERT INTO dagstore_placing (one, placed_for, placing_from) VALUES (1, $1, 0)",
                    .bytes([])
                )
                for part in 0..<Int64(1) << Int64(facts.partitionBits) {
                    try transaction.run(
                        "INSERT INTO dagstore_partitions (part, merged_through) VALUES ($1, 0)",
                        .integer(part)
                    )
                    try Self.addJob(.merge, part, .null, transaction)
                }
                try transaction.run(
                    """
                    INSERT INTO dagstore_jobs
                        (kind, subject, epoch, attempts, run_at, lease_until)
                    VALUES ($1, 0, 0, 0, now(), now()), ($2, 0, 0, 0, now(), now())
                    """,
                    .integer(JobKind.place.rawValue),
                    .integer(JobKind.sweep.rawValue)
                )
                return 0
            }
        }

        /// Returns whether the database has a cluster.
        ///
        /// - Throws: `catalogUnreachable`, `catalogTooNew`.
        package func hasCluster() async throws -> Bool {
            do {
                _ = try await facts()
                return true
            } catch let error as DAGStoreError where error.code == .invalidArgument {
                return false
            }
        }

        /// Returns the number of the cluster in the database; nil if there is none.
        private func presentCluster() async throws -> [UInt8]? {
            try await run(.repeatableRead) { transaction in
                let tables = try transaction.run(
                    """
                    SELECT 1 FROM information_schema.tables
                    WHERE table_schema = current_schema() AND table_name = 'dagstore_cluster'
                    """
                )
                guard tables.count > 0 else { return nil }
                let rows = try transaction.run("SELECT id FROM dagstore_cluster WHERE one = 1")
                return rows.count == 0 ? nil : try rows.bytes(0, 0)
            }
        }

        private static func exists(_ cluster: [UInt8]) -> DAGStoreError {
            DAGStoreError(
                .invalidArgument,
                "the database has the cluster \(cluster.hexadecimal)",
                advice: "use that cluster, or give --cluster another database"
            )
        }

        /// Returns the facts of the cluster, and brings the tables to this program's version.
        ///
        /// - Throws: `invalidArgument` if the database has no cluster; `catalogTooNew`, `catalogUnreachable`.
        package func facts() async throws -> ClusterFacts {
            try await ClusterSchema.upgrade(self, isNewAllowed: false)
            return try await run { transaction in
                let rows = try transaction.run(
                    "SELECT \(ClusterFacts.columns) FROM dagstore_cluster WHERE one = 1"
                )
                guard rows.count == 1 else {
                    throw DAGStoreError(PostgreSQLError(.missing, "the cluster has no row"))
                }
                return try ClusterFacts(rows)
            }
        }
    }
#endif
