#if Cluster
    /// An error of the database, or of the way to it.
    ///
    /// Two errors are equal when their codes are equal.
    ///
    /// | code               | cause                                                        | may pass by itself |
    /// |--------------------|--------------------------------------------------------------|--------------------|
    /// | `noLibrary`        | libpq is not installed                                       | no                 |
    /// | `malformedAddress` | the text is no connection string of libpq                    | no                 |
    /// | `unreachable`      | no connection: no server, no route, a refused TLS session    | yes                |
    /// | `denied`           | a wrong password or user, or a missing privilege             | no                 |
    /// | `missing`          | no such database, schema, table or column                    | no                 |
    /// | `busy`             | the server has no connection left, or starts or stops        | yes                |
    /// | `connectionLost`   | the connection broke; the open transaction left no trace     | yes                |
    /// | `unknownOutcome`   | the connection broke during a commit                         | no                 |
    /// | `deadlineExceeded` | the caller's time is over; the open transaction left no trace | yes               |
    /// | `conflict`         | another transaction won; the attempts are used up            | yes                |
    /// | `duplicate`        | a unique constraint                                          | no                 |
    /// | `violation`        | another constraint                                           | no                 |
    /// | `readOnly`         | the server is a replica, or the session may only read        | no                 |
    /// | `full`             | the server has no disk or memory left                        | yes                |
    /// | `malformedRow`     | a value has another type than the caller expects             | no                 |
    /// | `rejected`         | any other error of the server                                | no                 |
    ///
    /// *Source*: PostgreSQL 15, appendix A, "PostgreSQL Error Codes".
    package struct PostgreSQLError: Error, Sendable, Equatable, CustomStringConvertible {
        /// The kind of error.
        package enum Code: String, CaseIterable, Sendable {
            case noLibrary, malformedAddress, unreachable, denied, missing, busy, connectionLost
            case unknownOutcome, deadlineExceeded, conflict, duplicate, violation, readOnly, full
            case malformedRow, rejected
        }

        /// The kind of error.
        package let code: Code
        /// The server's five characters, such as `23505`; empty if the server sent none.
        package let sqlState: String
        /// The sentence for people, without passwords.
        package let detail: String

        /// Creates an error.
        package init(_ code: Code, _ detail: String, sqlState: String = "") {
            self.code = code
            self.detail = detail
            self.sqlState = sqlState
        }

        /// Creates the error for a state that the server sent.
        ///
        /// - Parameters:
        ///   - sqlState: Five characters.
        ///   - detail: The server's sentence.
        init(sqlState: String, _ detail: String) {
            self.init(Self.code(of: sqlState), detail, sqlState: sqlState)
        }

        private static func code(of state: String) -> Code {
            switch state {
            case "40001", "40P01": .conflict
            case "23505": .duplicate
            // The server does not know itself whether it has committed.
            case "40003": .unknownOutcome
            case "40002": .violation
            case "25006": .readOnly
            case "42501": .denied
            case "3D000", "3F000", "42P01", "42703", "42883": .missing
            case "53100", "53200": .full
            case "53300", "57P03": .busy
            // The server ended the session: a shutdown, a crash of another session, an idle transaction.
            case "57P01", "57P02", "57P05", "25P03": .connectionLost
            // The server's own limit on a statement or on the wait for a lock.
            case "57014", "55P03": .deadlineExceeded
            default:
                switch state.prefix(2) {
                case "08": .connectionLost
                case "23": .violation
                case "28": .denied
                case "40": .conflict
                default: .rejected
                }
            }
        }

        /// Whether a prepared statement must be prepared again.
        var isStaleStatement: Bool {
            sqlState == "26000" || (sqlState == "0A000" && detail.contains("cached plan"))
        }

        /// Whether the same call may succeed later, without another effect if it succeeded already.
        package var isTransient: Bool {
            switch code {
            case .unreachable, .busy, .connectionLost, .deadlineExceeded, .conflict, .full: true
            default: false
            }
        }

        /// Compares the codes.
        package static func == (one: Self, other: Self) -> Bool { one.code == other.code }

        /// The sentence and the server's state.
        package var description: String {
            sqlState.isEmpty ? detail : "\(detail) (SQLSTATE \(sqlState))"
        }
    }
#endif
