#if Cluster
    import DAGHashing
    import DAGMounts
    import DAGStorage
    import Foundation
    import TestSupport
    import Testing

    @testable import DAGCluster

    @Suite(
        "Nodes of a cluster",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer()
    )
    struct MemberTests {
        @Test("each shard has two copies, and every copy every block", .timeLimit(.minutes(10)))
        func copies() async throws {
            let scene = try await ClusterScene()
            let nodes = try (1...3).map { try scene.node("node\($0)") }
            var cars: [String: TestCAR] = [:]
            for number in 0..<8 {
                let car = try scene.car("\(number).car", seed: UInt64(number))
                cars["s\(number)"] = car
                try await scene.register("s\(number)", car)
            }
            for (key, car) in cars {
                try await scene.settled(key, copies: 2)
                let placed = try #require(try await scene.database.placedShard(ShardKey(key)))
                #expect(placed.shard.blockCount == UInt64(car.builder.blocks.count))
                for node in nodes {
                    let holds = placed.holders.contains(node.number.node)
                    #expect(try node.store.status(of: ShardKey(key)) != nil || !holds)
                    if holds { #expect(try await node.hasBlocks(of: car)) }
                }
            }
            for node in nodes {
                let report = try await node.store.check()
                #expect(report.problems.isEmpty)
                await node.kill()
            }
        }

        @Test(
            "others import the shards of a dead node",
            .timeLimit(.minutes(10))
        )
        func deadNode() async throws {
            let scene = try await ClusterScene()
            let first = try scene.node("node1")
            let second = try scene.node("node2")
            let car = try scene.car("a.car", sections: 500, seed: 1)
            try await scene.register("a", car)
            try await scene.settled("a", copies: 2)
            await first.kill()
            let third = try scene.node("node3")
            try await eventually {
                let placed = try await scene.database.placedShard(ShardKey("a"))
                return placed?.holders.contains(third.number.node) ?? false
            }
            #expect(try await third.hasBlocks(of: car))
            #expect(third.notices.contains("imported"))
            // The dead node comes back, and destroys its copy.
            let again = try scene.node("node1")
            #expect(again.number == first.number)
            try await eventually {
                let placed = try await scene.database.placedShard(ShardKey("a"))
                return placed?.placements.count == 2
            }
            for node in [second, third, again] { await node.kill() }
        }

        @Test("a destroyed shard leaves no copy, and its key is free", .timeLimit(.minutes(10)))
        func destroy() async throws {
            let scene = try await ClusterScene()
            let nodes = try (1...2).map { try scene.node("node\($0)") }
            try await scene.register("a", try scene.car("a.car", seed: 1))
            try await scene.settled("a", copies: 2)
            try await scene.database.destroy(ShardKey("a"))
            let car = try scene.car("b.car", seed: 2)
            try await scene.register("a", car)
            try await scene.settled("a", copies: 2)
            for node in nodes {
                #expect(try await node.hasBlocks(of: car))
                #expect(try node.store.status(of: ShardKey("a"))?.mountURL == car.mount.url.text)
            }
            try await scene.database.destroy(ShardKey("a"))
            try await eventually {
                try nodes.allSatisfy { try $0.store.status(of: ShardKey("a")) == nil }
            }
            try await eventually {
                try scene.query("SELECT count(*) FROM dagstore_placements") == "0"
            }
            let blobs = Blobs(
                database: scene.database,
                bytes: DatabaseBytes(database: scene.database)
            )
            _ = try await Sweeper(blobs: blobs, grace: .milliseconds(-1)).sweep()
            #expect(try scene.query("SELECT count(*) FROM dagstore_blob_parts") == "0")
            for node in nodes { await node.kill() }
        }

        @Test(
            "a shard that comes again under its key has a copy of its own",
            .timeLimit(.minutes(10))
        )
        func again() async throws {
            let scene = try await ClusterScene()
            let nodes = try (1...2).map { try scene.node("node\($0)") }
            let car = try scene.car("a.car", seed: 1)
            for _ in 0..<4 {
                let number = try await scene.register("a", car)
                try await scene.settled("a", copies: 2)
                for node in nodes { #expect(try await node.hasBlocks(of: car)) }
                #expect(try await scene.database.shard(ShardKey("a"))?.number == number)
                try await scene.database.destroy(ShardKey("a"))
            }
            try await eventually {
                try scene.query("SELECT count(*) FROM dagstore_placements") == "0"
            }
            for node in nodes {
                #expect(try node.store.status(of: ShardKey("a")) == nil)
                await node.kill()
            }
        }

        @Test("a copy that is lost is made again", .timeLimit(.minutes(10)))
        func lostCopy() async throws {
            let scene = try await ClusterScene(copies: 1)
            let node = try scene.node("node1") { $0.compare = .milliseconds(50) }
            let car = try scene.car("a.car", seed: 1)
            try await scene.register("a", car)
            try await scene.settled("a", copies: 1)
            try await node.store.destroy(ShardKey("a"))
            try await eventually { try node.store.status(of: ShardKey("a")) != nil }
            try await scene.settled("a", copies: 1)
            #expect(try await node.hasBlocks(of: car))
            await node.kill()
        }

        @Test(
            "a node's own shard outlives one of the cluster with its key",
            .timeLimit(.minutes(10))
        )
        func ownShard() async throws {
            let scene = try await ClusterScene(copies: 2)
            let first = try scene.node("node1")
            let car = try scene.car("a.car", seed: 1)
            try await scene.register("a", car)
            try await scene.settled("a", copies: 1)
            let own = try scene.car("own.car", seed: 2)
            let second = try scene.node("node2")
            let status = try await second.store.register(ShardKey("a"), from: own.mount)
            try await eventually {
                let placed = try await scene.database.placedShard(ShardKey("a"))
                return placed?.placements.contains { !$0.error.isEmpty } ?? false
            }
            try await scene.database.destroy(ShardKey("a"))
            try await eventually {
                try scene.query("SELECT count(*) FROM dagstore_placements") == "0"
            }
            #expect(try second.store.status(of: ShardKey("a"))?.mountURL == status.mountURL)
            #expect(try first.store.status(of: ShardKey("a")) == nil)
            for node in [first, second] { await node.kill() }
        }

        @Test("a node's own shard outlives an indexing that fails", .timeLimit(.minutes(10)))
        func ownFailure() async throws {
            let scene = try await ClusterScene(copies: 1)
            let node = try scene.node("node1")
            let car = try scene.car("a.car", seed: 1)
            try await node.store.register(ShardKey("a"), from: car.mount)
            try FileManager.default.removeItem(atPath: car.mount.path.string)
            try await scene.register("a", car)
            try await eventually {
                try await scene.database.shard(ShardKey("a"))?.state == .failed
            }
            try await eventually {
                try scene.query("SELECT count(*) FROM dagstore_placements") == "0"
            }
            #expect(try node.store.status(of: ShardKey("a")) != nil)
            await node.kill()
        }

        @Test(
            "with too few nodes no copy goes, and one that comes back serves on",
            .timeLimit(.minutes(10))
        )
        func fewNodes() async throws {
            let scene = try await ClusterScene(copies: 2)
            let first = try scene.node("node1")
            let second = try scene.node("node2")
            let car = try scene.car("a.car", seed: 1)
            try await scene.register("a", car)
            try await scene.settled("a", copies: 2)
            await second.kill()
            let limit = first.member.times.deadAfter
            try await eventually {
                let nodes = try await scene.database.nodes()
                return nodes.contains { $0.isDead(after: limit) }
            }
            // A round of placing with the dead node known.
            let job = JobKind.place.rawValue
            let epoch = try scene.query("SELECT epoch FROM dagstore_jobs WHERE kind = \(job)")
            try await eventually {
                let now = try scene.query("SELECT epoch FROM dagstore_jobs WHERE kind = \(job)")
                return (Int(now) ?? 0) > (Int(epoch) ?? 0) + 4
            }
            let placed = try #require(try await scene.database.placedShard(ShardKey("a")))
            #expect(placed.holders.count == 2)
            let again = try scene.node("node2")
            #expect(try await again.hasBlocks(of: car))
            for node in [first, again] { await node.kill() }
        }

        @Test("a CAR that no node reads fails its shard, with the reason", .timeLimit(.minutes(10)))
        func missingCAR() async throws {
            let scene = try await ClusterScene()
            let node = try scene.node("node1")
            let url = try MountURL("file:///no/such/file.car")
            _ = try await scene.database.register(ShardKey("a"), from: url)
            try await eventually {
                try await scene.database.shard(ShardKey("a"))?.state == .failed
            }
            #expect(try await scene.database.shard(ShardKey("a"))?.errorCode == .mountGone)
            #expect(try node.store.status(of: ShardKey("a")) == nil)
            await node.kill()
        }

        @Test("a CAR that differs on a node becomes no copy there", .timeLimit(.minutes(10)))
        func otherCAR() async throws {
            let scene = try await ClusterScene(copies: 2)
            let first = try scene.node("node1")
            let car = try scene.car("a.car", sections: 30, seed: 1)
            try await scene.register("a", car)
            try await scene.settled("a", copies: 1)
            // A shorter file at the same place; the first node has the old one open.
            _ = try scene.car("a.car", sections: 29, seed: 2)
            let second = try scene.node("node2")
            try await eventually {
                let placed = try await scene.database.placedShard(ShardKey("a"))
                return placed?.placements.contains { !$0.error.isEmpty } ?? false
            }
            #expect(try second.store.status(of: ShardKey("a")) == nil)
            for node in [first, second] { await node.kill() }
        }

        @Test(
            "while the database is away, nodes serve and refuse changes",
            .timeLimit(.minutes(10))
        )
        func databaseAway() async throws {
            let server = try await DatabaseServer()
            try await DatabaseServer.$current.withValue(server) {
                let scene = try await ClusterScene(copies: 1, patience: .seconds(10))
                let node = try scene.node("node1")
                let car = try scene.car("a.car", seed: 1)
                try await scene.register("a", car)
                try await scene.settled("a", copies: 1)
                server.crash()
                #expect(try await node.hasBlocks(of: car))
                let other = try scene.car("b.car", seed: 2)
                await #expect(throws: DAGStoreError(.catalogUnreachable)) {
                    try await scene.register("b", other)
                }
                await eventually { node.notices.contains("the cluster is away") }
                try await server.start()
                await eventually { node.notices.contains("the cluster is back") }
                try await scene.register("b", other)
                try await scene.settled("b", copies: 1)
                #expect(try await node.hasBlocks(of: other))
                await node.kill()
            }
            server.stop()
        }

        @Test("a second process with a node's number ends the first", .timeLimit(.minutes(10)))
        func twin() async throws {
            let scene = try await ClusterScene()
            let node = try scene.node("node1")
            await eventually { node.member.incarnation > 0 }
            let profile = node.member.profile
            let first = node.member.incarnation
            let later = try await scene.database.join(profile)
            #expect(later == first + 1)
            #expect(await node.failure() as? DAGStoreError == DAGStoreError(.invalidConfiguration))
            await node.kill()
        }

        @Test("a store of another cluster does not join", .timeLimit(.minutes(10)))
        func foreign() async throws {
            let scene = try await ClusterScene()
            let other = try await ClusterScene()
            let node = try scene.node("node1")
            await node.kill()
            #expect(throws: DAGStoreError(.invalidArgument)) {
                try NodeNumber(in: .init(scene.folder.path(of: "node1")), of: other.facts.id)
            }
            let member = ClusterMember(
                node.member.profile,
                of: other.facts.id,
                in: other.database,
                store: node.store
            )
            await #expect(throws: DAGStoreError(.invalidArgument)) { try await member.run() }
        }

        @Test("a node that drains hands its shards over before it leaves", .timeLimit(.minutes(10)))
        func drain() async throws {
            let scene = try await ClusterScene(copies: 1)
            let first = try scene.node("node1")
            let car = try scene.car("a.car", seed: 1)
            try await scene.register("a", car)
            try await scene.settled("a", copies: 1)
            let second = try scene.node("node2")
            await eventually { second.member.incarnation > 0 }
            try await first.member.drain()
            let placed = try #require(try await scene.database.placedShard(ShardKey("a")))
            #expect(placed.holders.contains(second.number.node))
            #expect(try await second.hasBlocks(of: car))
            try await first.member.leave()
            #expect(try await scene.database.nodes().map(\.state) == [.left, .active])
            for node in [first, second] { await node.kill() }
        }

        @Test("a store becomes the first node, and no CAR is read", .timeLimit(.minutes(10)))
        func adoption() async throws {
            let server = try #require(DatabaseServer.current)
            let folder = try TemporaryFolder()
            var configuration = Configuration()
            configuration.mapSize = 1 << 32
            configuration.durability = .relaxed
            let store = try DAGStore.open(
                at: .init(folder.path(of: "store")),
                configuration: configuration
            )
            for number in 0..<3 {
                let car = CARBuilder.uniform(sections: 9, blockSize: 50, seed: UInt64(number))
                let path = try folder.write(car.bytes, to: "\(number).car")
                try await store.register(ShardKey("s\(number)"), from: FileMount(.init(path)))
            }
            let address = try server.makeDatabase()
            let database = try ClusterDatabase(at: address)
            let facts = try ClusterFacts(copies: 1, hashKey: store.hashKey.bytes)
            try await database.create(facts)
            let number = try NodeNumber(in: .init(folder.path(of: "store")), of: facts.id)
            let member = ClusterMember(
                NodeProfile(id: number.node, name: "first", url: "", release: "test"),
                of: facts.id,
                in: database,
                store: store
            )
            let generations = try store.stateTimes()
            // The second call finds everything done.
            for _ in 0..<2 {
                var outcomes: [AdoptedShard.Outcome] = []
                try await member.adopt(isShared: false) { outcomes.append($0.outcome) }
                #expect(outcomes == [.published, .published, .published])
            }
            #expect(try store.stateTimes() == generations)
            let placed = try await database.shards()
            #expect(placed.map(\.shard.state) == [.available, .available, .available])
            #expect(placed.allSatisfy { $0.holders == [number.node] })
            #expect(placed.allSatisfy { $0.shard.reach == number.node })
            await store.close()
        }

        @Test("the last node drains at once", .timeLimit(.minutes(10)))
        func lastDrain() async throws {
            let scene = try await ClusterScene(copies: 2)
            let node = try scene.node("node1")
            try await scene.register("a", try scene.car("a.car", seed: 1))
            try await scene.settled("a", copies: 1)
            try await node.member.drain()
            await node.kill()
        }
    }
#endif
