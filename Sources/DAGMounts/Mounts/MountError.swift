package import SystemPackage

/// An error in reaching the bytes of a shard.
///
/// Mounts outside this package throw it too. Two errors are equal when their codes are equal.
public struct MountError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of error.
    ///
    /// Codes may be added in a minor release.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        package enum Value: String, CaseIterable, Sendable {
            case gone, unreachable, changed, unknownScheme, malformedURL, full
            case cancelled, shortRead, timedOut, quota, exists, outOfResources
        }
        package let value: Value

        /// Nothing is there.
        public static var gone: Self { Self(value: .gone) }
        /// The bytes exist but cannot be read: permissions, a directory, an I/O error.
        public static var unreachable: Self { Self(value: .unreachable) }
        /// The bytes have changed: the file was replaced or written.
        public static var changed: Self { Self(value: .changed) }
        /// The registry has no template for the URL's scheme.
        public static var unknownScheme: Self { Self(value: .unknownScheme) }
        /// The URL or path is malformed.
        public static var malformedURL: Self { Self(value: .malformedURL) }
        /// The disk is full, or a limit of the system was reached.
        public static var full: Self { Self(value: .full) }
        /// The reader was cancelled.
        public static var cancelled: Self { Self(value: .cancelled) }
        /// The source returned fewer or more bytes than announced or asked for.
        public static var shortRead: Self { Self(value: .shortRead) }
        /// The source took too long.
        public static var timedOut: Self { Self(value: .timedOut) }
        /// The quota of transients leaves no room.
        public static var quota: Self { Self(value: .quota) }
        /// The scheme has a template already.
        public static var exists: Self { Self(value: .exists) }
        /// The process or the system has no descriptor, memory or thread left.
        ///
        /// The source itself may be sound.
        public static var outOfResources: Self { Self(value: .outOfResources) }
        /// The code's name.
        public var description: String { value.rawValue }
    }

    /// The kind of error.
    public let code: Code
    /// A sentence for people.
    public let detail: String

    /// Creates an error with a sentence for people.
    @inline(never)
    public init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// Creates the error of a system call on `path`, a source of bytes.
    @inline(never)
    package init(_ errno: Errno, path: FilePath) {
        let code: Code =
            switch errno {
            case .noSuchFileOrDirectory, .notDirectory: .gone
            case .noSpace, .diskQuotaExceeded, .fileTooLarge: .full
            case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory, .interrupted,
                .resourceTemporarilyUnavailable:
                .outOfResources
            default: .unreachable
            }
        self.init(code, "\(path): \(errno)")
    }

    /// Creates the error of a system call on `path`, a path of the store.
    ///
    /// A missing folder of the store is not a missing source: no caller may conclude that a shard's source was
    /// deleted.
    @inline(never)
    init(_ errno: Errno, own path: FilePath) {
        let error = MountError(errno, path: path)
        let isOwn = error.code == .full || error.code == .outOfResources
        self.init(isOwn ? error.code : .unreachable, error.detail)
    }

    /// Compares the codes.
    public static func == (one: Self, other: Self) -> Bool { one.code == other.code }
    /// The sentence for people.
    public var description: String { detail }
}
