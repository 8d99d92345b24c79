#if Cluster
    internal import DAGMounts
    internal import DAGStorage
    internal import DAGSystem
    internal import PostgreSQL
    internal import SharedReads

    /// The catalog of a cluster in its database: the one room that knows its tables.
    ///
    /// Transactions are serializable, and run on threads of their own.
    ///
    /// *Concurrency*: any thread or task.
    package final class ClusterDatabase: Sendable {
        /// The longest time for one change or look-up.
        let patience: Duration
        /// Returns the value of an environment variable, where the settings of an object store are.
        let variable: @Sendable (String) -> String?
        private let pool: ConnectionPool
        /// Refuses requests while the database is away; nil for work that waits.
        private let refusal: Refusal?
        private let threads = JobPool(label: "dagstore.cluster", width: 4, sparesMax: 60)
        /// The numbers that this process may give to shards.
        let shardNumbers = Lock(NumberBlock())
        /// Where the database is, for people; without the password.
        package var address: String { pool.address.description }

        /// Creates a catalog; the first transaction opens a connection.
        ///
        /// - Parameters:
        ///   - address: A connection string of libpq, such as `postgresql://user@host/name`.
        ///   - patience: The longest time for one change or look-up.
        ///   - isForClients: Whether calls fail at once while the database is away, but for one a second that tries.
        ///   - variable: Returns the value of an environment variable.
        /// - Throws: `invalidArgument`.
        package init(
            at address: String,
            patience: Duration = .seconds(20),
            isForClients: Bool = false,
            variable: @escaping @Sendable (String) -> String? = ThisProcess.environmentVariable
        ) throws {
            self.patience = patience
            self.variable = variable
            refusal = isForClients ? Refusal() : nil
            do {
                pool = ConnectionPool(to: try DatabaseAddress(address))
            } catch {
                throw DAGStoreError(error)
            }
        }

        /// Closes the idle connections.
        package func close() { pool.close() }

        /// The number of transactions that others have spoiled, and that ran again.
        package var conflictCount: UInt64 { pool.conflictCount }

        // MARK: Transactions

        /// Runs a transaction that may run again: it only reads, or has the same effect twice.
        ///
        /// - Parameters:
        ///   - isolation: How far it is kept apart from others.
        ///   - time: The longest time; nil for the usual one.
        ///   - body: The statements; may run several times, also after a run that was committed.
        /// - Returns: The result of the last run.
        /// - Throws: `catalogUnreachable`, and the errors of `body`.
        func run<R: Sendable>(
            _ isolation: Transaction.Isolation = .serializable,
            within time: Duration? = nil,
            _ body: @escaping @Sendable (borrowing Transaction) throws -> R
        ) async throws -> R {
            try refusal?.begin()
            do {
                let result = try await attempt(isolation, within: time, body)
                refusal?.end(nil)
                return result
            } catch {
                // Any other error is an answer.
                refusal?.end(error as? DAGStoreError)
                throw error
            }
        }

        private func attempt<R: Sendable>(
            _ isolation: Transaction.Isolation,
            within time: Duration?,
            _ body: @escaping @Sendable (borrowing Transaction) throws -> R
        ) async throws -> R {
            let deadline = ContinuousClock.now + (time ?? patience)
            return try await threads.run { [self] in
                while true {
                    do {
                        return try pool.transaction(isolation, until: deadline, body)
                    } catch let error as PostgreSQLError {
                        // The second run shows whether the first was committed.
                        guard error.code == .unknownOutcome, .now < deadline else {
                            throw DAGStoreError(error)
                        }
                    }
                }
            }
        }

        /// Changes the catalog exactly once, also if the answer of a commit is lost.
        ///
        /// The transaction writes the number of the request first. A later run finds the number and the result.
        ///
        /// - Parameters:
        ///   - kind: What the request does, for people.
        ///   - body: The statements; returns a number, which the table of requests keeps.
        /// - Returns: The result of the run that was committed.
        /// - Throws: `catalogUnreachable`, and the errors of `body`, which change nothing.
        @discardableResult
        func change(
            _ kind: String,
            _ body: @escaping @Sendable (borrowing Transaction) throws -> Int64
        ) async throws -> Int64 {
            let request = Array(randomBytes: 16)
            return try await run { transaction in
                let isNew =
                    try transaction.run(
                        """
                        INSERT INTO dagstore_requests (id, kind, outcome, made_at)
                        VALUES ($1, $2, 0, now()) ON CONFLICT (id) DO NOTHING
                        """,
                        .bytes(request),
                        .text(kind)
                    ).changeCount == 1
                guard isNew else {
                    let rows = try transaction.run(
                        "SELECT outcome FROM dagstore_requests WHERE id = $1",
                        .bytes(request)
                    )
                    return try rows.integer(0, 0)
                }
                let outcome = try body(transaction)
                try transaction.run(
                    "UPDATE dagstore_requests SET outcome = $2 WHERE id = $1",
                    .bytes(request),
                    .integer(outcome)
                )
                return outcome
            }
        }

        /// Calls a function that blocks for long, on a thread for it.
        ///
        /// - Parameter body: The function; checks the mark between its steps.
        /// - Returns: The result of the function.
        /// - Throws: The error of the function, such as `CancellationError`.
        func blocking<R: Sendable>(
            canceling body: @escaping @Sendable (CancellationMark) throws -> R
        ) async throws -> R {
            let mark = CancellationMark()
            return try await withTaskCancellationHandler {
                try await threads.run { try body(mark) }
            } onCancel: {
                mark.set()
            }
        }

        /// Calls a function that blocks, on a thread for it.
        func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
            try await threads.run(body)
        }
    }

    /// Numbers that no other process gives away.
    struct NumberBlock: Sendable {
        private var numbers: Range<Int64> = 0..<0
        /// The number of numbers in the next block.
        private(set) var sizeOfNextBlock: Int64 = 1

        /// Takes a number; nil if none is left.
        mutating func next() -> Int64? {
            guard let number = numbers.first else { return nil }
            numbers.removeFirst()
            return number
        }

        /// Keeps a block, and takes its first number; what was left of another block is lost.
        mutating func fill(_ block: Range<Int64>) -> Int64 {
            numbers = block.dropFirst()
            sizeOfNextBlock = min(64, Int64(block.count) * 4)
            return block.lowerBound
        }
    }

    extension Array<UInt8> {
        /// Random bytes for a number that no other process chooses.
        init(randomBytes count: Int) {
            var generator = SystemRandomNumberGenerator()
            self = (0..<count).map { _ in .random(in: 0...255, using: &generator) }
        }

        /// The bytes in lowercase hexadecimal digits.
        package var hexadecimal: String {
            map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
    }
#endif
