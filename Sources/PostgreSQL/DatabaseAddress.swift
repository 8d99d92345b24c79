#if Cluster
    internal import CDAGPQ

    /// Where a database is, and how to log in: a connection string of libpq.
    ///
    /// *Shape*: a URL such as `postgresql://user@host:5432/name?sslmode=verify-full`, or `host=… dbname=…`.
    ///
    /// *Source*: PostgreSQL 15, 34.1.1 "Connection Strings".
    package struct DatabaseAddress: Sendable, CustomStringConvertible {
        /// The text, which may hold a password.
        let connectionString: String
        /// The host, port, user and name of the database, for people; without the password.
        package let description: String

        /// Checks a connection string.
        ///
        /// The first call of a process loads libpq, some milliseconds. The call opens no connection.
        ///
        /// - Throws: `noLibrary`; `malformedAddress`, whose text quotes no value.
        package init(_ text: String) throws(PostgreSQLError) {
            // SAFETY: a text that ends with NUL and lives as long as the process. Every function of libpq needs an
            // address first, so none is called before this.
            if let missing = unsafe dagpq_load() {
                throw PostgreSQLError(.noLibrary, unsafe String(cString: missing))
            }
            // libpq would end the text at a NUL.
            guard !text.isEmpty, !text.utf8.contains(0) else {
                throw PostgreSQLError(.malformedAddress, "the address of the database is empty")
            }
            let options = try Self.options(of: text)
            // An unescaped character of a password moves its rest into another option.
            let isMoved = ["host", "hostaddr", "dbname"].contains {
                // A host that begins with it is an abstract socket.
                options[$0]?.dropFirst().contains("@") ?? false
            }
            let ports = options["port"] ?? ""
            guard !isMoved, ports.allSatisfy({ $0.isNumber || $0 == "," }) else {
                throw Self.malformed
            }
            connectionString = text
            let names = ["host", "hostaddr", "port", "user", "dbname", "sslmode"]
            let parts = names.compactMap { name in options[name].map { "\(name)=\($0)" } }
            description = parts.isEmpty ? "the default database" : parts.joined(separator: " ")
        }

        private static let malformed = PostgreSQLError(
            .malformedAddress,
            "the address of the database is malformed; write "
                + "postgresql://USER@HOST:PORT/DATABASE?sslmode=verify-full, with %40 for @ in a password"
        )

        /// The options that a text sets.
        private static func options(of text: String) throws(PostgreSQLError) -> [String: String] {
            var message: UnsafeMutablePointer<CChar>?
            // SAFETY: a text that ends with NUL; libpq allocates the array, which this call frees.
            let first = unsafe PQconninfoParse(text, &message)
            // libpq's sentence may quote the text, and with it a password.
            unsafe PQfreemem(message)
            guard let first = unsafe first else {
                throw malformed
            }
            defer { unsafe PQconninfoFree(first) }
            var options: [String: String] = [:]
            var place = unsafe first
            // SAFETY: the array ends with an option without a keyword; its texts end with NUL.
            while let keyword = unsafe place.pointee.keyword {
                if let value = unsafe place.pointee.val {
                    unsafe options[String(cString: keyword)] = String(cString: value)
                }
                unsafe place += 1
            }
            return options
        }
    }
#endif
