internal import DAGMounts
internal import DAGStorage
internal import SystemPackage

/// A folder of index files, without records.
struct IndexFolderLayout: SourceLayout {
    static let name = MigrationLayout.indexes

    let root: FilePath
    private static let suffix = ".idx"

    init?(at path: FilePath, names: [String], isRequested: Bool) throws(MigrationError) {
        guard names.contains(where: { $0.hasSuffix(Self.suffix) }) else { return nil }
        root = path
        try IndexRepository.checkVersion(of: path)
    }

    func plan(with planner: inout Planner) throws(MigrationError) {
        for name in try root.fileNames() where name.hasSuffix(Self.suffix) {
            let isFull = name.hasSuffix(IndexRepository.suffix)
            let suffix = isFull ? IndexRepository.suffix : Self.suffix
            let key = String(decoding: name.utf8.dropLast(suffix.utf8.count), as: UTF8.self)
            guard planner.isNew(key) else { continue }
            var shard = PlannedShard(
                key: key,
                mountURL: carPath(beside: key).map { FileMount($0).url.text },
                state: .available
            )
            shard.indexPath = root.appending(name)
            planner.checkKey(of: &shard)
            planner.checkMount(of: &shard)
            planner.plan.shards.append(shard)
        }
        planner.examineIndexes()
    }

    /// Returns the CAR beside an index file: `a.car` for `a.car.full.idx` and for `a.full.idx`; nil if there is none.
    private func carPath(beside key: String) -> FilePath? {
        let names = key.hasSuffix(".car") ? [key, key + ".car"] : [key + ".car"]
        return names.map { root.appending($0) }.first(where: \.isFile)
    }
}
