internal import DAGCAR
internal import DAGMounts
package import SystemPackage

/// The reason why a migration stopped.
///
/// Two errors are equal when their codes are.
package struct MigrationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kinds of errors.
    package enum Code: String, Sendable, CaseIterable {
        /// The source has no known layout, or not the requested one.
        case unknownLayout
        /// A file of the source cannot be read.
        case sourceUnreadable
        /// A file of the source changed while it was read.
        case sourceChanged
        /// The blocks, tables or manifest of a LevelDB are damaged.
        case sourceCorrupt
        /// An index file is truncated.
        case truncated
        /// An index file is malformed.
        case malformedIndex
        /// The version of an index repository is not 1.
        case unsupportedVersion
        /// The source or the destination has a LevelDB, and the program was built without LevelDB.
        case notBuiltIn
        /// The destination of an export is not a new or empty folder.
        case destinationExists
        /// The destination of an export cannot be written.
        case destinationUnwritable
        /// The disk has no room, or the process no memory.
        case full
    }

    /// The kind of error.
    package let code: Code
    /// The file or folder.
    package let path: FilePath
    /// What is wrong, for people.
    package let detail: String

    /// An error about a file.
    package init(_ code: Code, _ path: FilePath, _ detail: String) {
        self.code = code
        self.path = path
        self.detail = detail
    }

    /// Compares the codes.
    package static func == (one: Self, other: Self) -> Bool { one.code == other.code }
    /// The file, the detail and the code.
    package var description: String { "\(path): \(detail) (\(code.rawValue))" }
}

extension MigrationError {
    /// Whether the error concerns one file of the source, so that shards with other files can be migrated.
    var isAboutOneFile: Bool {
        switch code {
        case .malformedIndex, .truncated, .sourceUnreadable, .sourceChanged: true
        default: false
        }
    }

    /// The error of a file that was read.
    init(_ error: MountError, _ path: FilePath) {
        let code: Code =
            error.code == .changed || error.code == .gone ? .sourceChanged : .sourceUnreadable
        self.init(code, path, error.detail)
    }
}
