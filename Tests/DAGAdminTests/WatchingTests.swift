#if Node
    @testable import DAGAdmin
    import DAGMounts
    @testable import DAGStorage
    import SystemPackage
    import TestSupport
    import Testing

    @Suite("The watchdog and the history", .timeLimit(.minutes(2)))
    struct WatchingTests {
        private static func shard(
            _ key: String,
            _ step: PassingShard.Step,
            for duration: Duration,
            fetched: UInt64 = 0,
            job: UInt64 = 1
        ) throws -> PassingShard {
            PassingShard(
                key: try ShardKey(key),
                state: .initializing,
                mountURL: "https://a.example/x.car",
                jobNumber: job,
                since: 0,
                duration: duration,
                step: step,
                bytesFetched: fetched,
                callerCount: 1
            )
        }

        private static func withStore(_ body: (DAGStore) async throws -> Void) async throws {
            let folder = try TemporaryFolder()
            let store = try DAGStore.open(at: FilePath(folder.path(of: "store")))
            try await body(store)
            await store.close(cancellingJobs: true)
        }

        @Test("a shard that stands still beyond the limit is named once in the log")
        func stuck() async throws {
            try await Self.withStore { store in
                let log = KeptLog()
                let watchdog = Watchdog(store, limit: .seconds(60), logger: log.logger)
                let start = ContinuousClock.now
                watchdog.receive(
                    [try Self.shard("a", .reachingSource, for: .seconds(59))],
                    at: start
                )
                #expect(watchdog.stuck == [])
                for later in [2, 10, 100] {
                    let shard = try Self.shard("a", .reachingSource, for: .seconds(59 + later))
                    watchdog.receive([shard], at: start + .seconds(later))
                    #expect(watchdog.stuck.map(\.key) == [try ShardKey("a")])
                    #expect(watchdog.stuck[0].waitsFor == "an answer of https://a.example/x.car")
                    #expect(Int(watchdog.stuck[0].seconds) == 59 + later)
                }
                #expect(log.lines.count == 1)
                #expect(log.lines[0].contains("key=a"))
                watchdog.receive([], at: start + .seconds(101))
                #expect(watchdog.stuck == [])
            }
        }

        @Test("a shard whose bytes advance, or whose step changes, is not stuck")
        func advances() async throws {
            try await Self.withStore { store in
                let watchdog = Watchdog(store, limit: .seconds(60), logger: AdminScene.silent)
                let start = ContinuousClock.now
                for minute in 0..<10 {
                    let age = Duration.seconds(50 * minute)
                    let copied = try Self.shard("a", .copying, for: age, fetched: UInt64(minute))
                    let indexed = try Self.shard(
                        "b",
                        .indexing(bytesDone: UInt64(minute), bytesTotal: 100),
                        for: age
                    )
                    watchdog.receive([copied, indexed], at: start + age)
                    #expect(watchdog.stuck == [], "\(minute)")
                }
                // Another job of the same shard begins anew.
                let next = try Self.shard("a", .copying, for: .seconds(1), fetched: 9, job: 2)
                watchdog.receive([next], at: start + .seconds(2000))
                #expect(watchdog.stuck == [])
            }
        }

        @Test("a queue that moves is not stuck, and one that stands is")
        func queues() async throws {
            try await Self.withStore { store in
                let watchdog = Watchdog(store, limit: .seconds(60), logger: AdminScene.silent)
                let start = ContinuousClock.now
                for round in 1..<10 {
                    let age = Duration.seconds(50 * round)
                    // Another job has ended since the last look.
                    let runs = try Self.shard(
                        "b",
                        .opening,
                        for: .seconds(1),
                        job: UInt64(9 + round)
                    )
                    let waits = try Self.shard("a", .waitingForTurn, for: age)
                    watchdog.receive([runs, waits], at: start + age)
                    if round > 1 { #expect(watchdog.stuck == [], "\(round)") }
                }
                for later in [50, 120] {
                    let age = Duration.seconds(450 + later)
                    let waits = try Self.shard("a", .waitingForTurn, for: age)
                    let runs = try Self.shard("b", .opening, for: .seconds(1 + later), job: 18)
                    watchdog.receive([runs, waits], at: start + age)
                }
                #expect(Set(watchdog.stuck.compactMap(\.key?.text)) == ["a", "b"])
            }
        }

        @Test("a job of a mount that hangs is found, with what it waits for")
        func hangs() async throws {
            let folder = try TemporaryFolder()
            let car = CARBuilder.uniform(sections: 3, blockSize: 10, seed: 1)
            var faults = FaultyMount.Faults(car.bytes)
            faults.hanging = [.stat]
            let state = FaultyMount.State(faults)
            let mount = try FaultyMount(state)
            var mounts = MountRegistry.standard
            try mounts.register(mount, scheme: "faulty")
            let store = try DAGStore.open(at: FilePath(folder.path(of: "store")), mounts: mounts)
            let key = try ShardKey("h")
            let registering = Task { try await store.register(key, from: mount) }
            let watchdog = Watchdog(store, limit: .nanoseconds(1), logger: AdminScene.silent)
            await eventually {
                watchdog.look()
                return watchdog.stuck.contains { $0.waitsFor == "an answer of faulty://bytes" }
            }
            let passing = try await store.passingShards()
            #expect(passing.map(\.key) == [key])
            #expect(passing[0].state == .initializing)
            #expect(passing[0].callerCount == 1)
            state.gate.open()
            _ = try await registering.value
            #expect(try await store.passingShards() == [])
            await eventually {
                watchdog.look()
                return watchdog.stuck == []
            }
            await store.close(cancellingJobs: true)
        }

        @Test("a shard keeps its latest events, and many shards take bounded room")
        func history() throws {
            let history = ShardHistory()
            func event(_ key: String, _ number: UInt64) throws -> ShardEvent {
                ShardEvent(
                    number: number,
                    operation: .recover,
                    key: try ShardKey(key),
                    state: .recovering,
                    references: 0,
                    error: nil
                )
            }
            var number: UInt64 = 0
            for count in 0..<60 {
                number += 1
                history.add(try event("a", number), at: UInt64(count))
            }
            let entries = history.entries(of: try ShardKey("a"))
            #expect(entries.count == ShardHistory.entriesMax)
            #expect(entries.first?.time == 59)
            #expect(entries.last?.time == 10)
            for count in 0..<(3 * ShardHistory.shardsMax) {
                number += 1
                history.add(try event("k\(count)", number), at: 0)
            }
            #expect(history.entries(of: try ShardKey("a")).isEmpty)
            #expect(history.entries(of: try ShardKey("k0")).isEmpty)
            let last = 3 * ShardHistory.shardsMax - 1
            #expect(history.entries(of: try ShardKey("k\(last)")).count == 1)
            let oldest = last - ShardHistory.shardsMax + 1
            #expect(history.entries(of: try ShardKey("k\(oldest)")).count == 1)
        }
    }
#endif
