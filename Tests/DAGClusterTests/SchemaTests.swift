#if Cluster
    import DAGStorage
    import TestSupport
    import Testing

    @testable import DAGCluster

    @Suite(
        "The tables of a cluster",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer()
    )
    struct SchemaTests {
        private func empty() throws -> ClusterDatabase {
            try ClusterDatabase(at: #require(DatabaseServer.current).makeDatabase())
        }

        @Test("a database has one cluster at most", .timeLimit(.minutes(2)))
        func once() async throws {
            let scene = try await ClusterScene()
            await #expect(throws: DAGStoreError(.invalidArgument)) {
                try await scene.database.create(ClusterFacts(copies: 1))
            }
            #expect(try await scene.database.facts() == scene.facts)
        }

        @Test("of many that make a cluster at once, one succeeds", .timeLimit(.minutes(2)))
        func race() async throws {
            let address = try #require(DatabaseServer.current).makeDatabase()
            let made = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        do {
                            try await ClusterDatabase(at: address).create(ClusterFacts(copies: 1))
                            return true
                        } catch let error as DAGStoreError where error.code == .invalidArgument {
                            return false
                        }
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(made == 1)
        }

        @Test("a database without a cluster says so", .timeLimit(.minutes(2)))
        func missing() async throws {
            let database = try empty()
            await #expect(throws: DAGStoreError(.invalidArgument)) { try await database.facts() }
        }

        @Test("newer tables are refused only if they say so", .timeLimit(.minutes(2)))
        func newer() async throws {
            let scene = try await ClusterScene()
            try scene.query("INSERT INTO dagstore_versions VALUES (98, 1, now())")
            #expect(try await scene.database.facts() == scene.facts)
            try scene.query("INSERT INTO dagstore_versions VALUES (99, 99, now())")
            await #expect(throws: DAGStoreError(.catalogTooNew)) {
                try await scene.database.facts()
            }
        }

        @Test(
            "a newer program upgrades the tables once, while older ones go on",
            .timeLimit(.minutes(2))
        )
        func upgrade() async throws {
            let scene = try await ClusterScene()
            let steps =
                ClusterSchema.steps + [
                    ClusterSchema.Step(
                        version: ClusterSchema.version + 1,
                        least: 1,
                        statements: ["ALTER TABLE dagstore_nodes ADD COLUMN zone text"]
                    )
                ]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        let database = try ClusterDatabase(at: scene.address)
                        try await ClusterSchema.upgrade(database, isNewAllowed: false, steps)
                    }
                }
                try await group.waitForAll()
            }
            #expect(
                try scene.query("SELECT count(*) FROM dagstore_versions") == "\(steps.count)"
            )
            #expect(try await scene.database.facts() == scene.facts)
        }

        @Test(
            "impossible rows are errors, not traps",
            .timeLimit(.minutes(2)),
            arguments: [
                "UPDATE dagstore_cluster SET copies = 0",
                "UPDATE dagstore_cluster SET copies = 9223372036854775807",
                "UPDATE dagstore_cluster SET hash_key = ''",
                "UPDATE dagstore_cluster SET partition_bits = 63",
                "UPDATE dagstore_cluster SET id = repeat('x', 100)::bytea",
            ]
        )
        func impossible(change: String) async throws {
            let scene = try await ClusterScene()
            try scene.query(change)
            await #expect(throws: DAGStoreError(.catalogCorrupt)) {
                try await scene.database.facts()
            }
        }

        @Test(
            "impossible shards and nodes are errors, not traps",
            .timeLimit(.minutes(2)),
            arguments: [
                "UPDATE dagstore_shards SET state = 77",
                "UPDATE dagstore_shards SET key = repeat('k', 481)",
                "UPDATE dagstore_shards SET key = ''",
                "UPDATE dagstore_shards SET number = 4294967295",
                "UPDATE dagstore_shards SET number = -5",
                "UPDATE dagstore_shards SET policy = 9",
                "UPDATE dagstore_shards SET blocks = -1",
            ]
        )
        func impossibleShard(change: String) async throws {
            let scene = try await ClusterScene()
            try await scene.register("a", try scene.car("a.car", seed: 1))
            try scene.query(change)
            await #expect(throws: DAGStoreError(.catalogCorrupt)) {
                // The number is the order of the look-up, so no look-up by number finds a negative one.
                if try await scene.database.shards().isEmpty {
                    _ = try await scene.database.shard(ShardKey("a"))
                }
            }
        }
    }
#endif
