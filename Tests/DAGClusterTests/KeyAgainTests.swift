#if Cluster
    import DAGMounts
    import DAGMultiformats
    import DAGStorage
    import Foundation
    import TestSupport
    import Testing

    @testable import DAGCluster

    /// Shards that get the key of an earlier one.
    @Suite(
        "A key that is used again",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer(),
        .timeLimit(.minutes(10))
    )
    struct KeyAgainTests {
        @Test("a CAR that changed in place gets its own index when it is registered again")
        func changedCAR() async throws {
            let scene = try await ClusterScene(copies: 1)
            let node = try scene.node("node1") { $0.poll = .milliseconds(200) }
            let old = try scene.car("a.car", seed: 1)
            try await scene.register("a", old)
            try await scene.settled("a", copies: 1)
            try await scene.database.destroy(ShardKey("a"))
            let new = try scene.car("a.car", seed: 2)
            try await scene.register("a", new)
            try await scene.settled("a", copies: 1)
            try await eventually {
                try scene.query("SELECT count(*) FROM dagstore_placements") == "1"
            }
            #expect(try await node.hasBlocks(of: new))
            let finder = ClusterFinder(scene.facts, in: scene.database)
            let found = try await finder.shards(
                containing: new.builder.blocks[3].cid.multihash
            )
            #expect(found.map(\.shard.key.text) == ["a"])
            await node.kill()
        }

        @Test("an indexing does not begin before the earlier copy is gone")
        func earlierCopy() async throws {
            let scene = try await ClusterScene(copies: 1)
            let node = try scene.node("node1")
            let car = try scene.car("a.car", seed: 1)
            try await scene.register("a", car)
            try await scene.settled("a", copies: 1)
            await node.kill()
            try await scene.database.destroy(ShardKey("a"))
            let number = try await scene.register("a", car)
            let shard = try #require(try await scene.database.shard(number))
            let id = node.number.node
            let claimed = try await scene.database.claim(.index, for: id, lease: .seconds(60))
            let job = try #require(claimed)
            await #expect(throws: DAGStoreError(.shardInUse)) {
                try await scene.database.beginIndexing(shard, job, on: id)
            }
            #expect(try await scene.database.placement(of: number, on: id) == nil)
        }

        @Test("a database of an older dump replaces the copies that have another index")
        func olderDump() async throws {
            let scene = try await ClusterScene(copies: 1)
            let first = try scene.node("node1")
            let old = try scene.car("old.car", sections: 10, seed: 1)
            try await scene.register("a", old)
            try await scene.settled("a", copies: 1)
            await first.kill()
            let tables = ["shards", "placements", "jobs", "runs", "partitions", "cluster", "moves"]
            for table in tables {
                try scene.query("CREATE TABLE saved_\(table) AS TABLE dagstore_\(table)")
            }
            let second = try scene.node("node1")
            try await scene.database.destroy(ShardKey("a"))
            let new = try scene.car("new.car", sections: 12, seed: 2)
            try await scene.register("a", new)
            try await scene.settled("a", copies: 1)
            try await eventually { try await second.hasBlocks(of: new) }
            await second.kill()
            for table in tables {
                try scene.query("TRUNCATE dagstore_\(table)")
                try scene.query("INSERT INTO dagstore_\(table) SELECT * FROM saved_\(table)")
            }
            let third = try scene.node("node1")
            await eventually { third.notices.contains("another shard's") }
            try await eventually { (try? await third.hasBlocks(of: old)) == true }
            try await scene.settled("a", copies: 1)
            await third.kill()
        }

        @Test("a shard moves to a node without a copy, which alone reaches the new mount")
        func moveToOne() async throws {
            let scene = try await ClusterScene(copies: 1)
            let holder = try scene.node("node1")
            let car = try scene.car("a.car", seed: 1)
            try await scene.register("a", car)
            try await scene.settled("a", copies: 1)
            let other = try scene.node("node2")
            await eventually { other.member.incarnation > 0 }
            let path = try scene.folder.write(car.builder.encoded(), to: "copy.car")
            _ = try await scene.database.relocate(
                ShardKey("a"),
                to: MountURL("file://\(path)"),
                reach: other.number.node
            )
            try await eventually {
                try await scene.database.shard(ShardKey("a"))?.reach == other.number.node
            }
            try await scene.settled("a", copies: 1)
            #expect(try await other.hasBlocks(of: car))
            for node in [holder, other] { await node.kill() }
        }

        @Test("a process that never joined changes no node when it ends")
        func endWithoutJoin() async throws {
            let scene = try await ClusterScene(copies: 1)
            let node = try scene.node("node1")
            await eventually { node.member.incarnation > 0 }
            let twin = ClusterMember(
                NodeProfile(id: node.number.node, name: "twin", url: "", release: ""),
                of: scene.facts.id,
                in: try scene.connect(),
                store: node.store
            )
            try await twin.drain()
            try await twin.leave()
            #expect(try await scene.database.nodes().map(\.state) == [.active])
            await node.kill()
        }

        @Test(
            "a shard whose only node was removed cannot be recovered, and the error says what can be done"
        )
        func recoverWithoutNode() async throws {
            let scene = try await ClusterScene(copies: 1)
            let node = try scene.node("node1")
            await eventually { node.member.incarnation > 0 }
            await node.kill()
            _ = try await scene.database.register(
                ShardKey("a"),
                from: MountURL("file:///nowhere.car"),
                reach: node.number.node
            )
            _ = try await scene.database.forget(node.number.node, deadAfter: .zero, isForced: true)
            await #expect(throws: DAGStoreError(.mountGone)) {
                try await scene.database.recover(ShardKey("a"))
            }
            #expect(try await scene.database.shard(ShardKey("a"))?.state == .failed)
        }
    }
#endif
