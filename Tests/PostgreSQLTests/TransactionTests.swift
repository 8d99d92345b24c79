#if Cluster
    import Foundation
    import Synchronization
    import TestSupport
    import Testing

    @testable import PostgreSQL

    extension ContinuousClock.Instant {
        /// A moment that no sound test reaches.
        static var late: Self { .now + .seconds(60) }
    }

    extension ConnectionPool {
        /// A pool of an empty database of the suite's server.
        static func empty() throws -> ConnectionPool {
            let server = try #require(DatabaseServer.current)
            return ConnectionPool(to: try DatabaseAddress(server.makeDatabase()))
        }
    }

    @Suite(
        "Transactions",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer()
    )
    struct TransactionTests {
        @Test("values return as they were sent", .timeLimit(.minutes(10)))
        func values() throws {
            let pool = try ConnectionPool.empty()
            let large = (0..<SQLValue.bytesMax).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try pool.transaction(until: .late) { transaction in
                let rows = try transaction.run(
                    """
                    SELECT $1::bigint, $2::bytea, $3::text, $4::boolean, $5::bigint, $6::bytea, \
                    $1::integer, $1::smallint
                    """,
                    .integer(-31_000),
                    .bytes(large),
                    .text("süß 🐘"),
                    .truth(true),
                    .null,
                    .bytes([])
                )
                #expect(rows.count == 1)
                #expect(try rows.integer(0, 0) == -31_000)
                #expect(try rows.bytes(0, 1) == large)
                #expect(try rows.text(0, 2) == "süß 🐘")
                #expect(try rows.truth(0, 3))
                #expect(try rows.optionalInteger(0, 4) == nil)
                #expect(try rows.bytes(0, 5) == [])
                #expect(try rows.integer(0, 6) == -31_000)
                #expect(try rows.integer(0, 7) == -31_000)
                #expect(throws: PostgreSQLError(.malformedRow, "")) { try rows.integer(0, 4) }
                #expect(throws: PostgreSQLError(.malformedRow, "")) { try rows.integer(0, 2) }
                #expect(throws: PostgreSQLError(.malformedRow, "")) { try rows.text(0, 1) }
            }
        }

        @Test("arrays become rows", .timeLimit(.minutes(10)))
        func arrays() throws {
            let pool = try ConnectionPool.empty()
            let numbers: [Int64] = [.min, 0, .max]
            let strings: [[UInt8]] = [[1, 0], [], [255]]
            let found = try pool.transaction(until: .late) { transaction in
                let rows = try transaction.run(
                    "SELECT a, b FROM unnest($1::bigint[], $2::bytea[]) AS t(a, b)",
                    .integers(numbers),
                    .byteStrings(strings)
                )
                return try (0..<rows.count).map { (try rows.integer($0, 0), try rows.bytes($0, 1)) }
            }
            #expect(found.map(\.0) == numbers)
            #expect(found.map(\.1) == strings)
            let none = try pool.transaction(until: .late) { transaction in
                try transaction.run("SELECT a FROM unnest($1::bytea[]) AS t(a)", .byteStrings([]))
                    .count
            }
            #expect(none == 0)
        }

        @Test("a value beyond the limit is refused before it is sent", .timeLimit(.minutes(10)))
        func tooLarge() throws {
            let pool = try ConnectionPool.empty()
            let bytes = [UInt8](repeating: 1, count: SQLValue.bytesMax + 1)
            for value in [SQLValue.bytes(bytes), .byteStrings([[], bytes])] {
                #expect(throws: PostgreSQLError(.rejected, "")) {
                    try pool.transaction(until: .late) { try $0.run("SELECT $1", value) }
                }
            }
        }

        @Test("an error of the body undoes its changes", .timeLimit(.minutes(10)))
        func rollback() throws {
            struct Stop: Error {}
            let pool = try ConnectionPool.empty()
            try pool.transaction(until: .late) {
                try $0.run("CREATE TABLE t(a bigint PRIMARY KEY)")
            }
            #expect(throws: Stop.self) {
                try pool.transaction(until: .late) { transaction in
                    try transaction.run("INSERT INTO t VALUES ($1)", .integer(1))
                    throw Stop()
                }
            }
            #expect(throws: PostgreSQLError(.duplicate, "")) {
                try pool.transaction(until: .late) { transaction in
                    let change = try transaction.run("INSERT INTO t VALUES (2), (3)").changeCount
                    #expect(change == 2)
                    try transaction.run("INSERT INTO t VALUES (2)")
                }
            }
            #expect(throws: PostgreSQLError(.duplicate, "")) {
                // A body that hides the error of a statement does not commit the others.
                try pool.transaction(until: .late) { transaction in
                    try transaction.run("INSERT INTO t VALUES (4)")
                    _ = try? transaction.run("INSERT INTO t VALUES (4)")
                }
            }
            let count = try pool.transaction(until: .late) { transaction in
                try transaction.run("SELECT count(*) FROM t").integer(0, 0)
            }
            #expect(count == 0)
        }

        @Test(
            "transactions that spoil each other are repeated until all are done",
            .timeLimit(.minutes(10))
        )
        func conflicts() async throws {
            let pool = try ConnectionPool.empty()
            try pool.transaction(until: .late) { transaction in
                try transaction.run("CREATE TABLE t(id bigint PRIMARY KEY, count bigint NOT NULL)")
                try transaction.run("INSERT INTO t VALUES (1, 0)")
            }
            let threads = 4
            let turns = 25
            // All threads read once before any of them writes, so that the first transactions spoil each other.
            let readers = Meeting(of: threads)
            let failures = await withTaskGroup(of: String?.self) { group in
                for _ in 0..<threads {
                    group.addTask {
                        await onThread {
                            var hasMet = false
                            for _ in 0..<turns {
                                try pool.transaction(until: .late) { transaction in
                                    let rows = try transaction.run(
                                        "SELECT count FROM t WHERE id = 1"
                                    )
                                    let count = try rows.integer(0, 0)
                                    if !hasMet { readers.wait() }
                                    hasMet = true
                                    try transaction.run(
                                        "UPDATE t SET count = $1 WHERE id = 1",
                                        .integer(count + 1)
                                    )
                                }
                            }
                        }
                    }
                }
                return await group.reduce(into: [String]()) { all, failure in
                    if let failure { all.append(failure) }
                }
            }
            #expect(failures == [])
            let count = try pool.transaction(until: .late) { transaction in
                try transaction.run("SELECT count FROM t").integer(0, 0)
            }
            #expect(count == Int64(threads * turns))
            #expect(pool.conflictCount > 0)
        }

        // The server itself would end the statement after a minute.
        @Test("a statement that takes too long ends at the deadline", .timeLimit(.minutes(1)))
        func deadline() throws {
            let pool = try ConnectionPool.empty()
            let holder = ConnectionPool(to: pool.address)
            try pool.transaction(until: .late) { try $0.run("CREATE TABLE t(a bigint)") }
            try holder.transaction(until: .late) { transaction in
                try transaction.run("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
                #expect(throws: PostgreSQLError(.deadlineExceeded, "")) {
                    try pool.transaction(until: .now + .milliseconds(100)) { transaction in
                        try transaction.run("SELECT a FROM t")
                    }
                }
            }
            // The session went with its statement; the next transaction has another one.
            let one = try pool.transaction(until: .late) { try $0.run("SELECT 1").integer(0, 0) }
            #expect(one == 1)
        }

        @Test("more statements than a session keeps prepared", .timeLimit(.minutes(10)))
        func manyStatements() throws {
            let pool = try ConnectionPool.empty()
            for _ in 0..<2 {
                try pool.transaction(until: .late) { transaction in
                    for number in 0..<300 {
                        let rows = try transaction.run("SELECT \(number)::bigint + $1", .integer(1))
                        #expect(try rows.integer(0, 0) == Int64(number) + 1)
                    }
                }
            }
        }

        @Test(
            "a statement is prepared again when another session changed its table",
            .timeLimit(.minutes(10))
        )
        func staleStatement() throws {
            let pool = try ConnectionPool.empty()
            let other = ConnectionPool(to: pool.address)
            func read() throws -> Int {
                try pool.transaction(until: .late) { try $0.run("SELECT * FROM t").count }
            }
            try pool.transaction(until: .late) { try $0.run("CREATE TABLE t(a bigint)") }
            try other.transaction(until: .late) { try $0.run("INSERT INTO t VALUES (1)") }
            #expect(try read() == 1)
            try other.transaction(until: .late) { try $0.run("ALTER TABLE t ADD b bigint") }
            #expect(try read() == 1)
        }

        @Test("a transfer of COPY is refused, and its session dropped", .timeLimit(.minutes(10)))
        func copy() throws {
            let pool = try ConnectionPool.empty()
            try pool.transaction(until: .late) { try $0.run("CREATE TABLE t(a bigint)") }
            for statement in ["COPY t FROM STDIN", "COPY t TO STDOUT"] {
                #expect(throws: PostgreSQLError(.rejected, "")) {
                    try pool.transaction(until: .late) { try $0.run(statement) }
                }
            }
            let count = try pool.transaction(until: .late) { transaction in
                try transaction.run("SELECT count(*) FROM t").integer(0, 0)
            }
            #expect(count == 0)
        }

        @Test("a closed pool opens nothing", .timeLimit(.minutes(10)))
        func closed() throws {
            let pool = try ConnectionPool.empty()
            pool.close()
            #expect(throws: PostgreSQLError(.unreachable, "")) {
                try pool.transaction(until: .late) { _ in }
            }
        }
    }

    /// Runs `body` on a thread of its own.
    ///
    /// - Returns: The words of its error; nil if it has none.
    func onThread(_ body: @escaping @Sendable () throws -> Void) async -> String? {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                do {
                    try body()
                    continuation.resume(returning: nil)
                } catch {
                    continuation.resume(returning: "\(error)")
                }
            }
        }
    }

    /// A place where threads wait until all have come.
    private final class Meeting: Sendable {
        private let missing: Mutex<Int>
        private let bell = DispatchSemaphore(value: 0)
        private let count: Int

        init(of count: Int) {
            self.count = count
            missing = Mutex(count)
        }

        func wait() {
            let isLast = missing.withLock { missing in
                missing -= 1
                return missing == 0
            }
            if isLast { for _ in 0..<count { bell.signal() } }
            bell.wait()
        }
    }
#endif
