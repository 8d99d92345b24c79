internal import DAGBytes
internal import DAGStorage

extension MigrationCheck {
    /// Finds entries of the source's inverse index that its own records and indexes contradict.
    ///
    /// A migration loses nothing with them. They name shards that were destroyed, whose index was replaced, or that
    /// never had an index, so the source finds no blocks by them either.
    ///
    /// *Cost*: a search in the store's inverse index for every multihash and shard. *Memory*: bounded.
    ///
    /// - Parameter plan: A plan of the source.
    /// - Returns: A `.strayInverseEntry` for each shard that such entries name.
    /// - Throws: `MigrationError`, `DAGStoreError`.
    package func strayInverse(_ plan: MigrationPlan) throws -> [MigrationProblem] {
        var strays = try StrayInverse(plan, exporter)
        try source.contents.forEachInverseRow { multihash, keys in
            try strays.count(multihash, keys)
        }
        return strays.problems
    }
}

/// Counts the inverse entries that name a shard without the multihash, or no shard.
private struct StrayInverse {
    private let exporter: ShardExporter
    /// The numbers of the planned shards that the store has, by the bytes of their keys.
    private var numbers: [[UInt8]: UInt32] = [:]
    private var planned = Set<[UInt8]>()
    private var withoutRecord: [[UInt8]: Int] = [:]
    private var withoutEntry: [[UInt8]: Int] = [:]
    private var unreadable = 0

    init(_ plan: MigrationPlan, _ exporter: ShardExporter) throws {
        self.exporter = exporter
        for shard in plan.shards {
            let bytes = Array(shard.key.utf8)
            planned.insert(bytes)
            guard let key = try? ShardKey(shard.key) else { continue }
            numbers[bytes] = try exporter.number(of: key)
        }
    }

    mutating func count(_ multihash: [UInt8]?, _ keys: [String]?) throws {
        guard let keys else {
            unreadable += 1
            return
        }
        let parts = multihash.flatMap { BoostRecords.parts(of: $0) }
        for key in keys.map({ Array($0.utf8) }) {
            guard planned.contains(key) else {
                withoutRecord[key, default: 0] += 1
                continue
            }
            // A mangled key does not determine a multihash.
            guard let parts, let multihash, let number = numbers[key] else { continue }
            let digest = multihash[parts.digestOffset...]
            let isFound = try Array(digest).withView { view in
                Result {
                    try exporter.isFound(hashCode: parts.hashCode, digest: view, in: number)
                }
            }.get()
            if !isFound { withoutEntry[key, default: 0] += 1 }
        }
    }

    var problems: [MigrationProblem] {
        var details: [String] = []
        for (key, count) in withoutRecord {
            details.append(
                "\(String(decoding: key, as: UTF8.self)): no record, \(count) entries"
            )
        }
        for (key, count) in withoutEntry {
            let name = String(decoding: key, as: UTF8.self)
            details.append("\(name): not in its index, \(count) entries")
        }
        if unreadable > 0 { details.append("\(unreadable) rows that cannot be read") }
        return details.sorted().map { MigrationProblem(kind: .strayInverseEntry, detail: $0) }
    }
}
