internal import DAGCatalog
public import DAGMultiformats
internal import ShardIndex

extension DAGStore {
    /// Returns the roots that a shard's index has, without its CAR; nil if the shard has no index.
    ///
    /// - Throws: `catalogCorrupt`, `closed`.
    package func indexedRoots(of key: ShardKey) throws -> [CID]? {
        try engine.access.using {
            let record = try translating { try engine.catalog.record(of: key.text) }
            guard let record, record.generation != 0, !record.isIncomplete else { return nil }
            return try engine.indexes.withLastingIndex(of: record.number) { $0.root.roots }
        }
    }

    /// The number of records to read at once.
    private static let recordsPerRead = 256

    /// Returns the shards whose CAR names `root` among its roots, in order of registration.
    ///
    /// An identity root may have no section, so that the inverse index lacks it; this call finds its shards.
    ///
    /// *Cost*: O(shards): reads the root page of each indexed shard, and no bytes of a shard.
    ///
    /// - Parameter root: The root.
    /// - Returns: The keys.
    /// - Throws: `catalogCorrupt`, `closed`.
    public func shards(withRoot root: CID) throws -> [ShardKey] {
        var found: [ShardKey] = []
        var last: UInt32?
        while true {
            let records = try engine.access.using {
                try translating {
                    try engine.catalog.records(after: last, limit: Self.recordsPerRead)
                }
            }
            guard let end = records.last else { return found }
            last = end.number
            for record in records {
                let isRoot = try engine.access.using {
                    try engine.indexes.withLastingIndex(of: record.number) {
                        $0.root.roots.contains(root)
                    }
                }
                if isRoot == true { found.append(ShardKey(stored: record.key)) }
            }
        }
    }
}
