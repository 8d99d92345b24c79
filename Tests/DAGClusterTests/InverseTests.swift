#if Cluster
    import DAGBytes
    import DAGCatalog
    import DAGHashing
    import DAGMultiformats
    import DAGStorage
    import Foundation
    import ShardIndex
    import SystemPackage
    import TestSupport
    import Testing

    @testable import DAGCluster

    @Suite(
        "The inverse index of a cluster",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer()
    )
    struct InverseTests {
        @Test(
            "a published shard is found at once, before and after merges",
            .timeLimit(.minutes(10))
        )
        func lookups() async throws {
            let scene = try await InverseScene()
            let finder = ClusterFinder(scene.cluster.facts, in: scene.cluster.database)
            #expect(try await scene.keys(1, finder) == [])
            try await scene.publish("a", Array(0..<500))
            try await scene.publish("b", Array(250..<750))
            for round in 0..<3 {
                #expect(try await scene.keys(100, finder) == ["a"])
                #expect(try await scene.keys(300, finder) == ["a", "b"])
                #expect(try await scene.keys(700, finder) == ["b"])
                #expect(try await scene.keys(10_000, finder) == [])
                let merged = try await scene.merge(isForced: true)
                #expect(merged == (round == 0 ? 16 : 0))
            }
            #expect(finder.waitingCount == 0)
            #expect(finder.mergedRunCountMax == 1)
            try await scene.publish("c", [100, 20_000])
            // A hit does not ask for news.
            #expect(try await scene.keys(100, finder) == ["a"])
            let version = finder.version
            try await finder.refresh()
            #expect(finder.version > version)
            #expect(try await scene.keys(100, finder) == ["a", "c"])
            #expect(try await scene.keys(20_000, finder) == ["c"])
            #expect(try await scene.merge(isForced: true) == 16)
            let late = ClusterFinder(scene.cluster.facts, in: scene.cluster.database)
            #expect(try await scene.keys(100, late) == ["a", "c"])
            // The bytes of replaced runs go, and the older finder follows.
            _ = try await Sweeper(blobs: scene.blobs, grace: .milliseconds(-1)).sweep()
            #expect(try await scene.keys(100, finder) == ["a", "c"])
            #expect(try await scene.keys(20_000, finder) == ["c"])
        }

        @Test("look-ups read no gathered run that lacks the hash", .timeLimit(.minutes(10)))
        func gathered() async throws {
            let scene = try await InverseScene()
            for number in 0..<8 { try await scene.publish("s\(number)", [number]) }
            let finder = ClusterFinder(scene.cluster.facts, in: scene.cluster.database)
            try await finder.refresh()
            try await finder.gather(sizeMax: 0)
            #expect(finder.filteredCount == 0)
            try await finder.gather(sizeMax: 1 << 20)
            #expect(finder.filteredCount == 8)
            // Without its bytes, a look-up that reads a run fails.
            try scene.cluster.query("DELETE FROM dagstore_blob_parts")
            let late = ClusterFinder(scene.cluster.facts, in: scene.cluster.database)
            await #expect(throws: DAGStoreError.self) { try await scene.keys(100, late) }
            #expect(try await scene.keys(100, finder) == [])
            await #expect(throws: DAGStoreError.self) { try await scene.keys(3, finder) }
            // New runs have no filter until they are gathered.
            try await scene.publish("t", [20])
            #expect(try await scene.keys(20, finder) == ["t"])
            #expect(finder.waitingCount == 9)
            #expect(finder.filteredCount == 8)
            try await finder.gather(sizeMax: 1 << 20)
            #expect(finder.filteredCount == 9)
            #expect(try await scene.keys(20, finder) == ["t"])
        }

        @Test("after a restore of an older database, look-ups follow it", .timeLimit(.minutes(10)))
        func restored() async throws {
            let scene = try await InverseScene()
            try await scene.publish("a", [1])
            let finder = ClusterFinder(scene.cluster.facts, in: scene.cluster.database)
            #expect(try await scene.keys(1, finder) == ["a"])
            try scene.cluster.query("UPDATE dagstore_cluster SET runs_version = 0")
            try scene.cluster.query("DELETE FROM dagstore_runs")
            #expect(try await scene.keys(2, finder) == [])
            #expect(finder.waitingCount == 0)
        }

        @Test("merges begin by themselves when enough runs wait", .timeLimit(.minutes(10)))
        func threshold() async throws {
            let scene = try await InverseScene()
            for number in 0..<63 { try await scene.publish("s\(number)", [number]) }
            #expect(try await scene.merge(isForced: false) == 0)
            try scene.cluster.query(
                "UPDATE dagstore_jobs SET run_at = now() + interval '1 hour' WHERE kind = 3"
            )
            try await scene.publish("s63", [63])
            // The publication brought the jobs forward.
            let due = try scene.cluster.query(
                "SELECT count(*) FROM dagstore_jobs WHERE kind = 3 AND run_at <= now()"
            )
            #expect(due == "16")
            #expect(try await scene.merge(isForced: false) == 16)
            let finder = ClusterFinder(scene.cluster.facts, in: scene.cluster.database)
            for number in 0..<64 {
                #expect(try await scene.keys(number, finder) == ["s\(number)"])
            }
        }

        @Test("destroyed shards are found no more, and merges drop them", .timeLimit(.minutes(10)))
        func destroyed() async throws {
            let scene = try await InverseScene()
            try await scene.publish("a", Array(0..<100))
            try await scene.publish("b", Array(0..<100))
            let finder = ClusterFinder(scene.cluster.facts, in: scene.cluster.database)
            #expect(try await scene.keys(1, finder) == ["a", "b"])
            try await scene.cluster.database.destroy(ShardKey("a"))
            let late = ClusterFinder(scene.cluster.facts, in: scene.cluster.database)
            #expect(try await scene.keys(1, late) == ["b"])
            #expect(try await scene.merge(isForced: true) == 16)
            let entries = try scene.cluster.query("SELECT sum(entries) FROM dagstore_runs")
            #expect(entries == "100")
            #expect(try await scene.keys(1, late) == ["b"])
            try await scene.cluster.database.destroy(ShardKey("b"))
            try await scene.publish("c", [5])
            #expect(try await scene.merge(isForced: true) == 16)
            // The older finder believes what it saw for some seconds.
            let last = ClusterFinder(scene.cluster.facts, in: scene.cluster.database)
            #expect(try await scene.keys(5, last) == ["c"])
            #expect(try await scene.keys(1, last) == [])
        }

        @Test("publications wait while too many runs wait", .timeLimit(.minutes(10)))
        func backpressure() async throws {
            let scene = try await InverseScene()
            try await scene.publish("a", [1])
            try scene.cluster.query(
                """
                INSERT INTO dagstore_runs
                SELECT -1, 1000 + n, shard, blob, entries, size, directory
                FROM dagstore_runs, generate_series(1, 255) AS n WHERE part = -1
                """
            )
            await #expect(throws: DAGStoreError(.quotaExceeded)) {
                try await scene.publish("b", [2])
            }
            #expect(try await scene.cluster.database.shard(ShardKey("b"))?.state == .registered)
            await #expect(throws: DAGStoreError(.quotaExceeded)) {
                try await scene.cluster.database.checkRoomForRun()
            }
            try scene.cluster.query("DELETE FROM dagstore_runs WHERE number = 1001")
            try await scene.cluster.database.checkRoomForRun()
        }

        @Test(
            "a cache answers without the database, and a damaged chunk is read again",
            .timeLimit(.minutes(10))
        )
        func caching() async throws {
            let scene = try await InverseScene()
            try await scene.publish("a", Array(0..<2000))
            let folder = try TemporaryFolder()
            let cache = try ChunkCache(at: FilePath(folder.url.path), sizeMax: 16 << 20)
            let database = try ClusterDatabase(
                at: scene.cluster.address,
                patience: .seconds(20)
            )
            let finder = ClusterFinder(scene.cluster.facts, in: database, cache: cache)
            try await finder.refresh()
            try await finder.gather(sizeMax: 1 << 20)
            #expect(try cache.usage().count > 0)
            #expect(try await scene.keys(7, finder) == ["a"])
            // Without its rows the database could not answer.
            try scene.cluster.query("DELETE FROM dagstore_blob_parts")
            for number in 0..<50 { #expect(try await scene.keys(number, finder) == ["a"]) }
        }

        @Test(
            "a cache has no chunk of a run whose number a restored database gave away again",
            .timeLimit(.minutes(2))
        )
        func restoredDatabase() async throws {
            let scene = try await InverseScene()
            let folder = try TemporaryFolder()
            let cache = try ChunkCache(at: FilePath(folder.url.path), sizeMax: 16 << 20)
            func finder() async throws -> ClusterFinder {
                let made = ClusterFinder(
                    scene.cluster.facts,
                    in: scene.cluster.database,
                    cache: cache
                )
                try await made.refresh()
                try await made.gather(sizeMax: 1 << 20)
                return made
            }
            try await scene.publish("a", Array(0..<2000))
            let old = try await finder()
            #expect(try await scene.keys(7, old) == ["a"])
            // As a dump from before the publication.
            try scene.cluster.query(
                """
                DELETE FROM dagstore_runs; DELETE FROM dagstore_shards;
                DELETE FROM dagstore_placements;
                UPDATE dagstore_cluster SET next_run = 1, runs_version = 0
                """
            )
            try await scene.publish("b", Array(5000..<7000))
            let new = try await finder()
            for number in 5000..<5050 { #expect(try await scene.keys(number, new) == ["b"]) }
            #expect(try await scene.keys(7, new) == [])
        }

        @Test("destroyed shards do not take the places of others", .timeLimit(.minutes(2)))
        func limitedSearch() async throws {
            let scene = try await InverseScene()
            for key in ["kept", "x", "y", "z"] { try await scene.publish(key, [1]) }
            #expect(try await scene.merge(isForced: true) > 0)
            for key in ["x", "y", "z"] {
                try await scene.cluster.database.destroy(ShardKey(key))
            }
            let finder = ClusterFinder(scene.cluster.facts, in: scene.cluster.database)
            let found = try await finder.shards(containing: InverseScene.multihash(1), limit: 2)
            #expect(found.map(\.shard.key.text) == ["kept"])
        }

        @Test(
            "damaged directories and chunks are errors, not traps",
            .timeLimit(.minutes(10)),
            arguments: [
                "UPDATE dagstore_runs SET directory = ''",
                "UPDATE dagstore_runs SET directory = set_byte(directory, 3, 77)",
                "UPDATE dagstore_runs SET size = size + 1",
                "UPDATE dagstore_runs SET blob = ''",
                """
                UPDATE dagstore_blob_parts
                SET bytes = set_byte(bytes, length(bytes) / 2, get_byte(bytes, length(bytes) / 2) # 255)
                """,
                "UPDATE dagstore_blob_parts SET bytes = substr(bytes, 1, length(bytes) - 1)",
            ]
        )
        func damage(change: String) async throws {
            let scene = try await InverseScene()
            try await scene.publish("a", Array(0..<500))
            try scene.cluster.query(change)
            let finder = ClusterFinder(scene.cluster.facts, in: scene.cluster.database)
            await #expect(throws: DAGStoreError(.catalogCorrupt)) {
                for number in 0..<500 { _ = try await scene.keys(number, finder) }
            }
        }

        @Test("a worker that lost its job merges nothing", .timeLimit(.minutes(10)))
        func lostMerge() async throws {
            let scene = try await InverseScene()
            try await scene.publish("a", Array(0..<100))
            let database = scene.cluster.database
            let job = try #require(
                try await database.claim(.merge, for: scene.node, lease: .milliseconds(1))
            )
            try await database.release(job, runAgainIn: .seconds(60))
            let merger = RunMerger(blobs: scene.blobs, partitionBits: 4)
            await #expect(throws: JobLost.self) { try await merger.merge(job, isForced: true) }
            #expect(try scene.cluster.query("SELECT count(*) FROM dagstore_runs") == "1")
        }
    }

    @Suite("The cache of chunks")
    struct ChunkCacheTests {
        private func key(_ number: Int, _ chunk: Int) -> ChunkKey {
            ChunkKey(part: -1, number: UInt64(number), chunk: UInt32(chunk))
        }

        @Test("chunks come back, also from another process' file; a run's go together")
        func rows() throws {
            let folder = try TemporaryFolder()
            let path = FilePath(folder.url.path)
            let cache = try ChunkCache(at: path, sizeMax: 8 << 20)
            try cache.add([(key(1, 0), [1, 2]), (key(1, 1), [3]), (key(2, 0), [4])])
            #expect(try cache.withChunk(key(1, 1)) { $0.copied } == [3])
            #expect(try cache.withChunk(key(3, 0)) { $0.copied } == nil)
            try cache.removeRun(part: -1, number: 1)
            #expect(try cache.withChunk(key(1, 0)) { $0.copied } == nil)
            cache.close()
            let again = try ChunkCache(at: path, sizeMax: 8 << 20)
            #expect(try again.withChunk(key(2, 0)) { $0.copied } == [4])
            again.close()
        }

        @Test("a full cache keeps its limit, and the newest chunks")
        func eviction() throws {
            let folder = try TemporaryFolder()
            let cache = try ChunkCache(at: FilePath(folder.url.path), sizeMax: 4 << 20)
            for number in 0..<300 {
                try cache.add([
                    (key(number, 0), [UInt8](repeating: UInt8(number & 255), count: 60_000))
                ])
                #expect(try cache.usage().size <= 4 << 20)
            }
            #expect(try cache.withChunk(key(299, 0)) { $0.count } == 60_000)
            #expect(try cache.withChunk(key(0, 0)) { $0.count } == nil)
            #expect(try cache.usage().count > 40)
            // More than the cache can keep changes nothing.
            try cache.add((0..<100).map { (key(1000, $0), [UInt8](repeating: 0, count: 60_000)) })
            #expect(try cache.usage().size <= 4 << 20)
            cache.close()
        }
    }
#endif
