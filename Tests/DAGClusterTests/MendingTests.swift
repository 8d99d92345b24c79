#if Cluster
    import DAGMultiformats
    import DAGStorage
    import Foundation
    import TestSupport
    import Testing

    @testable import DAGCluster

    @Suite(
        "Damage that mends itself",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer()
    )
    struct MendingTests {
        private func blobs(_ scene: ClusterScene) -> Blobs {
            Blobs(database: scene.database, bytes: DatabaseBytes(database: scene.database))
        }

        /// Inverts a byte of each row of blobs.
        private func damage(_ scene: ClusterScene, where condition: String) throws {
            let changed = try scene.query(
                """
                WITH changed AS (UPDATE dagstore_blob_parts SET bytes =
                    set_byte(bytes, length(bytes) - 40, get_byte(bytes, length(bytes) - 40) # 255)
                    WHERE \(condition) RETURNING 1)
                SELECT count(*) > 0 FROM changed
                """
            )
            try #require(changed == "t")
        }

        private func isSound(_ key: String, _ scene: ClusterScene) async throws -> Bool {
            let shard = try #require(try await scene.database.shard(ShardKey(key)))
            let name = try BlobName(#require(shard.bundle))
            guard let blob = try await blobs(scene).find(name) else { return false }
            return try await blobs(scene).isSound(blob, readSize: 1000)
        }

        // MARK: Bundles

        private static let bundles = "name IN (SELECT bundle FROM dagstore_shards)"

        /// A cluster that wants two copies, with one node that holds the shard "a".
        private func oneCopy() async throws -> (
            scene: ClusterScene, node: TestNode, car: TestCAR
        ) {
            let scene = try await ClusterScene(copies: 2)
            let node = try scene.node("node1")
            let car = try scene.car("a.car", sections: 300, seed: 1)
            try await scene.register("a", car)
            try await scene.settled("a", copies: 1)
            return (scene, node, car)
        }

        @Test(
            "a holder makes a damaged bundle again, and others import it",
            .timeLimit(.minutes(10)),
            arguments: [
                nil, "DELETE FROM dagstore_blob_parts WHERE \(Self.bundles)",
                "DELETE FROM dagstore_blobs WHERE \(Self.bundles)",
                """
                UPDATE dagstore_blob_parts SET bytes = substr(bytes, 1, length(bytes) - 1)
                WHERE \(Self.bundles)
                """,
            ]
        )
        func damagedBundle(change: String?) async throws {
            let (scene, first, car) = try await oneCopy()
            let before = try await scene.database.shard(ShardKey("a"))
            if let change {
                try scene.query(change)
            } else {
                try damage(scene, where: Self.bundles)
            }
            #expect(try await !isSound("a", scene))
            let second = try scene.node("node2")
            try await scene.settled("a", copies: 2)
            #expect(first.notices.contains("made the bundle again"))
            #expect(try await isSound("a", scene))
            #expect(try await second.hasBlocks(of: car))
            let after = try await scene.database.shard(ShardKey("a"))
            #expect(after?.bundle == before?.bundle)
            let jobs = try scene.query("SELECT count(*) FROM dagstore_jobs WHERE kind = 5")
            #expect(jobs == "0")
            for node in [first, second] { await node.kill() }
        }

        @Test(
            "without a living holder another node indexes the CAR again",
            .timeLimit(.minutes(10))
        )
        func noHolder() async throws {
            let (scene, first, car) = try await oneCopy()
            await first.kill()
            try damage(scene, where: Self.bundles)
            let second = try scene.node("node2")
            try await scene.settled("a", copies: 2)
            #expect(try await isSound("a", scene))
            #expect(try await second.hasBlocks(of: car))
            #expect(try await scene.database.shard(ShardKey("a"))?.state == .available)
            // The first node comes back, and holds a copy of the very same index.
            let again = try scene.node("node1")
            #expect(try await again.hasBlocks(of: car))
            for node in [second, again] { await node.kill() }
        }

        @Test(
            "while nobody can make a bundle again, the shard stays available",
            .timeLimit(.minutes(10))
        )
        func noCAR() async throws {
            let (scene, first, car) = try await oneCopy()
            await first.kill()
            try damage(scene, where: Self.bundles)
            let path = car.mount.path.string
            try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
            let second = try scene.node("node2")
            await eventually {
                second.notices.contains("the bundle is not made again")
                    || second.notices.contains("is away") || second.notices.contains("mountGone")
            }
            #expect(try await scene.database.shard(ShardKey("a"))?.state == .available)
            try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
            let again = try scene.node("node1")
            try await scene.settled("a", copies: 2)
            #expect(try await second.hasBlocks(of: car))
            for node in [second, again] { await node.kill() }
        }

        // MARK: Runs

        /// Merges all partitions that have something to merge.
        private func merge(_ scene: ClusterScene) async throws -> Int {
            let node = [UInt8](repeating: 9, count: 16)
            let merger = RunMerger(
                blobs: blobs(scene),
                partitionBits: scene.facts.partitionBits
            )
            var count = 0
            for part in 0..<Int64(1) << Int64(scene.facts.partitionBits) {
                try await eventually {
                    try scene.query(
                        "UPDATE dagstore_jobs SET run_at = now() WHERE kind = 3 AND subject = \(part)"
                    )
                    guard
                        let job = try await scene.database.claim(
                            .merge,
                            of: part,
                            for: node,
                            lease: .seconds(60)
                        )
                    else { return false }
                    do {
                        if try await merger.merge(job, isForced: true) { count += 1 }
                    } catch let error as DAGStoreError where error.code == .catalogCorrupt {
                        // The merge marks the run, and leaves it out the next time.
                        try await scene.database.release(job, runAgainIn: .seconds(60))
                        return false
                    }
                    try await scene.database.release(job, runAgainIn: .seconds(3600))
                    return true
                }
            }
            return count
        }

        private func keys(
            _ block: Int,
            of car: TestCAR,
            _ finder: ClusterFinder
        ) async throws -> [String] {
            try await finder.shards(containing: car.builder.blocks[block].cid.multihash)
                .map(\.shard.key.text)
        }

        /// Whether a finder that is new finds every block of a CAR in one shard.
        private func isFound(_ car: TestCAR, _ key: String, _ scene: ClusterScene) async throws
            -> Bool
        {
            let finder = ClusterFinder(scene.facts, in: scene.database)
            for block in car.builder.blocks.indices {
                guard try await keys(block, of: car, finder) == [key] else { return false }
            }
            return true
        }

        private func damagedCount(_ scene: ClusterScene) throws -> String {
            try scene.query("SELECT count(*) FROM dagstore_runs WHERE damaged = 1")
        }

        @Test(
            "the damaged run of a shard is written again; until then a miss is no answer",
            .timeLimit(.minutes(10))
        )
        func shardRun() async throws {
            let scene = try await ClusterScene(copies: 1)
            let node = try scene.node("node1")
            let (a, b) = (try scene.car("a.car", seed: 1), try scene.car("b.car", seed: 2))
            let number = try await scene.register("a", a)
            try await scene.register("b", b)
            try await scene.settled("a", copies: 1)
            try await scene.settled("b", copies: 1)
            await node.kill()
            try damage(
                scene,
                where: "name IN (SELECT blob FROM dagstore_runs WHERE shard = \(number))"
            )
            let finder = ClusterFinder(scene.facts, in: scene.database)
            await #expect(throws: DAGStoreError(.catalogCorrupt)) {
                try await keys(0, of: a, finder)
            }
            // A hit elsewhere is an answer.
            #expect(try await keys(0, of: b, finder) == ["b"])
            try await finder.reportDamage()
            #expect(try damagedCount(scene) == "1")
            // Merges go on without the run, also past its publication.
            #expect(try await merge(scene) == 16)
            #expect(try damagedCount(scene) == "1")
            #expect(try await isFound(b, "b", scene))
            for finder in [finder, ClusterFinder(scene.facts, in: scene.database)] {
                await #expect(throws: DAGStoreError(.catalogCorrupt)) {
                    try await keys(0, of: a, finder)
                }
            }
            let again = try scene.node("node1")
            try await eventually { try damagedCount(scene) == "0" }
            #expect(try await isFound(a, "a", scene))
            #expect(try await merge(scene) == 16)
            #expect(try await isFound(a, "a", scene))
            #expect(try await isFound(b, "b", scene))
            let absent = try scene.car("c.car", seed: 3)
            let last = ClusterFinder(scene.facts, in: scene.database)
            #expect(try await keys(0, of: absent, last) == [])
            await again.kill()
        }

        @Test(
            "a damaged merged run is written again from the copies of its shards",
            .timeLimit(.minutes(10)),
            arguments: [
                "UPDATE dagstore_runs SET directory = '' WHERE part = 3",
                "UPDATE dagstore_runs SET size = size + 1 WHERE part = 3",
                """
                DELETE FROM dagstore_blob_parts
                WHERE name IN (SELECT blob FROM dagstore_runs WHERE part = 3)
                """,
                """
                DELETE FROM dagstore_blobs
                WHERE name IN (SELECT blob FROM dagstore_runs WHERE part = 3)
                """,
            ]
        )
        func mergedRun(change: String) async throws {
            let scene = try await ClusterScene(copies: 1)
            let node = try scene.node("node1")
            var cars: [String: TestCAR] = [:]
            for (number, key) in ["a", "b"].enumerated() {
                let car = try scene.car("\(key).car", sections: 200, seed: UInt64(number))
                cars[key] = car
                try await scene.register(key, car)
                try await scene.settled(key, copies: 1)
            }
            #expect(try await merge(scene) == 16)
            try scene.query(change)
            // The next merge of the partition reads the run.
            let car = try scene.car("c.car", sections: 200, seed: 7)
            cars["c"] = car
            try await scene.register("c", car)
            try await scene.settled("c", copies: 1)
            #expect(try await merge(scene) >= 16)
            // A merge that takes only newer runs leaves the damage to look-ups.
            let finder = ClusterFinder(scene.facts, in: scene.database)
            for car in cars.values {
                for block in car.builder.blocks.indices {
                    do {
                        #expect(try await keys(block, of: car, finder) != [])
                    } catch let error as DAGStoreError {
                        #expect(error.code == .catalogCorrupt)
                    }
                }
            }
            try await finder.reportDamage()
            try await eventually {
                try scene.query("SELECT count(*) FROM dagstore_rebuilds") == "0"
            }
            #expect(try damagedCount(scene) == "0")
            for _ in 0..<2 {
                for (key, car) in cars { #expect(try await isFound(car, key, scene)) }
                _ = try await merge(scene)
            }
            #expect(node.notices.contains("wrote the entries of the inverse index again"))
            #expect(try scene.query("SELECT count(*) FROM dagstore_jobs WHERE kind = 6") == "0")
            await node.kill()
        }

        @Test("a shard that failed gets its entries with its index again", .timeLimit(.minutes(10)))
        func failedShard() async throws {
            let scene = try await ClusterScene(copies: 1)
            let node = try scene.node("node1")
            let car = try scene.car("a.car", sections: 200, seed: 1)
            try await scene.register("a", car)
            try await scene.settled("a", copies: 1)
            // What a node that was removed by force leaves of its shard and of a damaged run.
            try scene.query(
                """
                UPDATE dagstore_shards SET state = 2, error_code = -1, error = 'gone';
                DELETE FROM dagstore_runs;
                UPDATE dagstore_cluster SET runs_version = runs_version + 1
                """
            )
            try await scene.database.recover(ShardKey("a"))
            try await eventually {
                try await scene.database.shard(ShardKey("a"))?.state == .available
            }
            #expect(try await isFound(car, "a", scene))
            await node.kill()
        }

        @Test("a destroyed shard leaves nothing to write again", .timeLimit(.minutes(10)))
        func destroyed() async throws {
            let scene = try await ClusterScene(copies: 1)
            let node = try scene.node("node1")
            let car = try scene.car("a.car", sections: 500, seed: 1)
            try await scene.register("a", car)
            try await scene.settled("a", copies: 1)
            #expect(try await merge(scene) == 16)
            await node.kill()
            let blob = try BlobName(
                Array(
                    hexadecimal: scene.query(
                        "SELECT encode(blob, 'hex') FROM dagstore_runs WHERE part = 2"
                    ),
                    count: 32
                ) ?? []
            )
            let number = try scene.query("SELECT number FROM dagstore_runs WHERE part = 2")
            let run = RunNumber(part: 2, number: try #require(Int64(number)))
            #expect(try await scene.database.markDamaged(run, blob))
            #expect(try await !scene.database.markDamaged(run, blob))
            #expect(try scene.query("SELECT count(*) FROM dagstore_rebuilds") == "1")
            try await scene.database.destroy(ShardKey("a"))
            #expect(try scene.query("SELECT count(*) FROM dagstore_rebuilds") == "0")
            #expect(try damagedCount(scene) == "0")
            #expect(try scene.query("SELECT count(*) FROM dagstore_jobs WHERE kind = 6") == "0")
        }
    }
#endif
