#if Cluster
    import TestSupport
    import Testing

    @testable import PostgreSQL

    /// Opens a session, and closes it.
    private func connect(_ address: String) throws {
        let pool = ConnectionPool(to: try DatabaseAddress(address))
        try pool.transaction(until: .now + .seconds(4)) { try $0.run("SELECT 1") }
    }

    @Suite(
        "Logging in",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer(usesTLS: true)
    )
    struct LoginTests {
        private let server: DatabaseServer

        init() throws { server = try #require(DatabaseServer.current) }

        @Test("a wrong password, user or database is told apart", .timeLimit(.minutes(10)))
        func refusals() throws {
            for (address, code) in [
                (server.address(of: "postgres", user: "dag:secret"), .denied),
                (server.address(of: "postgres", user: "nobody:secret"), .denied),
                (server.address(of: "elsewhere"), .missing),
            ] as [(String, PostgreSQLError.Code)] {
                let error = #expect(throws: PostgreSQLError.self) { try connect(address) }
                #expect(error?.code == code, "\(error?.description ?? "")")
                #expect(error?.description.contains("secret") == false)
            }
        }

        @Test("a password is needed", .timeLimit(.minutes(10)))
        func noPassword() {
            let address = server.address(of: "postgres", user: DatabaseServer.user)
            #expect(throws: PostgreSQLError(.denied, "")) { try connect(address) }
        }

        @Test("the certificate is checked", .timeLimit(.minutes(10)))
        func certificates() throws {
            let trusted = "sslmode=verify-full&sslrootcert=\(server.authority)"
            let address = server.address(of: "postgres", options: trusted)
            // The certificate names localhost, and the address a number.
            #expect(throws: PostgreSQLError(.unreachable, "")) {
                try connect(address)
            }
            try connect(address.replacing("@127.0.0.1:", with: "@localhost:"))
            let other = server.address(
                of: "postgres",
                options: "sslmode=verify-full&sslrootcert=\(server.otherAuthority)"
            )
            #expect(throws: PostgreSQLError(.unreachable, "")) {
                try connect(other.replacing("@127.0.0.1:", with: "@localhost:"))
            }
        }

        @Test("a session that may only read says so", .timeLimit(.minutes(10)))
        func readOnly() throws {
            let address = try server.makeDatabase()
            let name = String(address.split(separator: "/").last?.prefix { $0 != "?" } ?? "")
            try server.query(
                "ALTER DATABASE \(name) SET default_transaction_read_only = on",
                in: "postgres"
            )
            let pool = ConnectionPool(to: try DatabaseAddress(address))
            #expect(throws: PostgreSQLError(.readOnly, "")) {
                try pool.transaction(until: .late) { try $0.run("CREATE TABLE t(a bigint)") }
            }
        }
    }
#endif
