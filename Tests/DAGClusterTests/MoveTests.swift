#if Cluster
    import DAGMounts
    import DAGStorage
    import Foundation
    import SystemPackage
    import TestSupport
    import Testing

    @testable import DAGCluster

    @Suite(
        "Shards that move, and nodes that are removed",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer()
    )
    struct MoveTests {
        /// Renames a file of a scene.
        private func rename(
            _ name: String,
            to other: String,
            in scene: ClusterScene
        ) throws -> MountURL {
            let path = scene.folder.path(of: other)
            try FileManager.default.moveItem(atPath: scene.folder.path(of: name), toPath: path)
            return FileMount(FilePath(path)).url
        }

        private func mounts(_ scene: ClusterScene) throws -> String {
            try scene.query("SELECT DISTINCT mount FROM dagstore_placements WHERE state < 2")
        }

        @Test(
            "all copies follow a CAR that moved, and none is made again",
            .timeLimit(.minutes(10))
        )
        func moved() async throws {
            let scene = try await ClusterScene(copies: 2)
            let nodes = try (1...2).map { try scene.node("node\($0)") }
            let car = try scene.car("a.car", sections: 200, seed: 1)
            let number = try await scene.register("a", car)
            try await scene.settled("a", copies: 2)
            let before = try #require(try await scene.database.shard(number))
            let lease = try await nodes[0].store.acquire(ShardKey("a"))
            let url = try rename("a.car", to: "moved.car", in: scene)
            let request = try await scene.database.relocate(ShardKey("a"), to: url)
            #expect(request != nil)
            for node in nodes {
                try await eventually {
                    try node.store.status(of: ShardKey("a"))?.mountURL == url.text
                }
            }
            try await eventually { try mounts(scene) == url.text }
            let after = try #require(try await scene.database.shard(number))
            #expect(after.mountURL == url.text && after.bundle == before.bundle)
            #expect(after.epoch > before.epoch)
            #expect(try await scene.database.move(of: number) == nil)
            #expect(try scene.query("SELECT count(*) FROM dagstore_jobs WHERE kind = 7") == "0")
            // The lease reads the old file, and new ones the new.
            let block = try #require(car.builder.blocks.first)
            #expect(try await lease.block(for: block.cid)?.copiedBytes == block.data)
            lease.release()
            for node in nodes {
                #expect(try await node.hasBlocks(of: car))
                await eventually {
                    node.notices.contains("new mount") || node.notices.contains("the same at")
                }
                await node.kill()
            }
        }

        @Test("another CAR at the new mount is refused", .timeLimit(.minutes(10)))
        func otherCAR() async throws {
            let scene = try await ClusterScene(copies: 1)
            let node = try scene.node("node1")
            let car = try scene.car("a.car", sections: 50, seed: 1)
            let number = try await scene.register("a", car)
            try await scene.settled("a", copies: 1)
            // The same size, and other blocks.
            let other = try scene.car("other.car", sections: 50, seed: 2)
            _ = try await scene.database.relocate(ShardKey("a"), to: other.mount.url)
            try await eventually {
                try await scene.database.move(of: number)?.state == .refused
            }
            let move = try await scene.database.move(of: number)
            #expect(move?.error == DAGStoreError(.sourceChanged))
            #expect(try await scene.database.shard(number)?.mountURL == car.mount.url.text)
            #expect(try node.store.status(of: ShardKey("a"))?.mountURL == car.mount.url.text)
            #expect(try await node.hasBlocks(of: car))
            await node.kill()
        }

        @Test(
            "without a living holder, another node compares and imports",
            .timeLimit(.minutes(10))
        )
        func noHolder() async throws {
            let scene = try await ClusterScene(copies: 2)
            let first = try scene.node("node1")
            let car = try scene.car("a.car", sections: 50, seed: 1)
            let number = try await scene.register("a", car)
            try await scene.settled("a", copies: 1)
            await first.kill()
            let url = try rename("a.car", to: "moved.car", in: scene)
            let second = try scene.node("node2")
            _ = try await scene.database.relocate(ShardKey("a"), to: url)
            try await eventually {
                let placed = try await scene.database.placedShard(ShardKey("a"))
                return placed?.holders.contains(second.number.node) ?? false
            }
            #expect(try await scene.database.shard(number)?.mountURL == url.text)
            #expect(try await second.hasBlocks(of: car))
            // The first node comes back, and follows.
            let again = try scene.node("node1")
            try await eventually {
                try again.store.status(of: ShardKey("a"))?.mountURL == url.text
            }
            try await scene.settled("a", copies: 2)
            #expect(try await again.hasBlocks(of: car))
            for node in [second, again] { await node.kill() }
        }

        @Test("a mount that one node reaches leaves its copy alone", .timeLimit(.minutes(10)))
        func reach() async throws {
            let scene = try await ClusterScene(copies: 2)
            let nodes = try (1...2).map { try scene.node("node\($0)") }
            let car = try scene.car("a.car", sections: 50, seed: 1)
            try await scene.register("a", car)
            try await scene.settled("a", copies: 2)
            let url = try rename("a.car", to: "moved.car", in: scene)
            let only = nodes[1].number.node
            _ = try await scene.database.relocate(ShardKey("a"), to: url, reach: only)
            try await eventually {
                let placed = try await scene.database.placedShard(ShardKey("a"))
                return placed?.placements.map(\.node) == [only] && placed?.shard.reach == only
            }
            #expect(try nodes[0].store.status(of: ShardKey("a")) == nil)
            #expect(try await nodes[1].hasBlocks(of: car))
            for node in nodes { await node.kill() }
        }

        @Test("a shard that failed is indexed at its new mount", .timeLimit(.minutes(10)))
        func failed() async throws {
            let scene = try await ClusterScene(copies: 1)
            let node = try scene.node("node1")
            let car = try scene.car("a.car", sections: 50, seed: 1)
            let wrong = try MountURL("file:///no/such/file.car")
            _ = try await scene.database.register(ShardKey("a"), from: wrong)
            try await eventually {
                try await scene.database.shard(ShardKey("a"))?.state == .failed
            }
            let request = try await scene.database.relocate(ShardKey("a"), to: car.mount.url)
            #expect(request == nil)
            try await scene.settled("a", copies: 1)
            #expect(try await node.hasBlocks(of: car))
            await node.kill()
        }

        // A node that ends while it indexes leaves a shard in its store, at the mount of that time.
        @Test("what an indexing left at the earlier mount goes first", .timeLimit(.minutes(10)))
        func leftovers() async throws {
            let scene = try await ClusterScene(copies: 1)
            let node = try scene.node("node1")
            await eventually { node.member.incarnation > 0 }
            await node.kill()
            let car = try scene.car("a.car", sections: 50, seed: 1)
            let number = try await scene.register("a", car)
            var configuration = Configuration()
            configuration.mapSize = 1 << 32
            let store = try DAGStore.open(
                at: FilePath(scene.folder.path(of: "node1")),
                configuration: configuration
            )
            try await store.register(ShardKey("a"), from: car.mount)
            await store.close()
            try scene.query(
                """
                INSERT INTO dagstore_placements SELECT n.id, s.number, s.key, s.mount, 3, 0, '', now()
                FROM dagstore_nodes n, dagstore_shards s WHERE s.number = \(number)
                """
            )
            let copy = try FileManager.default.copy(scene, "a.car", to: "copy.car")
            #expect(try await scene.database.relocate(ShardKey("a"), to: copy.url) == nil)
            let again = try scene.node("node1")
            try await scene.settled("a", copies: 1)
            #expect(try again.store.status(of: ShardKey("a"))?.mountURL == copy.url.text)
            #expect(try await again.hasBlocks(of: car))
            await again.kill()
        }

        // A node that ends between the change of its store and that of the database.
        @Test("a comparison that was not published is undone", .timeLimit(.minutes(10)))
        func unpublished() async throws {
            let scene = try await ClusterScene(copies: 1)
            let node = try scene.node("node1") { $0.compare = .milliseconds(50) }
            let car = try scene.car("a.car", sections: 50, seed: 1)
            try await scene.register("a", car)
            try await scene.settled("a", copies: 1)
            let copy = try FileManager.default.copy(scene, "a.car", to: "copy.car")
            try await node.store.relocate(ShardKey("a"), to: copy)
            try await eventually {
                try node.store.status(of: ShardKey("a"))?.mountURL == car.mount.url.text
            }
            #expect(try await node.hasBlocks(of: car))
            await node.kill()
        }

        @Test("a shard that does not exist has no mount", .timeLimit(.minutes(10)))
        func unknown() async throws {
            let scene = try await ClusterScene()
            let url = try MountURL("file:///no/such/file.car")
            await #expect(throws: DAGStoreError(.shardUnknown)) {
                try await scene.database.relocate(ShardKey("a"), to: url)
            }
        }

        // MARK: Forgetting

        @Test(
            "a node that has ended goes with its placements, and comes back",
            .timeLimit(.minutes(10))
        )
        func forget() async throws {
            let scene = try await ClusterScene(copies: 2)
            let first = try scene.node("node1")
            let second = try scene.node("node2")
            let car = try scene.car("a.car", sections: 50, seed: 1)
            try await scene.register("a", car)
            try await scene.settled("a", copies: 2)
            let gone = second.number.node
            await #expect(throws: DAGStoreError(.invalidArgument)) {
                try await scene.database.forget(gone, deadAfter: .seconds(3600), isForced: true)
            }
            await second.kill()
            let deadAfter = second.member.times.deadAfter
            try await eventually {
                let nodes = try await scene.database.nodes()
                return nodes.contains { $0.id == gone && $0.isDead(after: deadAfter) }
            }
            let failed = try await scene.database.forget(
                gone,
                deadAfter: deadAfter,
                isForced: false
            )
            #expect(failed == 0)
            #expect(try await scene.database.nodes().map(\.name) == ["node1"])
            let placed = try await scene.database.placedShard(ShardKey("a"))
            #expect(placed?.placements.map(\.node) == [first.number.node])
            // Its copy is still there, so it needs no import.
            let again = try scene.node("node2")
            try await scene.settled("a", copies: 2)
            #expect(try await again.hasBlocks(of: car))
            #expect(!again.notices.contains("imported"))
            for node in [first, again] { await node.kill() }
        }

        @Test(
            "shards that only a removed node reached fail, with the reason",
            .timeLimit(.minutes(10))
        )
        func forgetReach() async throws {
            let scene = try await ClusterScene(copies: 1)
            let node = try scene.node("node1")
            let car = try scene.car("a.car", sections: 50, seed: 1)
            _ = try await scene.database.register(
                ShardKey("a"),
                from: car.mount.url,
                reach: node.number.node
            )
            try await scene.settled("a", copies: 1)
            await node.kill()
            do {
                _ = try await scene.database.forget(
                    node.number.node,
                    deadAfter: .zero,
                    isForced: false
                )
                Issue.record("the node was removed")
            } catch let error as DAGStoreError {
                #expect(error.code == .invalidArgument)
                #expect(error.message.contains("\"a\""))
            }
            let failed = try await scene.database.forget(
                node.number.node,
                deadAfter: .zero,
                isForced: true
            )
            #expect(failed == 1)
            let shard = try #require(try await scene.database.shard(ShardKey("a")))
            #expect(shard.state == .failed && shard.errorCode == .mountGone)
            #expect(try scene.query("SELECT count(*) FROM dagstore_placements") == "0")
            // Another node indexes it at another mount.
            let other = try scene.node("node2")
            let copy = try FileManager.default.copy(scene, "a.car", to: "copy.car")
            _ = try await scene.database.relocate(ShardKey("a"), to: copy.url)
            try await scene.settled("a", copies: 1)
            #expect(try await other.hasBlocks(of: car))
            await other.kill()
        }

        @Test(
            "waiting moves end with their shards, and with the only node that reaches the new mount"
        )
        func waitingMoves() async throws {
            let scene = try await ClusterScene()
            let node = try scene.node("node1")
            await eventually { node.member.incarnation > 0 }
            await node.kill()
            let url = try MountURL("file:///nowhere.car")
            for key in ["a", "b"] {
                _ = try await scene.database.register(ShardKey(key), from: url)
            }
            try scene.query("UPDATE dagstore_shards SET state = 1")
            let other = try MountURL("file:///elsewhere.car")
            for key in ["a", "b"] {
                _ = try await scene.database.relocate(
                    ShardKey(key),
                    to: other,
                    reach: node.number.node
                )
            }
            try await scene.database.destroy(ShardKey("b"))
            #expect(try scene.query("SELECT count(*) FROM dagstore_moves") == "1")
            _ = try await scene.database.forget(node.number.node, deadAfter: .zero, isForced: true)
            let shard = try #require(try await scene.database.shard(ShardKey("a")))
            #expect(shard.state == .available && shard.mountURL == url.text)
            let move = try #require(try await scene.database.move(of: shard.number))
            #expect(move.state == .refused && move.error?.code == .mountGone)
            #expect(try scene.query("SELECT count(*) FROM dagstore_jobs WHERE kind = 7") == "0")
        }

        @Test(
            "a node that was removed while it runs ends with the reason",
            .timeLimit(.minutes(10))
        )
        func forgottenWhileRunning() async throws {
            let scene = try await ClusterScene()
            let node = try scene.node("node1")
            await eventually { node.member.incarnation > 0 }
            _ = try await scene.database.forget(
                node.number.node,
                deadAfter: .seconds(-60),
                isForced: false
            )
            let error = await node.failure() as? DAGStoreError
            #expect(error == DAGStoreError(.invalidConfiguration))
            #expect(error?.message.contains("removed this node") == true)
            await node.kill()
        }

        @Test("a process of a forgotten node has no number of a later one", .timeLimit(.minutes(2)))
        func numbersOfProcesses() async throws {
            let scene = try await ClusterScene()
            let profile = NodeProfile(
                id: Array(repeating: 7, count: 16),
                name: "node1",
                url: "",
                release: "test"
            )
            let first = try await scene.database.join(profile)
            try scene.query("DELETE FROM dagstore_nodes")
            let second = try await scene.database.join(profile)
            #expect(second != first)
            #expect(try await !scene.database.beat(profile.id, first, within: .seconds(20)))
        }

        // MARK: Sweeping

        @Test("a sweep goes through many pages of blobs", .timeLimit(.minutes(10)))
        func sweep() async throws {
            let scene = try await ClusterScene()
            try scene.query(
                """
                INSERT INTO dagstore_blobs
                SELECT decode(md5(n || '') || md5('x' || n), 'hex'), 1, 1, 10, now() - interval '1 day'
                FROM generate_series(1, 1100) AS n;
                INSERT INTO dagstore_blob_parts
                SELECT decode(md5('y' || n) || md5('z' || n), 'hex'), 1, 0, 'abc'
                FROM generate_series(1, 20) AS n
                """
            )
            let report = try await scene.database.sweep(grace: .seconds(60))
            // 20 uploads have no row.
            #expect(report.blobCount == 1120 && report.byteCount == 11_000)
            #expect(try scene.query("SELECT count(*) FROM dagstore_blobs") == "0")
            #expect(try scene.query("SELECT count(*) FROM dagstore_blob_parts") == "0")
        }
    }
#endif
