package import Bytes
internal import Catalog
internal import ShardIndex

/// Comparing a store with what it took over.
extension ShardImporter {
    /// Whether there is a shard of this key.
    package func contains(_ key: ShardKey) throws -> Bool {
        try engine.using { try translating { try engine.catalog.record(of: key.text) } } != nil
    }

    /// Calls `body` with every section that a shard's index knows, in order of their offsets.
    ///
    /// *Cost*: every page is decoded; no byte of the shard is touched.
    ///
    /// - Parameters:
    ///   - key: The shard.
    ///   - ordinal: The number of the first section, in order of the offsets.
    ///   - body: Receives a view that is valid during the call; returns whether to go on.
    /// - Returns: Whether there is such a shard, and it has an index.
    /// - Throws: `catalogCorrupt`, and what `body` throws.
    package func forEachEntry(
        of key: ShardKey,
        from ordinal: UInt64 = 0,
        _ body: (ImportedEntry) throws -> Bool
    ) throws -> Bool {
        try engine.using {
            let record = try translating { try engine.catalog.record(of: key.text) }
            guard let record else { return false }
            let walked = try engine.withIndex(of: record.number) { reader in
                guard let first = reader.root.page(ofOrdinal: ordinal) else { return true }
                for number in first..<reader.root.pages.count {
                    let page = try translating { try reader.page(number) }
                    let start = ordinal > page.firstOrdinal ? Int(ordinal - page.firstOrdinal) : 0
                    for slot in start..<page.count {
                        let isWanted = page.withDigest(of: slot) { digest in
                            let entry = ImportedEntry(
                                hashCode: page.kind(of: slot).hashCode,
                                digest: digest,
                                offset: page.offset(of: slot)
                            )
                            return Result { try body(entry) }
                        }
                        guard try isWanted.get() else { return true }
                    }
                }
                return true
            }
            return walked ?? false
        }
    }

    /// The inverse index's answers about one shard; nil if there is no such shard.
    package func inverseProbe(of key: ShardKey) throws -> InverseProbe? {
        try engine.using {
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
        try engine.using {
            let found = try translating { try engine.candidates(ofDigest: digest) }
            return found.single.map { $0 == number } ?? found.all.contains(number)
        }
    }
}
