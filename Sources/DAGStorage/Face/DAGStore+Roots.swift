internal import DAGCatalog
public import DAGMultiformats
internal import ShardIndex

extension DAGStore {
    /// How many records are read at once.
    private static let recordsPerRead = 256

    /// The shards whose CAR names `root` among its roots, in order of registration.
    ///
    /// The block of an identity root is in its CID, and need not be among the sections: no index of blocks finds it.
    ///
    /// *Cost*: O(shards): the root page of each shard that is indexed. No byte of a shard is touched.
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
