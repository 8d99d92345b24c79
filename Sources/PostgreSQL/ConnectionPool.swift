#if Cluster
    internal import DAGSystem
    internal import SharedReads

    /// Sessions with one database, and transactions in them.
    ///
    /// The calls block, so callers use threads of their own. The pool has as many sessions as callers at once.
    ///
    /// *Concurrency*: any thread.
    package final class ConnectionPool: Sendable {
        /// When the pool repeats a transaction.
        package struct Repetition: Sendable {
            /// The attempts that other transactions may spoil; only the deadline limits the others.
            package var attemptsMax = 12
            /// The pause before the second attempt; each later one is twice as long.
            package var pauseMin: Duration = .milliseconds(5)
            /// The longest pause.
            package var pauseMax: Duration = .seconds(1)

            /// Creates the usual rules.
            package init() {}

            /// Returns the pause after an attempt; half of it is random, so that rivals do not meet again.
            ///
            /// - Parameters:
            ///   - attempt: The attempt that failed, from 1.
            ///   - jitter: A random number from 0 to 1.
            /// - Returns: The pause.
            func pause(after attempt: Int, jitter: Double) -> Duration {
                let whole = min(pauseMax, pauseMin * (1 << min(max(attempt - 1, 0), 20)))
                return whole / 2 + whole / 2 * jitter
            }
        }

        private struct State {
            /// The last one was used last.
            var idle: [Connection] = []
            var isClosed = false
            var conflictCount: UInt64 = 0
        }

        /// Where the database is.
        package let address: DatabaseAddress
        private let repetition: Repetition
        private let idleMax: Int
        private let state = Lock(State())

        /// Creates a pool without a session; the first transaction opens one.
        ///
        /// - Parameters:
        ///   - address: Where the database is.
        ///   - idleMax: The sessions that stay open between transactions.
        ///   - repetition: When the pool repeats a transaction.
        package init(
            to address: DatabaseAddress,
            idleMax: Int = 4,
            repetition: Repetition = Repetition()
        ) {
            precondition(idleMax > 0, "a pool keeps at least one session")
            self.address = address
            self.idleMax = idleMax
            self.repetition = repetition
        }

        /// Closes the idle sessions; those in use close when their transactions end.
        package func close() {
            let idle = state.withLock { state in
                state.isClosed = true
                defer { state.idle = [] }
                return state.idle
            }
            withExtendedLifetime(idle) {}
        }

        /// The number of attempts that other transactions have spoiled.
        package var conflictCount: UInt64 { state.withLock { $0.conflictCount } }

        // MARK: Transactions

        /// Runs a transaction, and repeats it while other transactions spoil it.
        ///
        /// *Cost*: two round trips beside the statements; the first transaction of a session opens the session.
        ///
        /// - Parameters:
        ///   - isolation: How far the transaction is kept apart from others.
        ///   - deadline: When the call gives up.
        ///   - body: Runs the statements; it has no other effect, because it may run several times.
        /// - Returns: The result of the run of `body` that was committed.
        /// - Throws: The error of `body`, whose changes are undone; `unknownOutcome` if the connection broke during the
        ///   commit; `conflict` after the last attempt; and as `PostgreSQLError` says.
        @discardableResult
        package func transaction<R>(
            _ isolation: Transaction.Isolation = .serializable,
            until deadline: ContinuousClock.Instant,
            _ body: (borrowing Transaction) throws -> R
        ) throws -> R {
            var attempt = 1
            var spoiledCount = 0
            // The reason why there is no connection says more than that the time is up.
            var refusal: PostgreSQLError?
            while true {
                do {
                    return try run(isolation, until: deadline, body)
                } catch let error as PostgreSQLError where error.code == .deadlineExceeded {
                    throw refusal ?? error
                } catch let error as PostgreSQLError where isWorthRepeating(error, &spoiledCount) {
                    let pause = repetition.pause(after: attempt, jitter: .random(in: 0...1))
                    guard ContinuousClock.now + pause < deadline else { throw error }
                    Pause.wait(pause)
                    attempt += 1
                    refusal = error.code == .unreachable ? error : nil
                }
            }
        }

        /// Whether a transaction left no trace and may succeed now; counts those that others spoiled.
        private func isWorthRepeating(_ error: PostgreSQLError, _ spoiledCount: inout Int) -> Bool {
            switch error.code {
            case .conflict:
                spoiledCount += 1
                state.withLock { $0.conflictCount += 1 }
                return spoiledCount < repetition.attemptsMax
            // Until the deadline: a server that restarts is away for a while.
            case .connectionLost, .unreachable, .busy: return !state.withLock { $0.isClosed }
            default: return false
            }
        }

        private func run<R>(
            _ isolation: Transaction.Isolation,
            until deadline: ContinuousClock.Instant,
            _ body: (borrowing Transaction) throws -> R
        ) throws -> R {
            let connection = try connection(beginning: isolation, until: deadline)
            let result: R
            do {
                result = try body(Transaction(connection, until: deadline))
            } catch {
                // A session that cannot roll back is dropped, and the server rolls back.
                _ = try? connection.run(control: "ROLLBACK", until: deadline)
                keep(connection)
                throw error
            }
            defer { keep(connection) }
            try commit(connection, until: deadline)
            return result
        }

        private func commit(
            _ connection: Connection,
            until deadline: ContinuousClock.Instant
        ) throws(PostgreSQLError) {
            let tag: String
            do throws(PostgreSQLError) {
                tag = try connection.run(control: "COMMIT", until: deadline)
            } catch {
                guard error.code == .connectionLost || error.code == .deadlineExceeded else {
                    throw error
                }
                throw PostgreSQLError(
                    .unknownOutcome,
                    "the commit's answer did not arrive: \(error.detail)",
                    sqlState: error.sqlState
                )
            }
            // The server answers a commit after a failed statement with a rollback, and calls that a success.
            guard tag == "COMMIT" else {
                throw connection.failure
                    ?? PostgreSQLError(.rejected, "the server answered a commit with \(tag)")
            }
        }

        // MARK: Sessions

        /// Takes a session, and begins a transaction in it.
        ///
        /// An idle session may be dead: the server restarted, or vanished without a word. The call then takes the next.
        private func connection(
            beginning isolation: Transaction.Isolation,
            until deadline: ContinuousClock.Instant
        ) throws(PostgreSQLError) -> Connection {
            while let idle = try takeIdle() {
                let limit = min(deadline, .now + Self.idlePatience)
                do throws(PostgreSQLError) {
                    try idle.begin(isolation, until: limit)
                    return idle
                } catch {
                    let isSilent = error.code == .deadlineExceeded && limit < deadline
                    guard isSilent || error.code == .connectionLost else { throw error }
                }
            }
            let connection = try Connection(to: address, until: deadline)
            for setting in Self.settings { try connection.run(control: setting, until: deadline) }
            try connection.begin(isolation, until: deadline)
            return connection
        }

        /// What keeps a node that stops in the middle from blocking others: the server ends its transactions.
        private static let settings = [
            "SET statement_timeout = 60000", "SET idle_in_transaction_session_timeout = 30000",
        ]

        /// How long an idle session may take for the first statement.
        private static let idlePatience = Duration.seconds(2)

        private func takeIdle() throws(PostgreSQLError) -> Connection? {
            try state.withLock { state throws(PostgreSQLError) in
                guard !state.isClosed else {
                    throw PostgreSQLError(
                        .unreachable,
                        "the connections to the database are closed"
                    )
                }
                return state.idle.popLast()
            }
        }

        private func keep(_ connection: Connection) {
            guard connection.isReady else { return }
            state.withLock { state in
                guard !state.isClosed, state.idle.count < idleMax else { return }
                state.idle.append(connection)
            }
        }
    }
#endif
