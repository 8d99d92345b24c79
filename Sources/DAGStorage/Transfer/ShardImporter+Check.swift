package import DAGBytes
internal import DAGCatalog
internal import ShardIndex

/// Compares a store with the shards that it imported.
extension ShardImporter {
    /// Returns whether a shard has the key.
    package func contains(_ key: ShardKey) throws -> Bool {
        try engine.access.using { try translating { try engine.catalog.record(of: key.text) } }
            != nil
    }

    /// Returns the offset of a shard's payload in its source, from the index; 0 without an index.
    ///
    /// - Throws: `catalogCorrupt`.
    package func dataOffset(of key: ShardKey) throws -> UInt64 {
        try engine.access.using {
            let record = try translating { try engine.catalog.record(of: key.text) }
            guard let record else { return 0 }
            return try engine.indexes.withLastingIndex(of: record.number) { $0.root.dataOffset }
                ?? 0
        }
    }

    /// Returns a probe of the inverse index for one shard; nil if no shard has the key.
    package func inverseProbe(of key: ShardKey) throws -> InverseProbe? {
        try engine.access.using {
            let record = try translating { try engine.catalog.record(of: key.text) }
            return record.map { InverseProbe(engine: engine, number: $0.number) }
        }
    }
}

/// A probe of the inverse index for one shard.
package struct InverseProbe: Sendable {
    let engine: StoreEngine
    let number: UInt32

    /// Returns whether the inverse index names the shard for a digest.
    ///
    /// *Cost*: a search in the inverse index.
    ///
    /// - Throws: `catalogCorrupt`.
    package func isFound(_ digest: ByteView) throws -> Bool {
        try engine.access.using {
            let found = try translating { try engine.lookup.candidates(ofDigest: digest) }
            return found.single.map { $0 == number } ?? found.all.contains(number)
        }
    }
}
