internal import DAGMounts
package import SystemPackage

/// A directory that a migration reads and never changes.
///
/// *Concurrency*: one thread; every call blocks.
package struct MigrationSource: Sendable {
    /// The files of the source, as its layout reads them.
    let contents: any SourceLayout

    /// The folder in which everything lies.
    package var root: FilePath { contents.root }
    /// The name of the source's layout.
    package var layout: MigrationLayout { type(of: contents).name }

    /// The layouts, in the order in which a folder is compared with them.
    private static let layouts: [any SourceLayout.Type] = [
        GoNodeLayout.self, BoostLayout.self, IndexFolderLayout.self, CARFolderLayout.self,
    ]

    /// Recognizes the source at `path`.
    ///
    /// A Go node's folder has a `datastore`, in `path` or in `dagstore` below it. Boost's directory is a LevelDB in
    /// `path`, or in `leveldb` or `lid/leveldb` below it. Other sources are folders of `.full.idx` or `.idx` files,
    /// or of `.car` files.
    ///
    /// - Parameters:
    ///   - path: A folder. A relative path becomes absolute, because the store keeps the URLs of CARs in it.
    ///   - layout: The layout that the source must have; nil accepts every layout.
    /// - Throws: `.unknownLayout`, `.unsupportedVersion`, `.sourceUnreadable`.
    package init(at path: FilePath, layout: MigrationLayout? = nil) throws(MigrationError) {
        let folder = try Self.absolute(path)
        let names = try folder.fileNames()
        for type in Self.layouts where layout == nil || layout == type.name {
            guard let found = try type.init(at: folder, names: names, isRequested: layout != nil)
            else { continue }
            contents = found
            return
        }
        let missing = layout.map { "no \($0.rawValue) layout" } ?? "nothing to migrate"
        let detail = "\(missing): the folder has neither datastore/CURRENT nor .idx or .car files"
        throw MigrationError(.unknownLayout, folder, detail)
    }

    private static func absolute(_ path: FilePath) throws(MigrationError) -> FilePath {
        do {
            return try path.madeAbsolute()
        } catch {
            throw MigrationError(.sourceUnreadable, path, "the working directory is gone: \(error)")
        }
    }

    /// Plans a migration; writes nothing to the source.
    ///
    /// *Cost*: reads every record and every index once, and no CAR. *Memory*: a few hundred bytes a shard.
    ///
    /// - Parameters:
    ///   - schemes: The mount schemes that the store serves.
    ///   - map: The mount URLs that change; the store serves the schemes that it maps.
    ///   - progress: Receives the number of bytes of index files that were read, and of all, on any thread.
    /// - Returns: The plan, which names the problems of single shards.
    /// - Throws: `.sourceCorrupt`, `.sourceUnreadable`, `.notBuiltIn`.
    package func plan(
        schemes: Set<String> = ["file"],
        map: MountMap = MountMap(),
        progress: (@Sendable (_ done: UInt64, _ total: UInt64) -> Void)? = nil
    ) throws(MigrationError) -> MigrationPlan {
        var planner = Planner(layout, schemes.union(map.schemes), map, progress)
        try contents.plan(with: &planner)
        planner.addCollisions()
        return planner.plan
    }

    /// Whether offsets count from the start of the piece; otherwise they count from the start of the payload.
    var countsFromPieceStart: Bool { type(of: contents).countsFromPieceStart }

    /// Finds the records of a planned shard.
    ///
    /// - Parameters:
    ///   - shard: The shard.
    ///   - dataOffset: Where the payload begins, if offsets count from the start of the piece.
    /// - Returns: The records; nil if the shard has none.
    /// - Throws: `.sourceUnreadable`, `.truncated`, `.malformedIndex`.
    func records(
        of shard: PlannedShard,
        dataOffset: UInt64
    ) throws(MigrationError) -> (any MigrationRecords)? {
        guard shard.entries != nil else { return nil }
        return try contents.records(of: shard, dataOffset: dataOffset)
    }
}
