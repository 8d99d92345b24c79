package import DAGCARFiles
internal import DAGCatalog
internal import DAGMounts
internal import ShardIndex

extension DAGStore {
    /// Looks for bytes of a shard that are not padding, and that no reader sees.
    ///
    /// *Cost*: as `CARFile.ignoredBytes(after:)`, on a thread of its own.
    ///
    /// - Parameter key: The shard; one that is not open and at hand is not looked at.
    /// - Returns: The bytes; nil if there are none, or if the shard is not at hand.
    /// - Throws: `closed`, and what reading throws.
    package func ignoredBytes(of key: ShardKey) async throws -> IgnoredBytes? {
        // Nearly no shard has anything after its data, and the root page says so: it need not be opened.
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
