#if Cluster
    import DAGMounts
    import DAGMultiformats
    import DAGStorage
    import TestSupport
    import Testing

    @testable import DAGCluster

    /// The cluster as a program uses it that is no node.
    @Suite(
        "A client of a cluster",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer(),
        .timeLimit(.minutes(10))
    )
    struct ClusterFaceTests {
        @Test("a client registers, finds, relocates and destroys shards")
        func shards() async throws {
            let scene = try await ClusterScene(copies: 1)
            let node = try scene.node("node1")
            let cluster = try Cluster(at: scene.address)
            let cars = [try scene.car("a.car", seed: 1), try scene.car("b.car", seed: 2)]
            for (name, car) in zip(["a", "b"], cars) {
                try await cluster.register(ShardKey(name), from: car.mount.url)
                try await scene.settled(name, copies: 1)
            }
            await #expect(throws: DAGStoreError(.shardExists)) {
                try await cluster.register(ShardKey("a"), from: cars[0].mount.url)
            }
            let shard = try #require(try await cluster.shard(ShardKey("a")))
            #expect(shard.state == .available && shard.failure == nil)
            #expect(shard.mountURL == cars[0].mount.url.text && shard.blockCount == 20)
            #expect(shard.holders == [.init(name: "node1", url: "http://node1")])

            let first = try await cluster.shards(limit: 1)
            #expect(first.map(\.key.text) == ["a"])
            let second = try await cluster.shards(after: first.last, limit: 1)
            #expect(second.map(\.key.text) == ["b"])
            #expect(try await cluster.shards(after: second.last).isEmpty)

            let multihash = cars[1].builder.blocks[3].cid.multihash
            #expect(try await cluster.shards(containing: multihash).map(\.key.text) == ["b"])
            let unknown = CARBuilder.Block.raw([7]).cid.multihash
            #expect(try await cluster.shards(containing: unknown).isEmpty)

            let copy = try scene.folder.write(cars[0].builder.encoded(), to: "copy.car")
            try await cluster.relocate(ShardKey("a"), to: MountURL("file://\(copy)"))
            try await eventually {
                try await cluster.shard(ShardKey("a"))?.mountURL == "file://\(copy)"
            }
            await #expect(throws: DAGStoreError(.notFailed)) {
                try await cluster.recover(ShardKey("a"))
            }
            try await cluster.destroy(ShardKey("b"))
            #expect(try await cluster.shard(ShardKey("b")) == nil)
            await #expect(throws: DAGStoreError(.shardUnknown)) {
                try await cluster.destroy(ShardKey("b"))
            }
            cluster.close()
            await node.kill()
        }

        @Test("each change of a shard is an event, and nothing else is")
        func events() async throws {
            let scene = try await ClusterScene(copies: 1)
            let cluster = try Cluster(at: scene.address)
            let url = try MountURL("file:///nowhere.car")
            try await cluster.register(ShardKey("old"), from: url)
            var events = try await cluster.events(every: .milliseconds(10)).makeAsyncIterator()
            func next() async throws -> String {
                let event = try #require(try await events.next())
                return "\(event.kind) \(event.key)"
            }
            try await cluster.register(ShardKey("a"), from: url)
            #expect(try await next() == "registered a")
            try scene.query("UPDATE dagstore_shards SET state = 1, epoch = 2 WHERE key = 'a'")
            #expect(try await next() == "available a")
            try scene.query(
                "UPDATE dagstore_shards SET mount = 'file:///b', epoch = 3 WHERE key = 'a'"
            )
            #expect(try await next() == "relocated a")
            try scene.query("UPDATE dagstore_shards SET state = 2 WHERE key = 'a'")
            #expect(try await next() == "failed a")
            try await cluster.recover(ShardKey("a"))
            #expect(try await next() == "registered a")
            try await cluster.destroy(ShardKey("a"))
            try await cluster.register(ShardKey("b"), from: url)
            #expect(try await next() == "destroyed a")
            #expect(try await next() == "registered b")
            cluster.close()
        }

        @Test("an address that is none, and a database without a cluster, have words")
        func noCluster() async throws {
            #expect(throws: DAGStoreError(.invalidArgument)) { try Cluster(at: "http://x") }
            let empty = try Cluster(at: #require(DatabaseServer.current).makeDatabase())
            do {
                _ = try await empty.shard(ShardKey("a"))
                Issue.record("a shard without a cluster")
            } catch let error as DAGStoreError {
                #expect([.invalidArgument, .catalogCorrupt].contains(error.code), "\(error)")
            }
            empty.close()
        }
    }
#endif
