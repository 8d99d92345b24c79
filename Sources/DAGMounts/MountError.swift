package import SystemPackage

/// Why the bytes of a shard could not be reached.
///
/// Mounts of others throw it too. Two errors are equal when their codes are.
public struct MountError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong.
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
        /// Something is there, and it cannot be read: permissions, a directory, an I/O error.
        public static var unreachable: Self { Self(value: .unreachable) }
        /// It is not what it was: another file, or one that was written to.
        public static var changed: Self { Self(value: .changed) }
        /// The URL's scheme is not known.
        public static var unknownScheme: Self { Self(value: .unknownScheme) }
        /// The URL or path cannot be one.
        public static var malformedURL: Self { Self(value: .malformedURL) }
        /// The disk is full, or a limit of the system was reached.
        public static var full: Self { Self(value: .full) }
        /// Whoever read gave up.
        public static var cancelled: Self { Self(value: .cancelled) }
        /// Fewer or more bytes came than were announced or asked for.
        public static var shortRead: Self { Self(value: .shortRead) }
        /// The source took too long.
        public static var timedOut: Self { Self(value: .timedOut) }
        /// The quota of transients leaves no room.
        public static var quota: Self { Self(value: .quota) }
        /// The scheme has a template already.
        public static var exists: Self { Self(value: .exists) }
        /// The process or the system has no descriptor, memory or thread left: it says nothing about the source.
        public static var outOfResources: Self { Self(value: .outOfResources) }
        /// The code's name.
        public var description: String { value.rawValue }
    }

    /// The kind of error.
    public let code: Code
    /// What was found, for people.
    public let detail: String

    /// An error with a sentence for people.
    @inline(never)
    public init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// The error of a system call on `path`, which is a source of bytes.
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

    /// The error of a system call on `path`, which is the store's own.
    ///
    /// A folder of the store that is missing is no source that is gone: nobody is to conclude from it
    /// that a shard's origin was deleted.
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
