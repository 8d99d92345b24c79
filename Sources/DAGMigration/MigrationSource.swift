internal import DAGMounts
internal import FoundationEssentials
public import SystemPackage

/// A directory that a migration reads and never changes.
///
/// *Concurrency*: one thread; everything blocks.
public struct MigrationSource: Sendable {
    /// The folder in which everything lies.
    public let root: FilePath
    /// How it is laid out.
    public let layout: MigrationLayout
    /// The folder of the LevelDB, if there is one.
    let datastore: FilePath?
    /// The folder of the indexes, if there is one.
    let indexes: FilePath?
    /// The folder of the transients, if there is one.
    let transients: FilePath?
    #if LevelDB
        /// Boost's rows, if that is the layout.
        let pieces: BoostPieces?
    #endif

    static let indexSuffix = ".full.idx"
    /// The scheme of shards whose mount nobody knows.
    static let placeholderScheme = "index"

    /// Recognises what lies at `path`.
    ///
    /// A Go node's folder is found by its `datastore`, also as `dagstore` below `path`; Boost's directory is a
    /// LevelDB in `path` itself, or in `leveldb` or `lid/leveldb` below it; else a folder of `.full.idx` or `.idx`
    /// files, or of `.car` files.
    ///
    /// - Parameters:
    ///   - path: A folder; a relative one is made absolute at once, because mounts of CARs in it are stored.
    ///   - layout: What it must be; nil if that is to be found.
    /// - Throws: `.unknownLayout`, `.unsupportedVersion`, `.sourceUnreadable`.
    public init(at path: FilePath, layout: MigrationLayout? = nil) throws(MigrationError) {
        let path = try Self.absolute(path)
        let names = try Self.names(in: path)
        let folders = [path, path.appending("dagstore")]
        if layout ?? .dagstore == .dagstore,
            let root = try Self.first(of: folders, with: "datastore/CURRENT")
        {
            self.root = root
            self.layout = .dagstore
            datastore = root.appending("datastore")
            indexes = ["index", "indices"].map { root.appending($0) }.first(where: Self.isFolder)
            let copies = root.appending("transients")
            transients = Self.isFolder(copies) ? copies : nil
            #if LevelDB
                pieces = nil
            #endif
            if let indexes { try Self.checkVersion(indexes) }
            return
        }
        let databases = [path.appending("lid/leveldb"), path.appending("leveldb"), path]
        if layout ?? .boostLID == .boostLID,
            let root = try Self.first(of: databases, with: "CURRENT")
        {
            #if LevelDB
                self.root = root
                self.layout = .boostLID
                datastore = root
                indexes = nil
                transients = nil
                let found = BoostPieces(reader: try LevelDBReader(at: root))
                let isBoost = try layout == .boostLID ? true : found.isRecognized()
                guard isBoost else {
                    throw MigrationError(
                        .unknownLayout,
                        root,
                        "a LevelDB that is not Boost's; a Go node's is named by the folder above it"
                    )
                }
                pieces = found
                return
            #else
                throw MigrationError(
                    .notBuiltIn,
                    root,
                    "a LevelDB; this program was built without the trait LevelDB"
                )
            #endif
        }
        root = path
        datastore = nil
        transients = nil
        #if LevelDB
            pieces = nil
        #endif
        let hasIndexes = names.contains { $0.hasSuffix(".idx") }
        let hasCARs = names.contains { $0.hasSuffix(".car") }
        guard let found: MigrationLayout = hasIndexes ? .indexes : hasCARs ? .cars : nil,
            layout == nil || layout == found || (layout == .cars && hasCARs)
        else {
            let wanted = layout.map { "no \($0.rawValue) layout" } ?? "nothing to migrate"
            throw MigrationError(
                .unknownLayout,
                path,
                "\(wanted): neither datastore/CURRENT nor .idx or .car files"
            )
        }
        self.layout = layout ?? found
        indexes = self.layout == .indexes ? path : nil
        if let indexes { try Self.checkVersion(indexes) }
    }

    private static func absolute(_ path: FilePath) throws(MigrationError) -> FilePath {
        do {
            return try path.madeAbsolute()
        } catch {
            throw MigrationError(.sourceUnreadable, path, "the working directory is gone: \(error)")
        }
    }

    /// An index repository says in a file which version it is.
    private static func checkVersion(_ indexes: FilePath) throws(MigrationError) {
        let path = indexes.appending(".version")
        guard let bytes = FileManager.default.contents(atPath: path.string) else { return }
        guard bytes.elementsEqual([UInt8(ascii: "1")]) else {
            let text = String(decoding: bytes.prefix(32), as: UTF8.self)
            throw MigrationError(
                .unsupportedVersion,
                path,
                "an index repository of version \(text)"
            )
        }
    }

    static func names(in folder: FilePath) throws(MigrationError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder.string).sorted()
        } catch {
            throw unreadable(folder, error)
        }
    }

    /// The files below a folder, as paths relative to it.
    static func files(below folder: FilePath) throws(MigrationError) -> [String] {
        do {
            return try FileManager.default.subpathsOfDirectory(atPath: folder.string).sorted()
        } catch {
            throw unreadable(folder, error)
        }
    }

    /// Tells a folder that is not there from one that this process may not read.
    private static func unreadable(_ folder: FilePath, _ error: any Error) -> MigrationError {
        let detail =
            switch (error as? CocoaError)?.code {
            case .fileReadNoSuchFile?, .fileNoSuchFile?: "there is no such folder"
            case .fileReadNoPermission?: "this process may not read the folder"
            default: "not a folder that can be read"
            }
        return MigrationError(.sourceUnreadable, folder, detail)
    }

    /// The first of some folders that has a file of a name, which may be a symbolic link.
    ///
    /// - Throws: `.sourceUnreadable` if this process may not look, so that no other layout is found instead.
    private static func first(
        of folders: [FilePath],
        with name: String
    ) throws(MigrationError) -> FilePath? {
        for folder in folders {
            let path = folder.appending(name)
            do throws(MountError) {
                _ = try FileIdentity(at: path)
                return folder
            } catch {
                guard error.code != .gone, !isFolder(path) else { continue }
                throw MigrationError(.sourceUnreadable, path, error.detail)
            }
        }
        return nil
    }

    /// Whether a regular file is there, also by a symbolic link.
    static func isFile(_ path: FilePath) -> Bool { (try? FileIdentity(at: path)) != nil }
    static func isFolder(_ path: FilePath) -> Bool {
        var isFolder = false
        return FileManager.default.fileExists(atPath: path.string, isDirectory: &isFolder)
            && isFolder
    }
}
