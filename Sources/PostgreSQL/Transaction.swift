#if Cluster
    /// An open transaction.
    ///
    /// *Concurrency*: the thread of the transaction's body, until the body returns.
    package struct Transaction: ~Copyable {
        /// How far a transaction is kept apart from others.
        package enum Isolation: String, Sendable {
            /// As if transactions ran one after the other.
            case serializable = "SERIALIZABLE"
            /// One snapshot; needed for `SKIP LOCKED`, which YugabyteDB lacks at `serializable`.
            case repeatableRead = "REPEATABLE READ"
        }

        private let connection: Connection
        private let deadline: ContinuousClock.Instant

        init(_ connection: Connection, until deadline: ContinuousClock.Instant) {
            self.connection = connection
            self.deadline = deadline
        }

        /// Runs a statement.
        ///
        /// *Cost*: a round trip; the first run in a session has another one, which prepares the statement.
        ///
        /// - Parameters:
        ///   - statement: One statement with `$1`, `$2`, ….
        ///   - values: Its parameters.
        /// - Returns: The answer.
        /// - Throws: The server's error, after which the transaction can only end; `connectionLost`,
        ///   `deadlineExceeded`.
        @discardableResult
        package borrowing func run(
            _ statement: String,
            _ values: SQLValue...
        ) throws(PostgreSQLError) -> Rows {
            try connection.run(statement, values, until: deadline)
        }
    }
#endif
