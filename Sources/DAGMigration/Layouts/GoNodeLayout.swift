internal import DAGBytes
internal import DAGStorage
internal import FoundationEssentials
internal import SystemPackage

/// A Go node's `dagstore` folder: a LevelDB datastore, index files and transients.
struct GoNodeLayout: SourceLayout {
    static let name = MigrationLayout.dagstore

    let root: FilePath
    /// The folder of the LevelDB.
    private let datastore: FilePath
    /// The folder of the index files, if there is one.
    private let indexes: FilePath?
    /// The folder of the transients, if there is one.
    private let transients: FilePath?

    init?(at path: FilePath, names: [String], isRequested: Bool) throws(MigrationError) {
        let folders = [path, path.appending("dagstore")]
        guard let root = try FilePath.first(of: folders, with: "datastore/CURRENT") else {
            return nil
        }
        self.root = root
        datastore = root.appending("datastore")
        indexes = ["index", "indices"].map { root.appending($0) }.first(where: \.isFolder)
        let transients = root.appending("transients")
        self.transients = transients.isFolder ? transients : nil
        if let indexes { try IndexRepository.checkVersion(of: indexes) }
    }

    // MARK: Planning

    func plan(with planner: inout Planner) throws(MigrationError) {
        // Names are compared by their bytes: Swift calls some strings of different bytes equal, and no file system
        // does.
        var indexNames = Set<[UInt8]>()
        if let indexes {
            for name in try indexes.fileNames(isDeep: true)
            where name.hasSuffix(IndexRepository.suffix) {
                indexNames.insert(Array(name.utf8))
            }
        }
        var transientNames = Set(try (transients?.fileNames() ?? []).map { Array($0.utf8) })
        for record in try readRecords(&planner.plan) {
            if let name = FilePath(record.transientPath).lastComponent {
                transientNames.remove(Array(name.string.utf8))
            }
            if planner.isNew(record.key) { add(record, &indexNames, to: &planner) }
        }
        planner.examineIndexes()
        Self.addOrphans(indexNames, .orphanIndex, to: &planner.plan)
        Self.addOrphans(transientNames, .orphanTransient, to: &planner.plan)
        try planner.addSize(of: datastore)
    }

    /// Returns the records in the order of the datastore's keys; a record that is malformed becomes a problem.
    private func readRecords(_ plan: inout MigrationPlan) throws(MigrationError) -> [GoRecord] {
        var records: [GoRecord] = []
        let database = try LevelDBReader(at: datastore)
        try database.forEach(prefix: GoRecord.prefix) { (key, value) throws(MigrationError) in
            if let record = GoRecord.decode(value.copied) {
                records.append(record)
            } else {
                let name = String(decoding: key.copied, as: UTF8.self)
                plan.strays.add(.malformedRecord, name)
            }
            return true
        }
        return records
    }

    private func add(
        _ record: GoRecord,
        _ indexNames: inout Set<[UInt8]>,
        to planner: inout Planner
    ) {
        let path = indexPath(of: record.key)
        // The listing has most index files; a key may also lead out of the folder.
        let name = Array((record.key + IndexRepository.suffix).utf8)
        let hasIndex = indexNames.remove(name) != nil || path?.isFile ?? false
        var (state, error, problems) = Self.state(of: record, hasIndex: hasIndex)
        if !IndexRepository.isFileName(record.key) {
            problems.add(
                .keyIsNoFileName,
                "\(record.key): the source cannot keep its index under this name"
            )
        }
        if !hasIndex, state == .available {
            problems.add(.missingIndex, path?.string ?? record.key)
            state = .registered
        }
        var shard = PlannedShard(
            key: record.key,
            mountURL: record.mountURL,
            state: state,
            error: error,
            isLazy: record.isLazy
        )
        shard.problems = problems
        shard.isIndexFinished = [GoRecord.State.available, GoRecord.State.serving]
            .contains(record.state)
        shard.transient = transient(of: record)
        if hasIndex { shard.indexPath = path }
        planner.checkKey(of: &shard)
        planner.checkMount(of: &shard)
        planner.plan.shards.append(shard)
    }

    /// Returns the path of a key's index; nil if it leads out of the source.
    private func indexPath(of key: String) -> FilePath? {
        guard let indexes,
            let inner = IndexRepository.path(of: key, in: indexes, below: root)
        else { return nil }
        // Only `inner` is normalized: the system resolves `..` in the root's own path.
        var path = root
        path.components.append(contentsOf: inner.components)
        return path
    }

    private func transient(of record: GoRecord) -> FilePath? {
        guard let name = FilePath(record.transientPath).lastComponent,
            let path = transients?.appending(name.string), path.isFile
        else { return nil }
        return path
    }

    /// Translates a state of the reference.
    private static func state(
        of record: GoRecord,
        hasIndex: Bool
    ) -> (ShardStatus.State, error: String, [MigrationProblem]) {
        switch record.state {
        // The reference takes an index that a new shard has when the shard is first used.
        case GoRecord.State.new, GoRecord.State.initializing:
            return (hasIndex ? .available : .registered, "", [])
        case GoRecord.State.available, GoRecord.State.serving: return (.available, "", [])
        case GoRecord.State.errored: return (.failed, record.error, [])
        case GoRecord.State.recovering:
            let detail = "a crash interrupted its recovery"
            let reason = record.error.isEmpty ? detail : "\(detail); before: \(record.error)"
            return (.failed, reason, [MigrationProblem(kind: .stuckRecovering, detail: record.key)])
        default:
            let detail = "state \(record.state)"
            return (.failed, detail, [MigrationProblem(kind: .unknownState, detail: detail)])
        }
    }

    private static func addOrphans(
        _ names: Set<[UInt8]>,
        _ kind: MigrationProblem.Kind,
        to plan: inout MigrationPlan
    ) {
        for name in names.map({ String(decoding: $0, as: UTF8.self) }).sorted() {
            plan.strays.add(kind, name)
        }
    }

    // MARK: Inverse index

    func forEachInverseRow(
        _ body: (_ multihash: [UInt8]?, _ keys: [String]?) throws -> Void
    ) throws {
        try LevelDBReader(at: datastore).forEachInverseRow(
            prefix: GoDatastore.inversePrefix + [UInt8(ascii: "/")],
            multihash: \.copied,
            keys: { try? Self.keys(in: $0) },
            body
        )
    }

    /// Decodes the keys of shards in a row of the inverse index.
    static func keys(in row: [UInt8]) throws -> [String] {
        try JSONDecoder().decode([String].self, from: Data(row))
    }
}
