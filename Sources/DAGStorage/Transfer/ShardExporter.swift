package import DAGBytes
internal import DAGCatalog
internal import ShardIndex

/// A shard, as another store would have to know it.
package struct ExportedShard: Sendable {
    /// Its number: shards are in the order of their registration.
    package let number: UInt32
    /// Its key.
    package let key: ShardKey
    /// The URL of its mount.
    package let mountURL: String
    /// `registered`, `available` or `failed`.
    package let state: ShardStatus.State
    /// The reason of its failure; empty if it has not failed.
    package let error: String
    /// Whether it was registered lazily.
    package let isLazy: Bool
    /// The path of the copy that its mount lent, as bytes; empty if there is none.
    package let transientPath: [UInt8]
    /// The sections of its index; nil if it has none that can be written as a file.
    package let entries: UInt64?
    /// The codec of the index file that it came with; 0x0401 if it came with none.
    package let codec: UInt64
    /// Whether its index file has identity CIDs.
    package let hasIdentity: Bool
}

/// Reads shards for another store.
///
/// *Concurrency*: any thread; everything blocks.
package struct ShardExporter: Sendable {
    let engine: StoreEngine
    private static let chunkSize = 256

    /// An exporter of `store`.
    package init(_ store: DAGStore) { engine = store.engine }

    /// An exporter of the store that is imported into.
    package init(_ importer: ShardImporter) { engine = importer.engine }

    /// Every shard, in order of registration.
    ///
    /// *Memory*: some hundred bytes a shard.
    ///
    /// - Throws: `catalogCorrupt`, `closed`.
    package func shards() throws -> [ExportedShard] {
        try engine.access.using {
            var shards: [ExportedShard] = []
            var last: UInt32?
            while true {
                let records = try translating {
                    try engine.catalog.records(after: last, limit: Self.chunkSize)
                }
                guard let end = records.last else { return shards }
                last = end.number
                for record in records { shards.append(try Self.exported(record)) }
            }
        }
    }

    private static func exported(_ record: ShardRecord) throws -> ExportedShard {
        let state: ShardStatus.State =
            switch record.state {
            case .registered: .registered
            case .available: .available
            case .failed: .failed
            }
        // Offsets of unknown meaning make no index file; they are read from the CAR when it is used.
        let isWhole = record.generation != 0 && !(record.isIncomplete && record.origin == nil)
        return ExportedShard(
            number: record.number,
            key: try ShardKey(record.key),
            mountURL: record.mountURL,
            state: state,
            error: record.errorText,
            isLazy: record.isLazy,
            transientPath: record.transientPath,
            entries: isWhole ? record.sectionCount : nil,
            codec: record.origin?.codec ?? 0x0401,
            hasIdentity: record.origin?.hasIdentity ?? true
        )
    }

    /// The number of a shard; nil if there is none of this key.
    ///
    /// - Throws: `catalogCorrupt`.
    package func number(of key: ShardKey) throws -> UInt32? {
        try engine.access.using { try translating { try engine.catalog.number(of: key.text) } }
    }

    /// Whether a multihash leads to a shard, by the inverse index and by the shard's own.
    ///
    /// - Throws: `catalogCorrupt`.
    package func isFound(
        hashCode: UInt64,
        digest: ByteView,
        in number: UInt32
    ) throws -> Bool {
        try engine.access.using {
            try translating {
                guard try engine.lookup.candidates(ofDigest: digest).all.contains(number) else {
                    return false
                }
                let has = try engine.indexes.withLastingIndex(of: number) {
                    try $0.contains(hashCode: hashCode, digest: digest)
                }
                return has ?? false
            }
        }
    }

    /// The numbers of the shards whose index has a multihash, in order of registration.
    ///
    /// *Cost*: a search in the inverse index; if several shards are found, one in the index of each.
    ///
    /// - Parameters:
    ///   - hashCode: The hash function.
    ///   - digest: The digest.
    ///   - number: A shard that is known to have it.
    /// - Returns: The numbers, this one among them.
    /// - Throws: `catalogCorrupt`.
    package func holders(
        hashCode: UInt64,
        digest: ByteView,
        besides number: UInt32
    ) throws -> [UInt32] {
        try engine.access.using {
            try translating {
                let found = try engine.lookup.candidates(ofDigest: digest)
                if found.single == number { return [number] }
                return try found.all.filter { candidate in
                    guard candidate != number else { return true }
                    let has = try engine.indexes.withLastingIndex(of: candidate) {
                        try $0.contains(hashCode: hashCode, digest: digest)
                    }
                    return has ?? false
                }
            }
        }
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
        try engine.access.using {
            let record = try translating { try engine.catalog.record(of: key.text) }
            guard let record else { return false }
            let walked = try engine.indexes.withLastingIndex(of: record.number) { reader in
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
}
