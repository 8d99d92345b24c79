package import Bytes
internal import Catalog
internal import Multiformats
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

    /// Whether the inverse index leads from a digest to a shard.
    ///
    /// - Throws: `catalogCorrupt`.
    package func isFound(_ digest: ByteView, in key: ShardKey) throws -> Bool {
        try engine.using {
            try translating {
                guard let record = try engine.catalog.record(of: key.text) else { return false }
                // The inverse index is of digests, whatever the hash function.
                let multihash = Multihash(code: HashCode.sha2_256, digest: digest.copied)
                let cid = CID(codec: Codec.raw, multihash: multihash)
                return try engine.candidates(of: cid).all.contains(record.number)
            }
        }
    }
}
