internal import DAGCAR
internal import DAGMounts
public import SystemPackage

/// Why a migration could not go on.
///
/// Two errors are equal when their codes are.
public struct MigrationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What went wrong.
    public enum Code: String, Sendable, CaseIterable {
        /// Nothing at the source can be migrated, or not what was asked for.
        case unknownLayout
        /// A file of the source cannot be read.
        case sourceUnreadable
        /// A file of the source changed while it was read.
        case sourceChanged
        /// A LevelDB whose blocks, tables or manifest are damaged.
        case sourceCorrupt
        /// An index that is cut short.
        case truncated
        /// An index that cannot be.
        case malformedIndex
        /// An index repository of another version than 1.
        case unsupportedVersion
        /// A LevelDB, and the program was built without it.
        case notBuiltIn
        /// What is exported goes to a new or an empty folder, and this one is neither.
        case destinationExists
        /// What is exported cannot be written.
        case destinationUnwritable
        /// There is no room for what is written, or no memory.
        case full
    }

    /// The kind of error.
    public let code: Code
    /// The file it is about.
    public let path: FilePath
    /// What was found, for people.
    public let detail: String

    /// An error about a file.
    package init(_ code: Code, _ path: FilePath, _ detail: String) {
        self.code = code
        self.path = path
        self.detail = detail
    }

    /// Compares the codes.
    public static func == (one: Self, other: Self) -> Bool { one.code == other.code }
    /// The code, the file and the detail.
    public var description: String { "\(code.rawValue): \(path): \(detail)" }
}

extension MigrationError {
    /// Whether one file of the source is to blame, so that shards with other files can come over.
    var isAboutOneFile: Bool {
        switch code {
        case .malformedIndex, .truncated, .sourceUnreadable, .sourceChanged: true
        default: false
        }
    }

    /// What a file says of itself when it is read.
    init(_ error: MountError, _ path: FilePath) {
        let code: Code =
            error.code == .changed || error.code == .gone ? .sourceChanged : .sourceUnreadable
        self.init(code, path, error.detail)
    }
}
