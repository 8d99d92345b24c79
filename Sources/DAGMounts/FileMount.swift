public import SystemPackage

/// A CAR file of this machine.
///
/// Its URL is `file://` and the path, with every byte other than letters, digits and `-._~/` as `%XX`: an
/// absolute path gives `file:///srv/a.car`, a relative one `file://cars/a.car`. Whatever was
/// registered under a relative path is found relative to the working directory of whoever opens it;
/// `dagstore register` makes paths absolute.
public struct FileMount: Mount, Equatable {
    /// The URL scheme.
    public static let scheme = "file"

    /// Where the file is.
    public let path: FilePath

    /// A mount of the file at `path`; it need not be there yet.
    public init(_ path: FilePath) { self.path = path }

    /// The mount that `url` names.
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

    /// The URL that is stored, enough to make the mount again.
    ///
    /// *Cost*: O(path), made anew each time.
    public var url: MountURL { MountURL(scheme: Self.scheme, escaping: path.bytes) }

    /// Files are mapped.
    public var access: MountAccess { .mappable }

    /// The file that `url` names.
    ///
    /// - Throws: `MountError(.malformedURL)`; `.unknownScheme` if it is no file's.
    public func resolving(_ url: MountURL) throws -> FileMount { try FileMount(url) }

    /// The size of the file.
    ///
    /// It has no validator: whoever opens the file compares its size, time and place on the disk.
    ///
    /// *Cost*: one system call, on the caller's thread.
    ///
    /// - Throws: `MountError(.gone)` if nothing is there; `.unreachable` if it is no regular file.
    public func stat() async throws -> MountStat {
        MountStat(size: try FileIdentity(at: path).size)
    }

    /// The path; that nothing is there is found by whoever opens it.
    public func open() async throws -> MountSource { .file(path) }
}
