internal import DAGBytes
internal import DAGCAR
internal import DAGMounts
internal import DAGMultiformats
public import DAGStorage
internal import DAGSystem
internal import FoundationEssentials
public import SystemPackage

/// Writes the shards of a store as a Go node has them.
///
/// Each index is the file that go-car writes for the same sections, in the codec that the shard came with;
/// the datastore has the records and the inverse entries under the reference's keys. Everything is written
/// beside the destination, and moved there when it is whole and on disk.
///
/// *Memory*: about 100 MB whatever the size of the indexes, and some hundred bytes a shard. *Concurrency*: `run`
/// blocks its thread.
public struct MigrationExport: Sendable {
    /// What is written.
    public enum Layout: String, Sendable, CaseIterable {
        /// A Go node's `dagstore` folder: `datastore`, `index` and `transients`.
        case dagstore
        /// The index files alone.
        case indexes
    }

    /// What became of one shard.
    public struct Outcome: Sendable {
        /// The key.
        public let key: String
        /// The state that it has in the export.
        public var state: ShardStatus.State
        /// The codec of its index file; nil if none was written.
        public var codec: UInt64?
        /// The records of its index file.
        public var entries: UInt64?
        /// The size of its index file in bytes.
        public var bytes: UInt64?
        /// What the Go node will not have as it is here.
        public var problems: [MigrationProblem] = []
    }

    private let exporter: ShardExporter
    private let destination: FilePath
    private let layout: Layout
    private let map: MountMap

    /// Memory for sorting the records of an index, in bytes.
    private static let sortBudget = 64 << 20

    /// An export of `store`.
    ///
    /// - Parameters:
    ///   - store: The store; it may be open to look only.
    ///   - destination: A folder that is empty, or not there; the one that it lies in must be there.
    ///   - layout: What is written.
    ///   - map: Mount URLs that change on the way.
    public init(
        of store: DAGStore,
        to destination: FilePath,
        layout: Layout,
        map: MountMap = MountMap()
    ) {
        exporter = ShardExporter(store)
        // Without a working directory the path leads nowhere, which `run` reports.
        let isNamed = destination.lastComponent?.kind == .regular
        let absolute = isNamed ? try? destination.madeAbsolute() : nil
        self.destination = absolute ?? destination
        self.layout = layout
        self.map = map
    }

    /// Writes everything.
    ///
    /// *Cost*: three walks over each index, and for `dagstore` a row of LevelDB for every multihash.
    ///
    /// - Parameters:
    ///   - progress: Told how many sections were passed, of how many.
    ///   - tell: Told what became of each shard; the destination is there when `run` returns.
    /// - Throws: `.destinationExists`, `.destinationUnwritable`, `.full`, `.notBuiltIn`; `.sourceChanged` if another
    ///   process indexed a shard anew meanwhile; `DAGStoreError`.
    public func run(
        progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in },
        _ tell: (Outcome) -> Void
    ) throws {
        #if !LevelDB
            guard layout == .indexes else {
                throw MigrationError(
                    .notBuiltIn,
                    destination,
                    "a LevelDB datastore; this program was built without the trait LevelDB"
                )
            }
        #endif
        let folder = try makeFolder()
        do {
            try write(to: folder, progress, tell)
            try Self.translating(destination) { () throws(Errno) in
                try FileSystem.rename(folder, to: destination)
                try FileSystem.synchronize(Self.parent(of: destination))
            }
        } catch {
            try? FileManager.default.removeItem(atPath: folder.string)
            throw error
        }
    }

    private func write(
        to folder: FilePath,
        _ progress: (UInt64, UInt64) -> Void,
        _ tell: (Outcome) -> Void
    ) throws {
        let indexes = layout == .indexes ? folder : folder.appending("index")
        if layout == .dagstore {
            for name in ["index", "transients", "datastore"] {
                try Self.makeDirectory(folder.appending(name))
            }
        }
        try Self.write(Array("1".utf8), to: indexes.appending(".version"))
        let shards = try exporter.shards()
        let sections = shards.reduce(0) { $0 + ($1.entries ?? 0) }
        let total = layout == .indexes ? sections : 2 * sections
        var done: UInt64 = 0
        var outcomes: [Outcome] = []
        for shard in shards {
            outcomes.append(try writeIndex(of: shard, in: indexes, within: folder))
            done += shard.entries ?? 0
            progress(done, total)
        }
        #if LevelDB
            if layout == .dagstore {
                let datastore = GoDatastore(
                    exporter,
                    zip(shards, outcomes).map { ($0, hasIndex: $1.entries != nil) }
                )
                let urls = try zip(shards, outcomes.indices).map { shard, number in
                    try mountURL(of: shard, &outcomes[number])
                }
                let losers = try datastore.write(
                    to: folder.appending("datastore"),
                    mountURLs: urls
                ) { progress(sections + $0, total) }
                for number in losers {
                    let detail = "another shard has the same key in the datastore"
                    outcomes[number].problems.append(
                        MigrationProblem(kind: .duplicateKey, detail: detail)
                    )
                }
                try Self.synchronize(folder.appending("datastore"))
                try Self.synchronize(folder.appending("transients"))
            }
        #endif
        try Self.synchronize(indexes)
        try Self.synchronize(folder)
        for outcome in outcomes { tell(outcome) }
    }

    // MARK: Indexes

    private func writeIndex(
        of shard: ExportedShard,
        in indexes: FilePath,
        within folder: FilePath
    ) throws -> Outcome {
        var outcome = Outcome(key: shard.key.text, state: shard.state)
        func note(_ kind: MigrationProblem.Kind, _ detail: String) {
            outcome.problems.append(MigrationProblem(kind: kind, detail: detail))
        }
        guard shard.entries != nil else {
            if layout == .indexes { note(.missingIndex, "the shard has no index yet") }
            return outcome
        }
        let (name, isInside) = Self.name(of: shard.key.text, in: indexes, within: folder)
        guard let name, let path = Self.place(of: name, in: folder) else {
            note(.keyIsNoFileName, "\(shard.key.text): its index cannot have this name")
            // The node indexes it anew.
            if outcome.state == .available { outcome.state = .registered }
            return outcome
        }
        if !isInside {
            note(.keyIsNoFileName, "\(shard.key.text): its index lies in another folder")
        }
        if shard.codec == CARIndex.sorted, layout == .dagstore {
            note(.indexWithoutHashCodes, "the node's inverse index leaves it out")
        }
        let order = try DigestOrder(
            codec: shard.codec,
            hasIdentity: shard.hasIdentity,
            budget: Self.sortBudget
        ) { [exporter] body in
            _ = try exporter.forEachEntry(of: shard.key) { entry in
                try body(entry)
                return true
            }
        }
        let file = try Self.translating(path) { () throws(MountError) in
            try PartialFile(creating: path)
        }
        var size: UInt64 = 0
        let isWhole = try order.encode { bytes in
            size += UInt64(bytes.count)
            try Self.translating(path) { () throws(MountError) in try file.write(bytes) }
        }
        guard isWhole else {
            throw MigrationError(.sourceChanged, path, "\(shard.key): indexed anew meanwhile")
        }
        try Self.close(file)
        outcome.codec = shard.codec
        outcome.entries = order.count
        outcome.bytes = size
        return outcome
    }

    /// The name that the reference gives to the index of a key.
    ///
    /// - Returns: The path below `folder`, or nil if it leads out of that or no file can have it; and whether it lies
    ///   in `indexes` itself.
    private static func name(
        of key: String,
        in indexes: FilePath,
        within folder: FilePath
    ) -> (FilePath?, isInside: Bool) {
        guard !key.utf8.contains(0) else { return (nil, false) }
        var inner = FilePath()
        inner.components.append(contentsOf: indexes.components.dropFirst(folder.components.count))
        let depth = inner.components.count
        let start = inner
        inner.components.append(
            contentsOf: FilePath(key + MigrationSource.indexSuffix).components
        )
        inner.lexicallyNormalize()
        let isName = inner.components.allSatisfy {
            $0.kind == .regular && $0.string.utf8.count <= 255
        }
        guard isName, !inner.isEmpty else { return (nil, false) }
        return (inner, inner.components.count == depth + 1 && inner.starts(with: start))
    }

    /// The place of an index file below `folder`, whose own folder is made; nil if that is no place for a file.
    private static func place(of name: FilePath, in folder: FilePath) -> FilePath? {
        var path = folder
        path.components.append(contentsOf: name.components)
        let parent = path.removingLastComponent()
        if name.components.count > 1 {
            do {
                try FileManager.default.createDirectory(
                    atPath: parent.string,
                    withIntermediateDirectories: true
                )
            } catch {
                return nil
            }
        }
        // Of another shard whose key is the same path, or begins with it.
        return FileManager.default.fileExists(atPath: path.string) ? nil : path
    }

    /// The URL that the Go node gets.
    private func mountURL(of shard: ExportedShard, _ outcome: inout Outcome) throws -> String {
        let url = try MountURL(shard.mountURL)
        if let mapped = try map.mapped(url, key: shard.key.text) { return mapped.text }
        let (text, isReadable) = GoRecord.mountURL(url)
        if !isReadable {
            let detail = "\(text): the node cannot read it back"
            outcome.problems.append(MigrationProblem(kind: .absolutePathDamaged, detail: detail))
        } else if url.scheme == MigrationSource.placeholderScheme {
            outcome.problems.append(MigrationProblem(kind: .unknownScheme, detail: text))
        }
        return text
    }

    // MARK: Files

    /// Makes the folder in which everything is written first.
    private func makeFolder() throws(MigrationError) -> FilePath {
        guard let name = destination.lastComponent, name.kind == .regular else {
            throw MigrationError(.destinationExists, destination, "not the name of a new folder")
        }
        if MigrationSource.isFolder(destination) {
            let isEmpty = (try? MigrationSource.names(in: destination).isEmpty) ?? false
            guard isEmpty else {
                throw MigrationError(.destinationExists, destination, "a folder that is not empty")
            }
        } else if FileManager.default.fileExists(atPath: destination.string) {
            throw MigrationError(.destinationExists, destination, "not a folder")
        }
        let folder = Self.parent(of: destination).appending(name.string + ".partial")
        guard !FileManager.default.fileExists(atPath: folder.string) else {
            let detail = "left of an export that was interrupted, or used by one; remove it first"
            throw MigrationError(.destinationExists, folder, detail)
        }
        try Self.makeDirectory(folder)
        return folder
    }

    private static func parent(of path: FilePath) -> FilePath {
        let parent = path.removingLastComponent()
        return parent.isEmpty ? "." : parent
    }

    private static func makeDirectory(_ path: FilePath) throws(MigrationError) {
        try translating(path) { () throws(Errno) in try FileSystem.makeDirectory(path) }
    }

    private static func synchronize(_ directory: FilePath) throws(MigrationError) {
        try translating(directory) { () throws(Errno) in
            try FileSystem.synchronize(directory)
        }
    }

    private static func write(_ bytes: [UInt8], to path: FilePath) throws(MigrationError) {
        let file = try translating(path) { () throws(MountError) in
            let file = try PartialFile(creating: path)
            try file.write(bytes)
            return file
        }
        try close(file)
    }

    private static func close(_ file: PartialFile) throws(MigrationError) {
        try translating(file.path) { () throws(MountError) in
            try file.synchronize(isDurable: true)
            try file.close()
        }
    }

    private static func translating<R, E: Error>(
        _ path: FilePath,
        _ body: () throws(E) -> R
    ) throws(MigrationError) -> R {
        do {
            return try body()
        } catch {
            let isFull =
                (error as? MountError)?.code == .full
                || [.noSpace, .diskQuotaExceeded].contains(error as? Errno)
            throw MigrationError(isFull ? .full : .destinationUnwritable, path, "\(error)")
        }
    }
}
