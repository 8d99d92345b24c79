import SystemPackage
import TestSupport

/// What a process that will be killed has begun and has been answered, in a file that outlives it.
///
/// A line that was written is there after a kill: the file belongs to the system by then.
final class Journal: Sendable {
    /// What became known of a key.
    struct Entry: Equatable {
        /// What was last answered, if anything was.
        var answered: String?
        /// What was begun after that, if anything was.
        var begun: String?
    }

    private let file: FileDescriptor

    /// Goes on with the journal at `path`, which is made if it is missing.
    init(at path: String) throws {
        file = try FileDescriptor.open(
            FilePath(path),
            .writeOnly,
            options: [.create, .append],
            permissions: .ownerReadWrite
        )
    }

    deinit { try? file.close() }

    /// Runs `body`, with a line before it and, if it is answered well, one after it.
    func run(_ operation: String, _ key: String, _ body: () async throws -> Void) async throws {
        try file.writeAll("begun \(operation) \(key)\n".utf8)
        try await body()
        try file.writeAll("answered \(operation) \(key)\n".utf8)
    }

    /// What stands in the journal at `path`, by key.
    static func entries(at path: String) throws -> [String: Entry] {
        guard let text = try? PackageFolder.text(of: path) else { return [:] }
        var entries: [String: Entry] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 2).map(String.init)
            guard words.count == 3 else { continue }
            if words[0] == "begun" {
                entries[words[2], default: Entry()].begun = words[1]
            } else {
                entries[words[2]] = Entry(answered: words[1], begun: nil)
            }
        }
        return entries
    }
}
