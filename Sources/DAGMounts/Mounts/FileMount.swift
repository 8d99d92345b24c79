public import SystemPackage

/// A mount of a CAR file of this machine.
///
/// Its URL is `file://` and the path, with `%XX` for every byte other than letters, digits and `-._~/`. An absolute
/// path gives `file:///srv/a.car`, a relative one `file://cars/a.car`. A process finds a relative path from its own
/// working directory; `dagstore register` makes paths absolute.
public struct FileMount: Mount, Equatable {
    /// The URL scheme.
    public static let scheme = "file"

    /// The path of the file.
    public let path: FilePath

    /// Creates a mount of the file at `path`, which need not exist yet.
    public init(_ path: FilePath) { self.path = path }

    /// Creates the mount for a URL.
    ///
    /// - Throws: `.unknownScheme`, `.malformedURL`.
    package init(url: String) throws(MountError) {
        guard let separator = MountURL.separator(in: url) else {
            throw MountError(.malformedURL, "\(url): not a mount URL")
        }
        let scheme = url[..<separator]
        guard scheme == Self.scheme else {
            throw MountError(.unknownScheme, "unknown mount scheme \(scheme)")
        }
        try self.init(MountURL(url))
    }

    private init(_ url: MountURL) throws(MountError) {
        guard url.scheme == Self.scheme else {
            throw MountError(.unknownScheme, "\(url): not a file")
        }
        guard let bytes = PercentEscapes.unescaped(url.rest) else {
            throw MountError(.malformedURL, "\(url): a % without two digits")
        }
        guard !bytes.isEmpty, !bytes.contains(0) else {
            throw MountError(.malformedURL, "\(url): not a path")
        }
        self.path = FilePath(bytes: bytes)
    }

    /// The URL, enough to create the mount again.
    ///
    /// *Cost*: O(path); created at each call.
    public var url: MountURL { MountURL(scheme: Self.scheme, escaping: path.bytes) }

    /// The store maps files.
    public var access: MountAccess { .mappable }

    /// Returns the mount for a URL.
    ///
    /// - Throws: `MountError(.malformedURL)`; `.unknownScheme` if the URL is not of a file.
    public func resolving(_ url: MountURL) throws -> FileMount { try FileMount(url) }

    /// Returns the size of the file.
    ///
    /// A file has no validator: its reader compares size, modification time and place on the disk.
    ///
    /// *Cost*: one system call, on the caller's thread.
    ///
    /// - Throws: `MountError(.gone)` if nothing is there; `.unreachable` if it is not a regular file.
    public func stat() async throws -> MountStat {
        MountStat(size: try FileIdentity(at: path).size)
    }

    /// Returns the path; the store opens the file, and finds out whether it exists.
    public func open() async throws -> MountSource { .file(path) }
}
