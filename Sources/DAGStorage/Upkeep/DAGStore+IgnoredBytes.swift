package import DAGCARFiles
internal import DAGCatalog
internal import DAGMounts
internal import ShardIndex

extension DAGStore {
    /// Finds bytes after a shard's data that are not padding; readers ignore them.
    ///
    /// *Cost*: as `CARFile.ignoredBytes(after:)`, on a thread of its own.
    ///
    /// - Parameter key: The shard.
    /// - Returns: The bytes; nil if there are none, or if a lease would need fetching or indexing.
    /// - Throws: `closed`, and the errors of the reads.
    package func ignoredBytes(of key: ShardKey) async throws -> IgnoredBytes? {
        // The root page shows whether bytes follow the data. Nearly all shards have none, and stay closed.
        let isPadded = try engine.access.using {
            let record = try translating { try engine.catalog.record(of: key.text) }
            guard let record else { return false }
            return try engine.indexes.withLastingIndex(of: record.number) {
                $0.root.dataEnd < $0.root.payloadSize
            } ?? false
        }
        guard isPadded, let shard = try acquireIfAvailable(key) else { return nil }
        defer { shard.release() }
        let reader = shard.reader
        let limits = engine.configuration.limits
        return try await JobPool(label: "dagstore.padding", width: 1).run {
            do {
                let car = try CARFile(try reader.openReader(), limits: limits)
                return try car.ignoredBytes(after: reader.root.dataEnd)
            } catch {
                throw DAGStoreError(any: error)
            }
        }
    }
}
