#if Cluster && Node
    import DAGMounts
    import DAGStorage
    import Foundation
    import PostgreSQL
    import TestSupport
    import Testing

    @testable import DAGCluster

    @Suite(
        "The catalog of a cluster",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer()
    )
    struct CatalogTests {
        @Test(
            "a registration is a row, and a second one with its key an error",
            .timeLimit(.minutes(2))
        )
        func register() async throws {
            let scene = try await ClusterScene()
            let car = try scene.car("a.car", seed: 1)
            let first = try await scene.register("a", car)
            await #expect(throws: DAGStoreError(.shardExists)) {
                try await scene.register("a", car)
            }
            let second = try await scene.register("b", car)
            #expect(second > first)
            let placed = try await scene.database.shards()
            #expect(placed.map(\.shard.key.text) == ["a", "b"])
            #expect(placed.map(\.shard.state) == [.registered, .registered])
            #expect(placed.map(\.shard.mountURL) == [car.mount.url.text, car.mount.url.text])
            #expect(try await scene.database.totals().indexJobCount == 2)
        }

        @Test("of many registrations with one key, one succeeds", .timeLimit(.minutes(2)))
        func race() async throws {
            let scene = try await ClusterScene()
            let car = try scene.car("a.car", seed: 1)
            let made = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        let database =
                            number % 2 == 0
                            ? scene.database : try ClusterDatabase(at: scene.address)
                        do {
                            _ = try await database.register(ShardKey("a"), from: car.mount.url)
                            return true
                        } catch let error as DAGStoreError where error.code == .shardExists {
                            return false
                        }
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(made == 1)
            #expect(try await scene.database.shards().count == 1)
        }

        @Test("many registrations at once get numbers of their own", .timeLimit(.minutes(2)))
        func numbers() async throws {
            let scene = try await ClusterScene()
            let car = try scene.car("a.car", seed: 1)
            let numbers = try await withThrowingTaskGroup(of: UInt32.self) { group in
                for number in 0..<40 {
                    group.addTask { try await scene.register("s\(number)", car) }
                }
                return try await group.reduce(into: Set<UInt32>()) { $0.insert($1) }
            }
            #expect(numbers.count == 40)
        }

        @Test(
            "keys and URLs of all kinds come back as they were",
            .timeLimit(.minutes(2)),
            arguments: [
                "../x", "a/b c", "line\nbreak", "'; DROP TABLE dagstore_shards; --",
                "🐘\u{202e}\"\\",
                String(repeating: "k", count: 480), "e\u{301}", "é",
            ]
        )
        func hostileKeys(text: String) async throws {
            let scene = try await ClusterScene()
            let key = try ShardKey(text)
            let url = try MountURL("https://host.example/a%20b?q='\"&x=\\u0000")
            _ = try await scene.database.register(key, from: url)
            let shard = try #require(try await scene.database.shard(key))
            #expect(Array(shard.key.text.utf8) == Array(text.utf8))
            #expect(shard.mountURL == url.text)
            try await scene.database.destroy(key)
            #expect(try await scene.database.shard(key) == nil)
        }

        @Test("what is not there, or not failed, is an error", .timeLimit(.minutes(2)))
        func absent() async throws {
            let scene = try await ClusterScene()
            let key = try ShardKey("a")
            await #expect(throws: DAGStoreError(.shardUnknown)) {
                try await scene.database.destroy(key)
            }
            await #expect(throws: DAGStoreError(.shardUnknown)) {
                try await scene.database.recover(key)
            }
            try await scene.register("a", try scene.car("a.car", seed: 1))
            await #expect(throws: DAGStoreError(.notFailed)) {
                try await scene.database.recover(key)
            }
        }

        @Test(
            "a registration whose connection breaks happens once",
            .timeLimit(.minutes(2)),
            arguments: [
                DatabaseProxy.Fault.cutAfter("COMMIT"), .cutBefore("COMMIT"), .cutAfter("register"),
            ]
        )
        func lostAnswer(fault: DatabaseProxy.Fault) async throws {
            let scene = try await ClusterScene()
            let car = try scene.car("a.car", seed: 1)
            let server = try #require(DatabaseServer.current)
            let proxy = try await DatabaseProxy(to: server.port)
            let plain = scene.address.replacing(":\(server.port)/", with: ":\(proxy.port)/")
                .replacing("sslmode=prefer", with: "sslmode=disable&gssencmode=disable")
            let database = try ClusterDatabase(at: plain)
            _ = try await database.register(ShardKey("first"), from: car.mount.url)
            proxy.inject(fault)
            let number = try await database.register(ShardKey("a"), from: car.mount.url)
            let shard = try #require(try await scene.database.shard(ShardKey("a")))
            #expect(shard.number == number)
            #expect(try await scene.database.shards().count == 2)
            // The fault was met: a connection broke.
            #expect(proxy.acceptedCount >= 2)
        }

        @Test("an unreachable database is an error with its own code", .timeLimit(.minutes(2)))
        func unreachable() async throws {
            let database = try ClusterDatabase(
                at: "postgresql://dag@127.0.0.1:1/none",
                patience: .milliseconds(300)
            )
            await #expect(throws: DAGStoreError(.catalogUnreachable)) { try await database.facts() }
            #expect(throws: DAGStoreError(.invalidArgument)) {
                try ClusterDatabase(at: "postgresql://a:b@c@d/e")
            }
        }

        @Test("a wrong password is an error that waiting does not mend", .timeLimit(.minutes(2)))
        func denied() async throws {
            let server = try #require(DatabaseServer.current)
            let database = try ClusterDatabase(
                at: server.address(of: "postgres", user: "dag:wrong")
            )
            await #expect(throws: DAGStoreError(.invalidConfiguration)) {
                try await database.facts()
            }
        }

        @Test("a server that only reads is an error with its own code", .timeLimit(.minutes(2)))
        func readOnly() async throws {
            let scene = try await ClusterScene()
            try scene.query(
                "ALTER DATABASE \(scene.databaseName) SET default_transaction_read_only = on"
            )
            let database = try ClusterDatabase(at: scene.address)
            #expect(try await database.nodes() == [])
            await #expect(throws: DAGStoreError(.readOnly)) {
                try await database.register(ShardKey("a"), from: MountURL("file:///a.car"))
            }
        }

        // MARK: Jobs

        private static let one = [UInt8](repeating: 1, count: 16)
        private static let two = [UInt8](repeating: 2, count: 16)

        @Test("a job has one worker, until its lease runs out", .timeLimit(.minutes(2)))
        func leases() async throws {
            let scene = try await ClusterScene()
            let database = scene.database
            try await scene.register("a", try scene.car("a.car", seed: 1))
            let first = try #require(
                try await database.claim(.index, for: Self.one, lease: .milliseconds(1))
            )
            var second: JobLease?
            try await eventually {
                second = try await database.claim(.index, for: Self.two, lease: .seconds(60))
                return second != nil
            }
            #expect(second?.epoch == first.epoch + 1)
            #expect(second?.attempts == 2)
            #expect(try await database.claim(.index, for: Self.one, lease: .seconds(60)) == nil)
            // The first worker wakes up late, and can do nothing any more.
            await #expect(throws: JobLost.self) {
                try await database.renew(first, lease: .seconds(9))
            }
            let shard = try #require(try await database.shard(ShardKey("a")))
            await #expect(throws: JobLost.self) {
                try await database.fail(shard, first, DAGStoreError(.mountGone))
            }
            #expect(try await database.shard(ShardKey("a"))?.state == .registered)
            try await database.fail(shard, try #require(second), DAGStoreError(.mountGone, "gone"))
            let failed = try #require(try await database.shard(ShardKey("a")))
            #expect(failed.state == .failed)
            #expect(failed.errorCode == .mountGone)
            #expect(failed.error == "gone")
            try await database.recover(ShardKey("a"))
            #expect(try await database.shard(ShardKey("a"))?.state == .registered)
            #expect(try await database.claim(.index, for: Self.one, lease: .seconds(9)) != nil)
        }

        @Test("a worker from before a recovery publishes nothing", .timeLimit(.minutes(2)))
        func staleEpoch() async throws {
            let scene = try await ClusterScene()
            let database = scene.database
            try await scene.register("a", try scene.car("a.car", seed: 1))
            let before = try #require(try await database.shard(ShardKey("a")))
            let first = try #require(
                try await database.claim(.index, for: Self.one, lease: .seconds(60))
            )
            try await database.fail(before, first, DAGStoreError(.mountGone, "gone"))
            try await database.recover(ShardKey("a"))
            // Its epoch is that of the first claim, because the job is a new one.
            let second = try #require(
                try await database.claim(.index, for: Self.two, lease: .seconds(60))
            )
            #expect(second.epoch == first.epoch)
            await #expect(throws: JobLost.self) {
                try await database.fail(before, first, DAGStoreError(.mountGone, "late"))
            }
            #expect(try await database.shard(ShardKey("a"))?.state == .registered)
        }

        @Test("a node that drains gets no jobs", .timeLimit(.minutes(2)))
        func drainingNode() async throws {
            let scene = try await ClusterScene()
            let database = scene.database
            let profile = NodeProfile(id: Self.one, name: "one", url: "", release: "test")
            _ = try await database.join(profile)
            try await scene.register("a", try scene.car("a.car", seed: 1))
            try await database.setState(.draining, of: Self.one)
            #expect(try await database.claim(.index, for: Self.one, lease: .seconds(9)) == nil)
            // A restart does not undo what an operator wants.
            _ = try await database.join(profile)
            #expect(try await database.nodes().map(\.state) == [.draining])
            try await database.setState(.leaving, of: Self.one)
            _ = try await database.join(profile)
            #expect(try await database.nodes().map(\.state) == [.active])
            #expect(try await database.claim(.index, for: Self.one, lease: .seconds(9)) != nil)
        }

        @Test("only the node that reaches a mount gets the job", .timeLimit(.minutes(2)))
        func reach() async throws {
            let scene = try await ClusterScene()
            let car = try scene.car("a.car", seed: 1)
            _ = try await scene.database.register(
                ShardKey("a"),
                from: car.mount.url,
                reach: Self.two
            )
            #expect(
                try await scene.database.claim(.index, for: Self.one, lease: .seconds(9)) == nil
            )
            #expect(
                try await scene.database.claim(.index, for: Self.two, lease: .seconds(9)) != nil
            )
        }

        @Test("a worker whose shard was destroyed publishes nothing", .timeLimit(.minutes(2)))
        func destroyedMeanwhile() async throws {
            let scene = try await ClusterScene()
            try await scene.register("a", try scene.car("a.car", seed: 1))
            let shard = try #require(try await scene.database.shard(ShardKey("a")))
            let job = try #require(
                try await scene.database.claim(.index, for: Self.one, lease: .seconds(60))
            )
            let blobs = Blobs(
                database: scene.database,
                bytes: DatabaseBytes(database: scene.database)
            )
            let bytes: [UInt8] = [1, 2, 3]
            let name = try BlobName(Checksums.sha256(bytes))
            var pieces = [bytes][...]
            try await blobs.put(name, size: 3) { pieces.popFirst() }
            try await scene.database.destroy(ShardKey("a"))
            let indexed = IndexedShard(
                bundle: name,
                bundleSize: 3,
                sourceSize: 1,
                blockCount: 1,
                multihashCount: 1,
                payloadSize: 1,
                rootCount: 0,
                run: nil
            )
            await #expect(throws: JobLost.self) {
                try await scene.database.publish(indexed, of: shard, job, by: Self.one)
            }
            #expect(try scene.query("SELECT count(*) FROM dagstore_placements") == "0")
        }
    }
#endif
