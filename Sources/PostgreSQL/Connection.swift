#if Cluster
    internal import CDAGPQ
    internal import DAGSystem

    /// One session with the server.
    ///
    /// Every wait has an end: the calls use libpq without blocking, and wait for the socket with `poll`.
    ///
    /// *Concurrency*: one thread at a time, any thread.
    @safe final class Connection: @unchecked Sendable {
        // SAFETY: libpq's connection, which this object alone owns and closes. `@unchecked Sendable`: a connection
        // belongs to no thread, and the pool lends each to one thread at a time.
        private let handle: OpaquePointer
        /// The names of the prepared statements, by their SQL.
        private var prepared: [String: String] = [:]
        /// The first error of the server since the last `begin`.
        private(set) var failure: PostgreSQLError?
        /// Whether the server no longer runs a prepared statement, because another node changed a table.
        private var isStale = false
        /// The longest wait for the socket alone: TLS may hold bytes that the socket no longer shows.
        private static let pollMax = Duration.milliseconds(200)
        /// The most prepared statements of a session, each of which holds memory of the server.
        private static let preparedMax = 256

        /// Opens a session.
        ///
        /// - Parameters:
        ///   - address: Where the database is.
        ///   - deadline: When the call gives up. The look-up of a host name may exceed it. Of several hosts, one that
        ///     stays silent uses up the time of the others.
        /// - Throws: `unreachable`, `denied`, `missing`, `busy`, `deadlineExceeded`.
        init(
            to address: DatabaseAddress,
            until deadline: ContinuousClock.Instant
        ) throws(PostgreSQLError) {
            let options = [
                ("dbname", address.connectionString), ("client_encoding", "UTF8"),
                ("fallback_application_name", "dagstore"),
            ]
            var names = unsafe options.map { unsafe UnsafePointer(strdup($0.0)) } + [nil]
            var values = unsafe options.map { unsafe UnsafePointer(strdup($0.1)) } + [nil]
            defer {
                // SAFETY: `strdup` allocated these, and libpq copied them.
                unsafe (names + values).forEach {
                    unsafe free(UnsafeMutableRawPointer(mutating: $0))
                }
            }
            // SAFETY: both arrays end with NULL and have texts that end with NUL. 1: the first option is a whole
            // connection string.
            guard let handle = unsafe PQconnectStartParams(&names, &values, 1) else {
                throw PostgreSQLError(.full, "no memory for a connection to the database")
            }
            unsafe self.handle = handle
            // SAFETY: the open handle of this object; the receiver uses neither argument. libpq would write to
            // standard error.
            unsafe PQsetNoticeReceiver(handle, { _, _ in }, nil)
            try open(address, until: deadline)
            // SAFETY: the open handle of this object.
            guard unsafe PQsetnonblocking(handle, 1) == 0 else { throw lost() }
        }

        deinit {
            // SAFETY: no other object has the handle.
            unsafe PQfinish(handle)
        }

        /// Whether the session can begin a transaction, as far as the client knows.
        var isReady: Bool {
            // SAFETY: the open handle of this object.
            unsafe !isStale && PQstatus(handle) == CONNECTION_OK
                && PQtransactionStatus(handle) == PQTRANS_IDLE
        }

        private func open(
            _ address: DatabaseAddress,
            until deadline: ContinuousClock.Instant
        ) throws(PostgreSQLError) {
            var next = PGRES_POLLING_WRITING
            while true {
                // SAFETY: the open handle of this object. The failure of a start shows here too.
                guard unsafe PQstatus(handle) != CONNECTION_BAD else { throw refusal(address) }
                switch next {
                case PGRES_POLLING_OK: return
                case PGRES_POLLING_READING:
                    try wait(Int16(POLLIN), atMost: nil, until: deadline)
                case PGRES_POLLING_WRITING:
                    try wait(Int16(POLLOUT), atMost: nil, until: deadline)
                default: throw refusal(address)
                }
                next = unsafe PQconnectPoll(handle)
            }
        }

        /// Waits for the socket, at most `limit`.
        ///
        /// - Throws: `deadlineExceeded`, `connectionLost`.
        private func wait(
            _ events: Int16,
            atMost limit: Duration? = Connection.pollMax,
            until deadline: ContinuousClock.Instant
        ) throws(PostgreSQLError) {
            while true {
                // SAFETY: the open handle of this object; one structure, which lives through the call.
                var file = unsafe pollfd(fd: PQsocket(handle), events: events, revents: 0)
                guard file.fd >= 0 else { throw lost() }
                let left = deadline - .now
                guard left > .zero else {
                    throw PostgreSQLError(.deadlineExceeded, "the database does not answer in time")
                }
                let time = Pause.milliseconds(min(left, limit ?? left))
                if unsafe poll(&file, 1, time) > 0 || limit != nil { return }
            }
        }

        // MARK: Statements

        /// Begins a transaction.
        ///
        /// - Throws: As `run(_:_:until:)`.
        func begin(
            _ isolation: Transaction.Isolation,
            until deadline: ContinuousClock.Instant
        ) throws(PostgreSQLError) {
            failure = nil
            try run(control: "BEGIN ISOLATION LEVEL \(isolation.rawValue)", until: deadline)
        }

        /// Runs a statement with its parameters, and reads the whole answer.
        ///
        /// - Parameters:
        ///   - statement: One statement with `$1`, `$2`, …; the first run prepares it.
        ///   - values: Its parameters.
        ///   - deadline: When the call gives up; the session is of no use then.
        /// - Returns: The answer.
        /// - Throws: The server's error; `connectionLost`, `deadlineExceeded`.
        func run(
            _ statement: String,
            _ values: [SQLValue],
            until deadline: ContinuousClock.Instant
        ) throws(PostgreSQLError) -> Rows {
            let name = try prepare(statement, until: deadline)
            let encoded = values.map(\.encoded)
            var sizes: [Int32] = []
            for (value, bytes) in zip(values, encoded) {
                let size = bytes?.count ?? 0
                guard !value.isTooLarge, let size = Int32(exactly: size) else {
                    throw PostgreSQLError(.rejected, "a parameter of \(size) bytes is too large")
                }
                sizes.append(size)
            }
            let formats = [Int32](repeating: 1, count: values.count)
            // Parameters lie one after the other in one buffer, which has a byte more for parameters without bytes.
            var buffer: [UInt8] = []
            buffer.reserveCapacity(sizes.reduce(1) { $0 + Int($1) })
            for case let bytes? in encoded { buffer += bytes }
            buffer.append(0)
            let isSent = unsafe buffer.withUnsafeBytes { buffer in
                var offset = 0
                var places: [UnsafePointer<CChar>?] = unsafe []
                let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
                for (bytes, size) in zip(encoded, sizes) {
                    // SAFETY: the buffer holds all parameters in this order.
                    unsafe places.append(bytes == nil ? nil : start.map { unsafe $0 + offset })
                    offset += Int(size)
                }
                // SAFETY: each array has an element for each parameter; libpq copies the bytes. 1: a binary answer.
                return unsafe PQsendQueryPrepared(
                    handle,
                    name,
                    Int32(values.count),
                    places,
                    sizes,
                    formats,
                    1
                ) == 1
            }
            guard isSent else { throw lost() }
            return try answer(until: deadline)
        }

        /// Runs statements without parameters, which control the session.
        ///
        /// - Throws: As `run(_:_:until:)`.
        @discardableResult
        func run(
            control statement: String,
            until deadline: ContinuousClock.Instant
        ) throws(PostgreSQLError) -> String {
            // SAFETY: the open handle of this object, and a text that ends with NUL.
            guard unsafe PQsendQuery(handle, statement) == 1 else { throw lost() }
            return try answer(until: deadline).tag
        }

        private func prepare(
            _ statement: String,
            until deadline: ContinuousClock.Instant
        ) throws(PostgreSQLError) -> String {
            if let name = prepared[statement] { return name }
            if prepared.count >= Self.preparedMax {
                try run(control: "DEALLOCATE ALL", until: deadline)
                prepared = [:]
            }
            let name = "dag\(prepared.count)"
            // SAFETY: texts that end with NUL; no types, so that the server infers them.
            guard unsafe PQsendPrepare(handle, name, statement, 0, nil) == 1 else { throw lost() }
            _ = try answer(until: deadline)
            prepared[statement] = name
            return name
        }

        /// Sends what waits, and reads all results.
        ///
        /// - Returns: The last result.
        /// - Throws: The first error.
        private func answer(
            until deadline: ContinuousClock.Instant
        ) throws(PostgreSQLError) -> Rows {
            // SAFETY: in this function: the open handle of this object.
            while true {
                let state = unsafe PQflush(handle)
                if state == 0 { break }
                guard state == 1 else { throw lost() }
                try wait(Int16(POLLIN | POLLOUT), until: deadline)
                guard unsafe PQconsumeInput(handle) == 1 else { throw lost() }
            }
            var last: Rows?
            var failure: PostgreSQLError?
            while true {
                while unsafe PQisBusy(handle) == 1 {
                    try wait(Int16(POLLIN), until: deadline)
                    // What the server said before its end does not say what became of a commit.
                    guard unsafe PQconsumeInput(handle) == 1 else { throw lost(failure) }
                }
                guard let result = unsafe PQgetResult(handle) else { break }
                let rows = unsafe Rows(owning: result)
                failure = failure ?? rows.failure
                // The server waits for data or sends some, and libpq would return this result for ever.
                if let failure, rows.isCopy { throw failure }
                last = rows
            }
            if let failure {
                self.failure = self.failure ?? failure
                isStale = isStale || failure.isStaleStatement
                throw isStale ? lost(failure) : failure
            }
            guard let last else { throw lost() }
            return last
        }

        // MARK: Errors

        /// The error of a connection that did not open.
        private func refusal(_ address: DatabaseAddress) -> PostgreSQLError {
            // Before a session exists, libpq keeps no state of the server, only its words.
            let words = ownWords
            let code: PostgreSQLError.Code =
                // SAFETY: the open handle of this object.
                if unsafe PQconnectionNeedsPassword(handle) == 1 {
                    .denied
                } else if words.contains("not currently accepting connections") {
                    // An administrator has closed the database for a while.
                    .busy
                } else if let state = Self.state(of: words) {
                    PostgreSQLError(sqlState: state, words).code
                } else {
                    .unreachable
                }
            return PostgreSQLError(code, "connect to \(address): \(words)")
        }

        /// Finds the state of a refusal by the server's words in English; nil if they are unknown.
        ///
        /// Translated words count as `unreachable`, which callers may repeat.
        private static func state(of words: String) -> String? {
            // The first that fits counts: "too many connections for role" has two.
            let known = [
                ("too many", "53300"), ("remaining connection slots", "53300"),
                ("the database system is", "57P03"), ("authentication failed", "28P01"),
                ("no pg_hba.conf entry", "28000"), ("permission denied for database", "42501"),
                ("role \"", "28000"), ("database \"", "3D000"),
            ]
            // The server's sentence begins with its severity.
            guard words.contains("FATAL:") else { return nil }
            return known.first { words.contains($0.0) }?.1
        }

        /// The error of a session that broke.
        private func lost(_ reason: PostgreSQLError? = nil) -> PostgreSQLError {
            PostgreSQLError(
                .connectionLost,
                "the connection to the database broke: \(reason?.detail ?? ownWords)",
                sqlState: reason?.sqlState ?? ""
            )
        }

        /// libpq's words about the last failure.
        private var ownWords: String {
            // SAFETY: a text that ends with NUL and stays until the next call.
            let text = unsafe PQerrorMessage(handle).map { unsafe String(cString: $0) } ?? ""
            return text.singleLine
        }
    }

    extension String {
        /// The words on one line.
        var singleLine: String {
            split(whereSeparator: \.isNewline).map {
                String($0.drop { $0 == " " || $0 == "\t" })
            }.joined(separator: " ")
        }
    }
#endif
