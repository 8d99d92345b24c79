#if Cluster
    import DAGMounts
    import DAGStorage
    import Foundation
    import PostgreSQL
    import SystemPackage
    import SharedReads
    import TestSupport
    import Testing

    @testable import DAGCluster

    @Suite(
        "The check of a cluster",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer()
    )
    struct CheckTests {
        /// A cluster with two shards on a node that has ended without a word.
        private struct Scene {
            let cluster: ClusterScene
            let node: [UInt8]

            private static let tables = [
                "cluster", "nodes", "shards", "placements", "jobs", "blobs", "blob_parts", "runs",
                "partitions", "rebuilds", "moves",
            ]

            init() async throws {
                cluster = try await ClusterScene(copies: 1)
                let node = try cluster.node("node1")
                self.node = node.number.node
                for (number, key) in ["a", "b"].enumerated() {
                    let car = try cluster.car("\(key).car", sections: 50, seed: UInt64(number))
                    try await cluster.register(key, car)
                    try await cluster.settled(key, copies: 1)
                }
                await node.kill()
                for table in Self.tables {
                    try cluster.query("CREATE TABLE saved_\(table) AS TABLE dagstore_\(table)")
                }
            }

            /// Brings all tables back, with a sign of life of the node that lasts on a busy machine.
            func restore() throws {
                for table in Self.tables {
                    try cluster.query("TRUNCATE dagstore_\(table)")
                    try cluster.query("INSERT INTO dagstore_\(table) SELECT * FROM saved_\(table)")
                }
                try cluster.query(
                    "UPDATE dagstore_nodes SET seen_at = now() + interval '1 hour', state = 0"
                )
                try cluster.query("UPDATE dagstore_jobs SET run_at = now(), lease_until = now()")
            }

            func kinds(
                _ change: (inout ClusterChecker) -> Void = { _ in }
            ) async throws -> Set<ClusterFinding.Kind> {
                Set(try await findings(change).map(\.kind))
            }

            func findings(
                _ change: (inout ClusterChecker) -> Void = { _ in }
            ) async throws -> [ClusterFinding] {
                var checker = try ClusterChecker(cluster.facts, in: cluster.database)
                change(&checker)
                var found: [ClusterFinding] = []
                let totals = try await checker.run { found.append($0) }
                for severity in [ClusterFinding.Severity.error, .warning, .info] {
                    let count = found.count { $0.kind.severity == severity }
                    #expect(totals.findings[severity] ?? 0 == count)
                }
                return found
            }
        }

        @Test("a check beside registrations finds no number twice", .timeLimit(.minutes(10)))
        func busy() async throws {
            let cluster = try await ClusterScene(copies: 1)
            let isDone = Lock(false)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 0..<300 {
                        _ = try await cluster.database.register(
                            ShardKey("\(number)"),
                            from: .init("https://host.example/\(number)")
                        )
                    }
                    isDone.withLock { $0 = true }
                }
                group.addTask {
                    while !isDone.withLock({ $0 }) {
                        let checker = try ClusterChecker(cluster.facts, in: cluster.database)
                        _ = try await checker.run { finding in
                            #expect(finding.kind != .numbers && finding.kind != .jobMissing)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }

        /// Damage, and what the check finds then.
        private struct Damage {
            let sql: String
            let kinds: Set<ClusterFinding.Kind>
            var readsBytes = false
        }

        private static let bundles = "name IN (SELECT bundle FROM dagstore_shards)"
        private static let runs = "name IN (SELECT blob FROM dagstore_runs)"
        private static let flip =
            "SET bytes = set_byte(bytes, length(bytes) / 2, get_byte(bytes, length(bytes) / 2) # 255)"

        private static let damages = [
            Damage(sql: "DELETE FROM dagstore_blobs WHERE \(bundles)", kinds: [.bundleMissing]),
            Damage(sql: "DELETE FROM dagstore_blob_parts WHERE \(bundles)", kinds: [.bundleShort]),
            Damage(
                sql: "DELETE FROM dagstore_blob_parts WHERE \(bundles)",
                kinds: [.bundleShort],
                readsBytes: true
            ),
            Damage(
                sql: "UPDATE dagstore_blob_parts \(flip) WHERE \(bundles)",
                kinds: [.bundleDamaged],
                readsBytes: true
            ),
            Damage(
                sql: "UPDATE dagstore_shards SET bundle_size = bundle_size + 1",
                kinds: [.bundleMismatch]
            ),
            Damage(
                sql: "UPDATE dagstore_shards SET blocks = blocks + 1",
                kinds: [.bundleMismatch],
                readsBytes: true
            ),
            Damage(sql: "UPDATE dagstore_shards SET bundle = NULL", kinds: [.row, .unnamed]),
            Damage(sql: "UPDATE dagstore_shards SET policy = 99", kinds: [.row]),
            Damage(sql: "UPDATE dagstore_shards SET state = 0", kinds: [.jobMissing]),
            Damage(sql: "UPDATE dagstore_shards SET state = 2", kinds: [.shardFailed]),
            Damage(sql: "DELETE FROM dagstore_placements", kinds: [.unplaced]),
            Damage(
                sql: "UPDATE dagstore_placements SET node = '\\x00'",
                kinds: [.placementNode, .fewCopies]
            ),
            Damage(
                sql: "UPDATE dagstore_placements SET shard = shard + 100",
                kinds: [.placementShard, .unplaced]
            ),
            Damage(
                sql: "UPDATE dagstore_placements SET state = 77",
                kinds: [.row, .unplaced]
            ),
            Damage(
                sql: "UPDATE dagstore_placements SET state = 0, error = 'no disk'",
                kinds: [.copyFails, .fewCopies]
            ),
            Damage(
                sql: "UPDATE dagstore_nodes SET seen_at = now() - interval '1 hour'",
                kinds: [.nodeSilent, .holderAway, .fewCopies]
            ),
            Damage(sql: "UPDATE dagstore_nodes SET state = 2", kinds: [.holderAway, .fewCopies]),
            Damage(
                sql: "INSERT INTO dagstore_jobs VALUES (1, 999, NULL, 0, NULL, 0, now(), now())",
                kinds: [.jobShard]
            ),
            Damage(
                sql: """
                    UPDATE dagstore_jobs SET run_at = now() - interval '1 hour',
                        lease_until = now() - interval '1 hour' WHERE kind = 3
                    """,
                kinds: [.jobStuck]
            ),
            Damage(sql: "DELETE FROM dagstore_runs", kinds: [.entriesMissing, .unnamed]),
            Damage(sql: "UPDATE dagstore_runs SET directory = ''", kinds: [.row]),
            Damage(sql: "DELETE FROM dagstore_blobs WHERE \(runs)", kinds: [.runMissing]),
            Damage(sql: "DELETE FROM dagstore_blob_parts WHERE \(runs)", kinds: [.runShort]),
            Damage(
                sql: "UPDATE dagstore_blob_parts \(flip) WHERE \(runs)",
                kinds: [.runDamaged],
                readsBytes: true
            ),
            Damage(sql: "UPDATE dagstore_runs SET damaged = 1", kinds: [.runRebuilding]),
            Damage(
                sql: "UPDATE dagstore_runs SET part = 99",
                kinds: [.partition, .entriesMissing]
            ),
            Damage(sql: "DELETE FROM dagstore_partitions WHERE part = 3", kinds: [.partition]),
            Damage(sql: "UPDATE dagstore_cluster SET next_shard = 1", kinds: [.numbers]),
            Damage(sql: "UPDATE dagstore_cluster SET next_run = 1", kinds: [.numbers]),
            Damage(
                sql: """
                    UPDATE dagstore_cluster SET next_run = 9999;
                    INSERT INTO dagstore_runs SELECT 2, 100 + n, 0, blob, entries, size, directory
                    FROM dagstore_runs, generate_series(1, 7) AS n WHERE number = 1
                    """,
                kinds: [.manyRuns]
            ),
            Damage(
                sql: """
                    UPDATE dagstore_cluster SET next_run = 9999;
                    INSERT INTO dagstore_runs SELECT -1, 100 + n, 999, blob, entries, size, directory
                    FROM dagstore_runs, generate_series(1, 256) AS n WHERE number = 1
                    """,
                kinds: [.manyWaiting]
            ),
            Damage(
                sql: """
                    UPDATE dagstore_blobs SET state = 2, touched_at = now() - interval '1 day'
                    WHERE \(runs)
                    """,
                kinds: [.runMissing, .dying]
            ),
            Damage(
                sql: """
                    INSERT INTO dagstore_blobs
                    VALUES (decode(repeat('01', 32), 'hex'), 1, 1, 5, now())
                    """,
                kinds: [.unnamed]
            ),
            Damage(
                sql: "INSERT INTO dagstore_blobs VALUES ('\\x01', 1, 1, 5, now())",
                kinds: [.row]
            ),
            Damage(sql: "UPDATE dagstore_blobs SET size = -1 WHERE \(runs)", kinds: [.row]),
        ]

        @Test("a sound cluster has no findings, and each damage its own", .timeLimit(.minutes(10)))
        func damages() async throws {
            let scene = try await Scene()
            for readsBytes in [false, true] {
                try scene.restore()
                let kinds = try await scene.kinds { $0.readsBytes = readsBytes }
                #expect(kinds == [])
            }
            for damage in Self.damages {
                try scene.restore()
                try scene.cluster.query(damage.sql)
                let kinds = try await scene.kinds { $0.readsBytes = damage.readsBytes }
                #expect(kinds == damage.kinds, "\(damage.sql)")
            }
        }

        @Test("a bundle of another hash key is found", .timeLimit(.minutes(10)))
        func hashKey() async throws {
            let scene = try await Scene()
            try scene.restore()
            let other = try ClusterFacts(copies: 1)
            var checker = try ClusterChecker(other, in: scene.cluster.database)
            checker.readsBytes = true
            var found: [ClusterFinding] = []
            let totals = try await checker.run { found.append($0) }
            #expect(found.map(\.kind) == [.bundleMismatch, .bundleMismatch])
            #expect(found.allSatisfy { $0.detail.contains("another hash key") })
            #expect(!totals.isSound)
        }

        @Test("a check cannot change anything", .timeLimit(.minutes(10)))
        func readOnly() async throws {
            let scene = try await Scene()
            let checker = try ClusterChecker(scene.cluster.facts, in: scene.cluster.database)
            await #expect(throws: DAGStoreError(.readOnly)) {
                try await checker.read { transaction in
                    try transaction.run("UPDATE dagstore_nodes SET name = 'x'").changeCount
                }
            }
        }

        @Test("what nodes answer is compared with the placements", .timeLimit(.minutes(10)))
        func answers() async throws {
            let scene = try await Scene()
            try scene.restore()
            let answers: [(NodeAnswer, Set<ClusterFinding.Kind>)] = [
                (.holds, []), (.lacks, [.nodeLacks]), (.fails("502"), [.nodeFails]),
                // Two shards, and a node is silent after three requests.
                (.silent("refused"), []),
            ]
            for (answer, kinds) in answers {
                let found = try await scene.kinds { $0.ask = { _, _ in answer } }
                #expect(found == kinds)
            }
            for key in ["c", "d"] {
                try scene.cluster.query(
                    """
                    INSERT INTO dagstore_shards SELECT number + \(key == "c" ? 100 : 200), '\(key)', mount,
                        policy, reach, state, epoch, settled, bundle, bundle_size, source_size, blocks,
                        multihashes, bytes, roots, error_code, error, made_at, 0
                    FROM dagstore_shards WHERE key = 'a';
                    INSERT INTO dagstore_placements SELECT node, shard + \(key == "c" ? 100 : 200), '\(key)',
                        mount, state, error_code, error, try_at
                    FROM dagstore_placements WHERE key = 'a';
                    UPDATE dagstore_cluster SET next_shard = 1000
                    """
                )
            }
            let silent = try await scene.findings { $0.ask = { _, _ in .silent("refused") } }
            #expect(silent.map(\.kind) == [.nodeUnreachable])
            #expect(silent.first?.node == scene.node)
        }

        @Test(
            "a store is compared with the placements of its node, both ways",
            .timeLimit(.minutes(10))
        )
        func store() async throws {
            let scene = try await Scene()
            let directory = FilePath(scene.cluster.folder.path(of: "node1"))
            func findings(readsBytes: Bool = false) async throws -> [ClusterFinding] {
                try scene.restore()
                var configuration = Configuration()
                configuration.isReadOnly = true
                let store = try DAGStore.open(at: directory, configuration: configuration)
                let found = try await scene.findings {
                    $0.store = (store, scene.node)
                    $0.readsBytes = readsBytes
                }
                await store.close()
                return found
            }
            #expect(try await findings() == [])
            #expect(try await findings(readsBytes: true) == [])
            var configuration = Configuration()
            configuration.mapSize = 1 << 32
            let store = try DAGStore.open(at: directory, configuration: configuration)
            try await store.destroy(ShardKey("a"))
            let car = try scene.cluster.car("own.car", seed: 9)
            try await store.register(ShardKey("own"), from: car.mount)
            let moved = try FileManager.default.copy(scene.cluster, "b.car", to: "moved.car")
            try await store.relocate(ShardKey("b"), to: moved)
            await store.close()
            let found = try await findings()
            #expect(found.map(\.kind) == [.storeLacks, .storeDiffers, .storeExtra])
            #expect(found.map(\.key?.text) == ["a", "b", "own"])
        }
    }

    extension FileManager {
        /// Copies a file of a scene.
        func copy(_ scene: ClusterScene, _ name: String, to other: String) throws -> FileMount {
            let path = scene.folder.path(of: other)
            try copyItem(atPath: scene.folder.path(of: name), toPath: path)
            return FileMount(FilePath(path))
        }
    }
#endif
