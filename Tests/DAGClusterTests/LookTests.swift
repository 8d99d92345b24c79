#if Cluster
    import DAGStorage
    import SharedReads
    import TestSupport
    import Testing

    @testable import DAGCluster

    @Suite("Looks at the database that many share")
    struct LookTests {
        /// Work that waits until it may go on.
        private final class Work: Sendable {
            let gate = Gate()
            private let counter = Lock(0)

            var count: Int { counter.withLock { $0 } }

            func run() async throws {
                counter.withLock { $0 += 1 }
                try await gate.pass(heedingCancellation: false)
            }
        }

        @Test("a caller waits for work that begins after its call", .timeLimit(.minutes(1)))
        func later() async throws {
            let work = Work()
            let look = SharedLook { try await work.run() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await look.run() }
                await eventually { work.count == 1 }
                let called = Lock(0)
                for _ in 0..<100 {
                    group.addTask {
                        called.withLock { $0 += 1 }
                        try await look.run()
                    }
                }
                await eventually { called.withLock { $0 } == 100 }
                work.gate.open()
                try await group.waitForAll()
            }
            // The first work began before the other calls, and one more served all of these, or nearly all.
            #expect((2...20).contains(work.count))
            try await look.run()
            #expect(work.count >= 3)
        }

        @Test("all callers get the error, and later calls try again", .timeLimit(.minutes(1)))
        func failing() async throws {
            let isAway = Lock(true)
            let look = SharedLook {
                if isAway.withLock({ $0 }) { throw DAGStoreError(.catalogUnreachable) }
            }
            for _ in 0..<2 {
                await #expect(throws: DAGStoreError(.catalogUnreachable)) { try await look.run() }
            }
            isAway.withLock { $0 = false }
            try await look.run()
        }

        @Test("while the database is away, one request at a time tries")
        func refusal() throws {
            let away = DAGStoreError(.catalogUnreachable)
            let refusal = Refusal(pause: .zero)
            try refusal.begin()
            try refusal.begin()
            refusal.end(away)
            refusal.end(nil)
            try refusal.begin()
            refusal.end(away)
            try refusal.begin()
            #expect(throws: away) { try refusal.begin() }
            refusal.end(away)
            try refusal.begin()
            refusal.end(DAGStoreError(.catalogCorrupt))
            try refusal.begin()
            try refusal.begin()

            let patient = Refusal(pause: .seconds(3600))
            try patient.begin()
            patient.end(away)
            #expect(throws: away) { try patient.begin() }
        }

        @Test(
            "requests of clients fail at once while the database is away",
            .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
            .timeLimit(.minutes(2))
        )
        func clients() async throws {
            // Nobody listens on the port of discarded bytes.
            let database = try ClusterDatabase(
                at: "postgresql://dag@127.0.0.1:9/none",
                patience: .milliseconds(100),
                isForClients: true
            )
            for _ in 0..<1000 {
                await #expect(throws: DAGStoreError(.catalogUnreachable)) {
                    _ = try await database.nodes()
                }
            }
        }
    }
#endif
