internal import DAGMounts
internal import DAGSystem
internal import SystemPackage

/// A file, a folder or a link that the caller named.
struct SourceRoot: Sendable {
    /// The path.
    let path: FilePath
    /// The name in the directory around several roots.
    let name: [UInt8]

    /// Creates a root; `needsName` says whether a directory is made around it.
    ///
    /// - Throws: `.invalidPaths` if it needs a name, and the path ends with none; `.unsupportedFile` if the name is
    ///   not UTF-8.
    init(_ path: FilePath, needsName: Bool) throws {
        self.path = path
        name = path.lastComponent.map { FilePath(root: nil, [$0]).bytes } ?? []
        guard needsName else { return }
        guard let last = path.lastComponent, last.kind == .regular else {
            throw UnixFSFilesError(
                .invalidPaths,
                "\(path): ends without a name for its entry in the directory around it"
            )
        }
        guard String(validating: name, as: UTF8.self) != nil else {
            throw UnixFSFilesError(
                .unsupportedFile,
                "\(path): has a name that is not UTF-8, as names in UnixFS are"
            )
        }
    }
}

/// Where the walk met a file, a folder or a link.
enum SourceEntry: Sendable {
    /// At a path of the caller.
    case root(SourceRoot)
    /// In an open folder.
    case entry([UInt8], in: SourceFolder)

    /// The name in the directory above.
    var name: [UInt8] {
        switch self {
        case .root(let root): root.name
        case .entry(let name, _): name
        }
    }

    /// The path for errors.
    var path: FilePath {
        switch self {
        case .root(let root): root.path
        case .entry(let name, let folder): folder.path(of: name)
        }
    }

    /// The attributes; of a link, its own.
    func status() throws -> Stat {
        try translating { () throws(Errno) in
            switch self {
            case .root(let root): try Stat(root.path, followTargetSymlink: false)
            case .entry(let name, let folder): try folder.descriptor.status(ofEntry: name)
            }
        }
    }

    /// The target of a link.
    func target() throws -> [UInt8] {
        try translating { () throws(Errno) in
            switch self {
            case .root(let root):
                guard let target = FileSystem.linkTarget(of: root.path) else { throw .last }
                return target
            case .entry(let name, let folder): return try folder.descriptor.target(ofLink: name)
            }
        }
    }

    /// Opens a folder.
    func openFolder() throws -> SourceFolder {
        let descriptor = try open(isFolder: true)
        switch self {
        case .root(let root):
            return SourceFolder(descriptor, name: root.path.bytes, in: nil)
        case .entry(let name, let folder):
            return SourceFolder(descriptor, name: name, in: folder)
        }
    }

    /// Opens a file.
    ///
    /// - Throws: `.changed` of `MountError` if it is no longer the file that was found.
    func openFile(_ identity: SourceIdentity) throws -> SourceFile {
        let descriptor = try open(isFolder: false)
        return try SourceFile(descriptor, identity) { self.path }
    }

    private func open(isFolder: Bool) throws -> FileDescriptor {
        do {
            return try translating { () throws(Errno) in
                switch self {
                case .root(let root):
                    try FileDescriptor.opening(
                        root.path,
                        options: isFolder ? [.directory, .noFollow] : [.noFollow, .nonBlocking]
                    )
                case .entry(let name, let folder):
                    try folder.descriptor.openEntry(name, isFolder: isFolder)
                }
            }
        }
    }

    private func translating<R>(_ body: () throws(Errno) -> R) throws -> R {
        do {
            return try body()
        } catch .tooManySymbolicLinkLevels {
            // It was no link when the walk met it.
            throw MountError(.changed, "\(path): was replaced while it was read")
        } catch {
            throw MountError(error, path: path)
        }
    }
}
