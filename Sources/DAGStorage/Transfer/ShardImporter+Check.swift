package import DAGBytes
internal import DAGCatalog
internal import ShardIndex

/// Comparing a store with what it took over.
extension ShardImporter {
    /// Whether there is a shard of this key.
    package func contains(_ key: ShardKey) throws -> Bool {
        try engine.access.using { try translating { try engine.catalog.record(of: key.text) } }
            != nil
    }

    /// Where the payload of a shard begins in its source, as its index says; 0 if there is none.
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

    /// The inverse index's answers about one shard; nil if there is no such shard.
    package func inverseProbe(of key: ShardKey) throws -> InverseProbe? {
        try engine.access.using {
            let record = try translating { try engine.catalog.record(of: key.text) }
            return record.map { InverseProbe(engine: engine, number: $0.number) }
        }
    }
}

/// Asks the inverse index about one shard.
package struct InverseProbe: Sendable {
    let engine: StoreEngine
    let number: UInt32

    /// Whether the inverse index leads from a digest to the shard.
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
