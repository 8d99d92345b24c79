/// What a client of a node asks it to run: a verb of the program, as if on the client's own terminal.
///
/// ```
/// "dagstore-verb 1\n"  then records, each a name, "=", a value and a zero byte:
///   argument=…    once for each argument after the program's name, in order
///   directory=…   the client's working directory
///   variable=NAME=VALUE   an environment variable
///   terminal=output|error   a stream that is a terminal
///   columns=…     the width of the terminal
/// ```
package struct VerbRequest: Sendable, Equatable {
    private static let heading = "dagstore-verb 1\n"
    /// The most bytes of a request: an argument list of the system may have 2 MiB.
    package static let sizeMax = 4 << 20

    /// The arguments after the program's name.
    package var arguments: [String]
    /// The client's working directory; empty if it has no name.
    package var directory: String
    /// The environment variables that verbs read.
    package var variables: [String: String]
    /// Whether standard output is a terminal.
    package var isOutputTerminal: Bool
    /// Whether standard error is a terminal.
    package var isErrorTerminal: Bool
    /// The width of the terminal, if there is one.
    package var columns: Int?

    /// Makes a request without variables and terminals.
    package init(_ arguments: [String], directory: String) {
        self.arguments = arguments
        self.directory = directory
        variables = [:]
        isOutputTerminal = false
        isErrorTerminal = false
    }

    /// The variables that go with a request.
    package static let passedVariables = [
        "COLUMNS", "DAGSTORE_MAP_SIZE", "DAGSTORE_PATH", "LANG", "LC_ALL", "LC_CTYPE", "TERM",
    ]

    /// The request's bytes; nil if a value has a zero byte.
    package var encoded: [UInt8]? {
        var records = arguments.map { ("argument", $0) } + [("directory", directory)]
        records += variables.sorted { $0.key < $1.key }.map {
            ("variable", "\($0.key)=\($0.value)")
        }
        if isOutputTerminal { records.append(("terminal", "output")) }
        if isErrorTerminal { records.append(("terminal", "error")) }
        if let columns { records.append(("columns", "\(columns)")) }
        guard records.allSatisfy({ !$0.1.utf8.contains(0) }) else { return nil }
        return Array(Self.heading.utf8) + records.flatMap { Array("\($0.0)=\($0.1)\0".utf8) }
    }

    /// Reads a request; nil if it is malformed.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count <= Self.sizeMax, bytes.starts(with: Self.heading.utf8), bytes.last == 0
        else { return nil }
        self.init([], directory: "")
        let content = bytes.dropFirst(Self.heading.utf8.count).dropLast()
        for record in content.split(separator: 0, omittingEmptySubsequences: false) {
            guard let text = String(validating: record, as: UTF8.self),
                let sign = text.firstIndex(of: "=")
            else { return nil }
            let value = String(text[text.index(after: sign)...])
            switch (text[..<sign], value) {
            case ("argument", _): arguments.append(value)
            case ("directory", _): directory = value
            case ("variable", _):
                guard let second = value.firstIndex(of: "="),
                    Self.passedVariables.contains(String(value[..<second]))
                else { return nil }
                variables[String(value[..<second])] = String(value[value.index(after: second)...])
            case ("terminal", "output"): isOutputTerminal = true
            case ("terminal", "error"): isErrorTerminal = true
            case ("columns", _):
                guard let number = Int(value), (1...100_000).contains(number) else { return nil }
                columns = number
            // A newer client may send more.
            default: break
            }
        }
    }
}
