internal import DAGBytes
internal import DAGCAR
internal import DAGMounts
package import DAGStorage
internal import DAGSystem
internal import FoundationEssentials
package import SystemPackage

/// Exports the shards of a store to a folder that a Go node can use.
///
/// Each index is the file that go-car writes for the same sections, in the codec that the shard was migrated with.
/// The datastore has the records and the inverse entries under the reference's keys. The export writes beside the
/// destination, and renames the folder when it is complete and on disk.
///
/// *Memory*: about 100 MB, whatever the size of the indexes, and a few hundred bytes a shard. *Concurrency*: `run`
/// blocks its thread.
package struct MigrationExport: Sendable {
    /// The layouts of an export.
    package enum Layout: String, Sendable, CaseIterable {
        /// A Go node's `dagstore` folder: `datastore`, `index` and `transients`.
        case dagstore
        /// Index files alone.
        case indexes
    }

    /// The result of an export for one shard.
    package struct Outcome: Sendable {
        /// The key.
        package let key: String
        /// The state that it has in the export.
        package var state: ShardStatus.State
        /// The codec of its index file; nil if none was written.
        package var codec: UInt64?
        /// The number of records of its index file.
        package var entries: UInt64?
        /// The size of its index file in bytes.
        package var bytes: UInt64?
        /// What the Go node will lack.
        package var problems: [MigrationProblem] = []
    }

    private let exporter: ShardExporter
    private let destination: FilePath
    private let layout: Layout
    private let map: MountMap

    /// The memory for sorting the records of an index, in bytes.
    private static let sortBudget = 64 << 20

    /// An export of `store`.
    ///
    /// - Parameters:
    ///   - store: The store, which may be open for reading only.
    ///   - destination: An empty folder, or one that does not exist; its parent folder must exist.
    ///   - layout: The layout.
    ///   - map: The mount URLs that change.
    package init(
        of store: DAGStore,
        to destination: FilePath,
        layout: Layout,
        map: MountMap = MountMap()
    ) {
        exporter = ShardExporter(store)
        // If the working directory is gone, the path stays relative, and `run` reports the failure.
        let isNamed = destination.lastComponent?.kind == .regular
        let absolute = isNamed ? try? destination.madeAbsolute() : nil
        self.destination = absolute ?? destination
        self.layout = layout
        self.map = map
    }

    /// Writes all shards; the destination is complete when the call returns.
    ///
    /// *Cost*: three walks over each index, and for `dagstore` a row of LevelDB for every multihash.
    ///
    /// - Parameters:
    ///   - progress: Receives the number of sections that were written, and of all.
    ///   - report: Receives the outcome of each shard.
    /// - Throws: `.destinationExists`, `.destinationUnwritable`, `.full`, `.notBuiltIn`; `.sourceChanged` if another
    ///   process indexed a shard again meanwhile; `DAGStoreError`.
    package func run(
        progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in },
        _ report: (Outcome) -> Void
    ) throws {
        guard layout == .indexes || LevelDB.isBuiltIn else {
            throw LevelDB.notBuiltIn(destination)
        }
        let folder = try makeFolder()
        do {
            try write(to: folder, progress, report)
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
        _ report: (Outcome) -> Void
    ) throws {
        let indexes = layout == .indexes ? folder : folder.appending("index")
        if layout == .dagstore {
            for name in ["index", "transients", "datastore"] {
                try Self.makeDirectory(folder.appending(name))
            }
        }
        try Self.write(IndexRepository.version, to: indexes.appending(IndexRepository.versionName))
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
        if layout == .dagstore {
            try writeDatastore(of: shards, &outcomes, to: folder) { progress(sections + $0, total) }
        }
        try Self.synchronize(indexes)
        try Self.synchronize(folder)
        for outcome in outcomes { report(outcome) }
    }

    private func writeDatastore(
        of shards: [ExportedShard],
        _ outcomes: inout [Outcome],
        to folder: FilePath,
        _ progress: (UInt64) -> Void
    ) throws {
        let datastore = GoDatastore(
            exporter,
            zip(shards, outcomes).map { ($0, hasIndex: $1.entries != nil) }
        )
        var urls: [String] = []
        for (number, shard) in shards.enumerated() {
            urls.append(try mountURL(of: shard, &outcomes[number]))
        }
        let path = folder.appending("datastore")
        for number in try datastore.write(to: path, mountURLs: urls, progress) {
            let detail = "another shard has the same key in the datastore"
            outcomes[number].problems.add(.duplicateKey, detail)
        }
        try Self.synchronize(path)
        try Self.synchronize(folder.appending("transients"))
    }

    // MARK: Indexes

    private func writeIndex(
        of shard: ExportedShard,
        in indexes: FilePath,
        within folder: FilePath
    ) throws -> Outcome {
        var outcome = Outcome(key: shard.key.text, state: shard.state)
        guard shard.entries != nil else {
            if layout == .indexes {
                outcome.problems.add(.missingIndex, "the shard has no index yet")
            }
            return outcome
        }
        let key = shard.key.text
        guard let name = IndexRepository.path(of: key, in: indexes, below: folder),
            name.components.allSatisfy({ $0.string.utf8.count <= 255 }),
            let path = Self.place(of: name, in: folder)
        else {
            outcome.problems.add(.keyIsNoFileName, "\(key): its index cannot have this name")
            // The node indexes the shard again.
            if outcome.state == .available { outcome.state = .registered }
            return outcome
        }
        if path.removingLastComponent() != indexes {
            outcome.problems.add(.keyIsNoFileName, "\(key): its index lies in another folder")
        }
        if shard.codec == CARIndex.sorted, layout == .dagstore {
            let detail = "the node's inverse index leaves it out"
            outcome.problems.add(.indexWithoutHashCodes, detail)
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
            let detail = "\(shard.key): another process indexed the shard again meanwhile"
            throw MigrationError(.sourceChanged, path, detail)
        }
        try Self.close(file)
        outcome.codec = shard.codec
        outcome.entries = order.count
        outcome.bytes = size
        return outcome
    }

    /// Creates the folder of an index file, and returns the file's path; nil if no file can be there.
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
        // Another shard's key may be the same path, or begin with it.
        return FileManager.default.fileExists(atPath: path.string) ? nil : path
    }

    /// Returns the URL for the Go node, and adds a problem if the node cannot use it.
    private func mountURL(of shard: ExportedShard, _ outcome: inout Outcome) throws -> String {
        let url = try MountURL(shard.mountURL)
        if let mapped = try map.mapped(url, key: shard.key.text) { return mapped.text }
        let (text, isReadable) = GoRecord.mountURL(url)
        if !isReadable {
            let detail = "\(text): the node cannot read it back"
            outcome.problems.add(.absolutePathDamaged, detail)
        } else if url.scheme == MountMap.placeholderScheme {
            outcome.problems.add(.unknownScheme, text)
        }
        return text
    }

    // MARK: Files

    /// Creates the folder in which the export writes.
    private func makeFolder() throws(MigrationError) -> FilePath {
        guard let name = destination.lastComponent, name.kind == .regular else {
            let detail = "the destination must be the name of a folder"
            throw MigrationError(.destinationExists, destination, detail)
        }
        if destination.isFolder {
            let isEmpty = (try? destination.fileNames().isEmpty) ?? false
            guard isEmpty else {
                throw MigrationError(.destinationExists, destination, "the folder is not empty")
            }
        } else if FileManager.default.fileExists(atPath: destination.string) {
            throw MigrationError(.destinationExists, destination, "the destination is not a folder")
        }
        let folder = Self.parent(of: destination).appending(name.string + ".partial")
        guard !FileManager.default.fileExists(atPath: folder.string) else {
            let detail =
                "another export uses the folder, or left it when it was interrupted; remove it first"
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
