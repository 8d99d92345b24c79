#if Cluster
    internal import CDAGPQ

    /// The answer of a statement.
    ///
    /// *Cost*: the answer is in memory as a whole; each value is copied when it is asked for.
    ///
    /// *Concurrency*: the thread that ran the statement.
    @safe package final class Rows {
        // SAFETY: libpq's result, which this object alone owns and frees.
        private let result: OpaquePointer
        /// The number of rows.
        package let count: Int
        private let columnCount: Int

        /// Takes over a result.
        init(owning result: OpaquePointer) {
            // SAFETY: an open result, which the caller hands over.
            unsafe self.result = result
            count = Int(unsafe PQntuples(result))
            columnCount = Int(unsafe PQnfields(result))
        }

        deinit {
            // SAFETY: no caller has a pointer into the result, because values are copies.
            unsafe PQclear(result)
        }

        /// The number of rows that the statement inserted, updated or deleted.
        package var changeCount: Int {
            // SAFETY: a text that ends with NUL and lives as long as the result.
            unsafe Int(String(cString: PQcmdTuples(result))) ?? 0
        }

        /// The words with which the server ends a statement, such as `COMMIT`.
        var tag: String {
            // SAFETY: a text that ends with NUL and lives as long as the result.
            unsafe String(cString: PQcmdStatus(result))
        }

        /// Whether the result begins a transfer of `COPY`.
        var isCopy: Bool {
            // SAFETY: the open result.
            unsafe [PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH].contains(
                PQresultStatus(result)
            )
        }

        /// The server's error, if the result is one.
        var failure: PostgreSQLError? {
            // SAFETY: the open result; texts end with NUL and live as long as it.
            let status = unsafe PQresultStatus(result)
            let successes = [
                PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY, PGRES_SINGLE_TUPLE,
            ]
            guard !successes.contains(status) else { return nil }
            if isCopy { return PostgreSQLError(.rejected, "COPY is no statement of a transaction") }
            // 'C' is PG_DIAG_SQLSTATE, 'M' the primary sentence, 'D' the detail; Swift does not see these macros.
            func field(_ letter: UInt8) -> String? {
                unsafe PQresultErrorField(result, Int32(letter)).map { unsafe String(cString: $0) }
            }
            let words = [field(UInt8(ascii: "M")), field(UInt8(ascii: "D"))].compactMap(\.self)
            guard let state = field(UInt8(ascii: "C")) else {
                let own =
                    unsafe PQresultErrorMessage(result).map { unsafe String(cString: $0) } ?? ""
                return PostgreSQLError(.connectionLost, own.singleLine)
            }
            return PostgreSQLError(sqlState: state, words.joined(separator: "; ").singleLine)
        }

        /// Returns a `bigint`, `integer` or `smallint`.
        ///
        /// - Throws: `malformedRow` if the value is NULL or has another type.
        package func integer(_ row: Int, _ column: Int) throws(PostgreSQLError) -> Int64 {
            guard let number = try optionalInteger(row, column) else {
                throw mismatch(column, "a number, not NULL")
            }
            return number
        }

        /// Returns a number as `integer` does; nil for NULL.
        ///
        /// - Throws: `malformedRow` if the value has another type.
        package func optionalInteger(
            _ row: Int,
            _ column: Int
        ) throws(PostgreSQLError) -> Int64? {
            let types = [
                SQLValue.TypeNumber.int8, SQLValue.TypeNumber.int4, SQLValue.TypeNumber.int2,
            ]
            guard let bytes = try value(row, column, types) else { return nil }
            guard [2, 4, 8].contains(bytes.count), let first = bytes.first else {
                throw mismatch(column, "a number")
            }
            let start = Int64(Int8(bitPattern: first))
            return bytes.dropFirst().reduce(start) { $0 << 8 | Int64($1) }
        }

        /// Returns a `boolean`.
        ///
        /// - Throws: `malformedRow` if the value is NULL or has another type.
        package func truth(_ row: Int, _ column: Int) throws(PostgreSQLError) -> Bool {
            guard let byte = try value(row, column, [SQLValue.TypeNumber.bool])?.first else {
                throw mismatch(column, "a truth value, not NULL")
            }
            return byte != 0
        }

        /// Returns a `bytea`.
        ///
        /// - Throws: `malformedRow` if the value is NULL or has another type.
        package func bytes(_ row: Int, _ column: Int) throws(PostgreSQLError) -> [UInt8] {
            guard let bytes = try optionalBytes(row, column) else {
                throw mismatch(column, "bytes, not NULL")
            }
            return bytes
        }

        /// Returns a `bytea`; nil for NULL.
        ///
        /// - Throws: `malformedRow` if the value has another type.
        package func optionalBytes(
            _ row: Int,
            _ column: Int
        ) throws(PostgreSQLError) -> [UInt8]? {
            try value(row, column, [SQLValue.TypeNumber.bytea])
        }

        /// Returns a `text` or `varchar`.
        ///
        /// - Throws: `malformedRow` if the value is NULL, has another type, or is not UTF-8.
        package func text(_ row: Int, _ column: Int) throws(PostgreSQLError) -> String {
            guard let text = try optionalText(row, column) else {
                throw mismatch(column, "a text, not NULL")
            }
            return text
        }

        /// Returns a text as `text` does; nil for NULL.
        ///
        /// - Throws: `malformedRow` if the value has another type, or is not UTF-8.
        package func optionalText(_ row: Int, _ column: Int) throws(PostgreSQLError) -> String? {
            let types = [SQLValue.TypeNumber.text, SQLValue.TypeNumber.varchar]
            guard let bytes = try value(row, column, types) else { return nil }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw mismatch(column, "a text in UTF-8")
            }
            return text
        }

        /// Copies a value; nil for NULL.
        private func value(
            _ row: Int,
            _ column: Int,
            _ types: [UInt32]
        ) throws(PostgreSQLError) -> [UInt8]? {
            precondition(row >= 0 && row < count, "a row outside the answer")
            precondition(column >= 0 && column < columnCount, "a column outside the answer")
            // SAFETY: row and column lie inside the result, which lives as long as this object. libpq gives the
            // size of each value, and the copy ends with it.
            guard unsafe PQgetisnull(result, Int32(row), Int32(column)) == 0 else { return nil }
            guard unsafe types.contains(PQftype(result, Int32(column))) else {
                throw mismatch(column, "another type than \(unsafe PQftype(result, Int32(column)))")
            }
            let size = Int(unsafe PQgetlength(result, Int32(row), Int32(column)))
            guard let start = unsafe PQgetvalue(result, Int32(row), Int32(column)), size > 0 else {
                return []
            }
            return unsafe Array(UnsafeRawBufferPointer(start: start, count: size))
        }

        private func mismatch(_ column: Int, _ expected: String) -> PostgreSQLError {
            // SAFETY: NULL, or a text that ends with NUL and lives as long as the result.
            let name = unsafe PQfname(result, Int32(column)).map { unsafe String(cString: $0) }
            return PostgreSQLError(
                .malformedRow,
                "column \"\(name ?? "\(column)")\" should have \(expected)"
            )
        }
    }
#endif
