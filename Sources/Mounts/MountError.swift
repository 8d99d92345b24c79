package import SystemPackage

/// Why the bytes of a shard could not be reached.
///
/// Two errors are equal when their codes are.
package struct MountError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong.
    package enum Code: String, Sendable {
        /// Nothing is there.
        case gone
        /// Something is there, and it cannot be read: permissions, a directory, an I/O error.
        case unreachable
        /// It is not what it was: another file, or one that was written to.
        case changed
        /// The URL's scheme is not known.
        case unknownScheme
        /// The URL or path cannot be one.
        case malformedURL
        /// The disk or a limit is full.
        case full
    }

    /// The kind of error.
    package let code: Code
    /// What was found, for people.
    package let detail: String

    @inline(never)
    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// The error of a system call on `path`.
    @inline(never)
    package init(_ errno: Errno, path: FilePath) {
        let code: Code =
            switch errno {
            case .noSuchFileOrDirectory, .notDirectory: .gone
            case .noSpace, .diskQuotaExceeded, .fileTooLarge: .full
            default: .unreachable
            }
        self.init(code, "\(path): \(errno)")
    }

    package static func == (one: Self, other: Self) -> Bool { one.code == other.code }
    package var description: String { detail }
}
