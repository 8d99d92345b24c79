#if Cluster && Node
    import TestSupport
    import Testing

    @testable import PostgreSQL

    @Suite(
        "Broken connections",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer()
    )
    struct FaultTests {
        /// A database with a table, behind a proxy.
        private struct Scene {
            let proxy: DatabaseProxy
            let pool: ConnectionPool
            /// A way around the proxy.
            let direct: ConnectionPool

            init() async throws {
                let server = try #require(DatabaseServer.current)
                let address = try server.makeDatabase()
                proxy = try await DatabaseProxy(to: server.port)
                direct = ConnectionPool(to: try DatabaseAddress(address))
                let port = proxy.port
                // Without TLS, so that the proxy can read.
                let plain = address.replacing(":\(server.port)/", with: ":\(port)/")
                    .replacing("sslmode=prefer", with: "sslmode=disable&gssencmode=disable")
                pool = ConnectionPool(to: try DatabaseAddress(plain))
                try direct.transaction(until: .late) { try $0.run("CREATE TABLE t(a bigint)") }
            }

            func insert(_ number: Int64, until deadline: ContinuousClock.Instant = .late) throws {
                try pool.transaction(until: deadline) { transaction in
                    try transaction.run("INSERT INTO t VALUES ($1)", .integer(number))
                }
            }

            var rows: [Int64] {
                get throws {
                    try direct.transaction(until: .late) { transaction in
                        let rows = try transaction.run("SELECT a FROM t ORDER BY a")
                        return try (0..<rows.count).map { try rows.integer($0, 0) }
                    }
                }
            }
        }

        @Test("an idle session that died is replaced", .timeLimit(.minutes(10)))
        func idle() async throws {
            let scene = try await Scene()
            try scene.insert(1)
            scene.proxy.cutAll()
            try scene.insert(2)
            #expect(try scene.rows == [1, 2])
        }

        @Test(
            "a transaction whose connection breaks before its commit runs again, once",
            .timeLimit(.minutes(10)),
            arguments: [
                // "dag0" is the name of the prepared statement, which a warm session sends without its text.
                DatabaseProxy.Fault.cutBefore("dag0"), .cutAfter("dag0"), .cutBefore("BEGIN"),
                .cutAfter("BEGIN"),
            ]
        )
        func beforeCommit(fault: DatabaseProxy.Fault) async throws {
            let scene = try await Scene()
            try scene.insert(0)
            scene.proxy.inject(fault)
            try scene.insert(1)
            #expect(try scene.rows == [0, 1])
            #expect(scene.proxy.acceptedCount == 2)
        }

        @Test("a commit whose answer is lost is not repeated", .timeLimit(.minutes(10)))
        func afterCommit() async throws {
            let scene = try await Scene()
            scene.proxy.inject(.cutAfter("COMMIT"))
            #expect(throws: PostgreSQLError(.unknownOutcome, "")) { try scene.insert(1) }
            try await eventually { try scene.rows == [1] }
            scene.proxy.inject(.cutBefore("COMMIT"))
            #expect(throws: PostgreSQLError(.unknownOutcome, "")) { try scene.insert(2) }
            #expect(try scene.rows == [1])
        }

        @Test("an idle session that stays silent is replaced", .timeLimit(.minutes(10)))
        func silentIdle() async throws {
            let scene = try await Scene()
            try scene.insert(1)
            scene.proxy.inject(.stall)
            // The server itself ends a session that is idle in a transaction after 30 seconds.
            try scene.insert(2, until: .now + .seconds(20))
            #expect(try scene.rows == [1, 2])
            #expect(scene.proxy.acceptedCount == 2)
        }

        @Test("a server that stops answering is given up at the deadline", .timeLimit(.minutes(10)))
        func stall() async throws {
            let scene = try await Scene()
            scene.proxy.inject(.stall)
            #expect(throws: PostgreSQLError(.deadlineExceeded, "")) {
                try scene.insert(1, until: .now + .milliseconds(300))
            }
            try scene.insert(2)
            #expect(try scene.rows == [2])
        }

        @Test("a server that restarts is waited for", .timeLimit(.minutes(10)))
        func restart() async throws {
            let server = try await DatabaseServer()
            let pool = ConnectionPool(to: try DatabaseAddress(server.makeDatabase()))
            try pool.transaction(until: .late) { try $0.run("CREATE TABLE t(a bigint)") }
            server.crash()
            async let failure = onThread {
                _ = try pool.transaction(until: .late) { try $0.run("INSERT INTO t VALUES (1)") }
            }
            try await server.start()
            #expect(await failure == nil)
            server.stop()
        }
    }
#endif
