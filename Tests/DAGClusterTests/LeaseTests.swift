#if Cluster
    import DAGMounts
    import DAGStorage
    import SharedReads
    import TestSupport
    import Testing

    @testable import DAGCluster

    /// Jobs whose leases are renewed while their work goes on, and copies that wait for their nodes.
    @Suite(
        "Leases and waiting copies",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer(),
        .timeLimit(.minutes(10))
    )
    struct LeaseTests {
        private static let node = [UInt8](repeating: 7, count: 16)

        private func join(_ scene: ClusterScene) async throws {
            _ = try await scene.database.join(
                NodeProfile(id: Self.node, name: "node", url: "", release: "test")
            )
        }

        // A publication removes its job; the renewal took this for the loss of the job.
        @Test("the result of work counts although its job is gone", arguments: [false, true])
        func publishedMeanwhile(isPublished: Bool) async throws {
            let scene = try await ClusterScene(copies: 1)
            try await join(scene)
            let store = try DAGStore.open(at: .init(scene.folder.path(of: "store")))
            var times = ClusterTimes()
            times.lease = .milliseconds(300)
            let member = ClusterMember(
                NodeProfile(id: Self.node, name: "node", url: "", release: "test"),
                of: scene.facts.id,
                in: scene.database,
                store: store,
                times: times
            )
            _ = try await scene.database.register(ShardKey("a"), from: MountURL("file:///a.car"))
            let claimed = try await scene.database.claim(
                .index,
                for: Self.node,
                lease: .seconds(600)
            )
            let job = try #require(claimed)
            let wasCanceled = Lock(false)
            func work() async throws {
                try await member.keeping(job) {
                    try await scene.database.remove(job)
                    // Until the renewal finds the job gone.
                    try? await Gate().pass(heedingCancellation: true)
                    wasCanceled.withLock { $0 = Task.isCancelled }
                    if !isPublished { try Task.checkCancellation() }
                }
            }
            if isPublished {
                try await work()
            } else {
                await #expect(throws: JobLost.self) { try await work() }
            }
            #expect(wasCanceled.withLock { $0 })
            await store.close()
        }

        @Test("copies that a node cannot make do not stop the placing")
        func postponed() async throws {
            let scene = try await ClusterScene(copies: 1)
            try await join(scene)
            _ = try await scene.database.register(ShardKey("a"), from: MountURL("file:///a.car"))
            let id = String(repeating: "07", count: 16)
            try scene.query(
                """
                UPDATE dagstore_shards SET state = 1;
                INSERT INTO dagstore_placements
                SELECT decode('\(id)', 'hex'), 1000 + n, 'k' || n, 'file:///x', 0, 0, '', now()
                FROM generate_series(1, \(ClusterDatabase.wantedMax)) AS n
                """
            )
            func place() async throws -> String {
                let claimed = try await scene.database.claim(
                    .place,
                    for: Self.node,
                    lease: .seconds(600)
                )
                let job = try #require(claimed)
                _ = try await scene.database.place(
                    job,
                    copies: 1,
                    deadAfter: .seconds(600),
                    isJudge: true
                )
                try await scene.database.release(job, runAgainIn: .zero)
                return try scene.query(
                    "SELECT count(*) FROM dagstore_placements WHERE key = 'a' AND state = 0"
                )
            }
            #expect(try await place() == "0")
            try await scene.database.postponeWanted(
                on: Self.node,
                DAGStoreError(.mountUnreachable, "the bytes are away"),
                retryAfter: .seconds(600)
            )
            #expect(try await place() == "1")
            let reasons = "SELECT DISTINCT error FROM dagstore_placements WHERE error_code <> 0"
            #expect(try scene.query(reasons) == "the bytes are away")
        }
    }
#endif
