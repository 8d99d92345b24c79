internal import DAGMounts
internal import SystemPackage

/// A folder of CARs.
struct CARFolderLayout: SourceLayout {
    static let name = MigrationLayout.cars

    let root: FilePath
    private static let suffix = ".car"

    init?(at path: FilePath, names: [String], isRequested: Bool) throws(MigrationError) {
        guard names.contains(where: { $0.hasSuffix(Self.suffix) }) else { return nil }
        root = path
    }

    func plan(with planner: inout Planner) throws(MigrationError) {
        for name in try root.fileNames() where name.hasSuffix(Self.suffix) {
            let key = name.utf8.dropLast(Self.suffix.utf8.count)
            var shard = PlannedShard(
                key: String(decoding: key, as: UTF8.self),
                mountURL: FileMount(root.appending(name)).url.text,
                isLazy: true
            )
            planner.checkKey(of: &shard)
            planner.plan.shards.append(shard)
        }
    }
}
