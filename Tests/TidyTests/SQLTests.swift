import TestSupport
import Testing

/// The statements of a cluster run on PostgreSQL, and on engines that speak its protocol.
@Suite("SQL")
struct SQLTests {
    /// Words that only one engine knows, or that tie a program to one server.
    private static let forbidden = [
        "advisory", "listen", "notify", "serial", "nextval", "sequence", "ctid", "xmin", "copy",
        "truncate", "trigger", "function", "returns", "generated", "identity", "unlogged",
        "tablespace",
        "partition", "inherits", "temporary", "temp", "vacuum", "analyze", "cluster", "regclass",
        "pg_catalog", "lateral", "materialized", "ilike", "lock",
    ]

    /// The functions that all engines have.
    private static let functions: Set = [
        "now", "count", "coalesce", "length", "max", "min", "sum", "extract", "current_schema",
        "cast", "any",
        "exists",
        "check",
        "values", "in", "key", "length",
    ]

    /// The statements of a file, one line after the other.
    static func statements(of file: SourceFile) -> [String] {
        let words = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "ALTER ", "WHERE "]
        var statements: [String] = []
        var block: [String]?
        for line in file.lines {
            let text = line.trimmed
            if let open = block {
                guard !text.hasPrefix("\"\"\"") else {
                    let whole = open.joined(separator: " ")
                    if words.contains(where: { whole.contains($0) }) { statements.append(whole) }
                    block = nil
                    continue
                }
                block = open + [text]
            } else if text.hasSuffix("\"\"\"") {
                block = []
            } else {
                statements += text.split(separator: "\"").map(String.init)
                    .filter { part in words.contains { part.hasPrefix($0) } }
            }
        }
        return statements
    }

    /// The names of a machine's time of day in Swift and C.
    private static let clocks = [
        "Date", "gettimeofday", "clock_gettime", "time_t", "SystemClock", "UTCClock",
        "DispatchWallTime",
    ]

    @Test(
        "only the server's clock enters a statement: a node's may be an hour off",
        arguments: try SourceFile.sources().filter {
            $0.target == "DAGCluster" || $0.target == "PostgreSQL"
        }
    )
    func clocks(file: SourceFile) {
        for (number, line) in file.code.enumerated() {
            let found = Self.clocks.filter { line.hasWord($0) }
            #expect(found == [], "\(file.path):\(number + 1)")
        }
    }

    @Test("there are statements to look at")
    func present() throws {
        let files = try SourceFile.sources().filter { $0.target == "DAGCluster" }
        #expect(files.flatMap(Self.statements).count > 50)
    }

    @Test(
        "statements use what all engines know",
        arguments: try SourceFile.sources().filter { $0.target == "DAGCluster" }
    )
    func common(file: SourceFile) {
        for statement in Self.statements(of: file) {
            let words = statement.lowercased().split { !($0.isLetter || $0 == "_") }.map(
                String.init
            )
            let found = words.filter { Self.forbidden.contains($0) }
            #expect(found == [], "\(file.path): \(statement)")
            #expect(!statement.contains("::"), "\(file.path): \(statement)")
            for call in Self.calls(in: statement) {
                #expect(Self.functions.contains(call.lowercased()), "\(file.path): \(call)")
            }
        }
    }

    /// The names that stand right before a parenthesis.
    private static func calls(in statement: String) -> [String] {
        // A name in an interpolation is Swift's.
        let text = statement.replacing("\\(", with: " ")
        var calls: [String] = []
        var name = ""
        for character in text {
            if character.isLetter || character == "_" {
                name.append(character)
            } else {
                if character == "(", !name.isEmpty { calls.append(name) }
                name = ""
            }
        }
        return calls
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
