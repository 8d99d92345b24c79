internal import DAGMounts
internal import DAGSystem
internal import SystemPackage

/// Walks files and folders depth first, the entries of a folder in the order of their names' bytes.
///
/// It follows no symbolic link. It opens each folder through the one above, so that a rename or a link that comes
/// meanwhile leads nowhere else.
///
/// *Memory*: the names in each folder on the way down, and a descriptor for each.
struct SourceWalk {
    /// The deepest folder.
    ///
    /// Each level takes a descriptor, of which processes often have 1,024.
    static let depthMax = 768

    /// What the walk meets.
    enum Step {
        /// A folder begins.
        case folder
        /// A file; `name` is its entry in `folder`.
        case file(SourceEntry, SourceIdentity)
        /// A symbolic link with this target.
        case link(SourceEntry, target: [UInt8])
        /// The folder that began last ends; the entry is that of the folder.
        case folderEnd(name: [UInt8])
    }

    private struct Level {
        let folder: SourceFolder
        let name: [UInt8]
        var names: ArraySlice<[UInt8]>
    }

    private var roots: ArraySlice<SourceRoot>
    private var levels: [Level] = []
    private let skipsHidden: Bool
    private let output: SourceIdentity?

    /// Creates a walk.
    ///
    /// - Parameters:
    ///   - roots: The files and folders, in the order of the walk.
    ///   - skipsHidden: Whether to leave out entries whose names start with a dot.
    ///   - output: The file that the walk must not meet, because its reader writes it.
    init(_ roots: [SourceRoot], skipsHidden: Bool, output: SourceIdentity? = nil) {
        self.roots = roots[...]
        self.skipsHidden = skipsHidden
        self.output = output
    }

    /// Takes the next step; nil at the end.
    ///
    /// - Throws: `MountError` if a file or folder cannot be read; `.unsupportedFile`, `.limitExceeded` and
    ///   `.invalidPaths` of `UnixFSFilesError`.
    mutating func next() throws -> Step? {
        guard let top = levels.indices.last else {
            guard let root = roots.popFirst() else { return nil }
            return try meet(.root(root), named: root.name)
        }
        guard let name = levels[top].names.popFirst() else {
            return .folderEnd(name: levels.removeLast().name)
        }
        return try meet(.entry(name, in: levels[top].folder), named: name)
    }

    private mutating func meet(_ entry: SourceEntry, named name: [UInt8]) throws -> Step {
        let status = try entry.status()
        let identity = SourceIdentity(status)
        switch status.type {
        case .regular:
            guard output?.isSameFile(as: identity) != true else {
                throw UnixFSFilesError(
                    .invalidPaths,
                    "\(entry.path): the output is inside the folder that it is made of"
                )
            }
            return .file(entry, identity)
        case .symbolicLink:
            return .link(entry, target: try entry.target())
        case .directory:
            try enter(entry, named: name, identity)
            return .folder
        default:
            throw UnixFSFilesError(
                .unsupportedFile,
                "\(entry.path): is a socket, a pipe or a device, and UnixFS has no form for it"
            )
        }
    }

    private mutating func enter(
        _ entry: SourceEntry,
        named name: [UInt8],
        _ identity: SourceIdentity
    ) throws {
        guard levels.count < Self.depthMax else {
            throw UnixFSFilesError(
                .limitExceeded,
                "\(entry.path): is deeper than \(Self.depthMax) folders"
            )
        }
        let folder = try entry.openFolder()
        var names: [[UInt8]]
        do {
            guard try SourceIdentity(Stat(folder.descriptor)).isSameFile(as: identity) else {
                throw MountError(.changed, "\(entry.path): was replaced while it was read")
            }
            names = try folder.descriptor.names()
        } catch let error as Errno {
            throw MountError(error, path: entry.path)
        }
        if skipsHidden { names.removeAll { $0.first == UInt8(ascii: ".") } }
        if let wrong = names.first(where: { String(validating: $0, as: UTF8.self) == nil }) {
            throw UnixFSFilesError(
                .unsupportedFile,
                "\(folder.path(of: wrong)): has a name that is not UTF-8, as names in UnixFS are"
            )
        }
        names.sort { $0.lexicographicallyPrecedes($1) }
        levels.append(Level(folder: folder, name: name, names: names[...]))
    }
}
