package import DAGBytes
internal import DAGCatalog
internal import ShardIndex

/// The properties of a shard that another store needs.
package struct ExportedShard: Sendable {
    /// The number, in order of registration.
    package let number: UInt32
    /// The key.
    package let key: ShardKey
    /// The URL of the mount.
    package let mountURL: String
    /// `registered`, `available` or `failed`.
    package let state: ShardStatus.State
    /// The reason of the failure; empty if the shard is sound.
    package let error: String
    /// Whether the shard was registered lazily.
    package let isLazy: Bool
    /// The path of the user's own copy, as bytes; empty if there is none.
    package let transientPath: [UInt8]
    /// The number of sections in the index; nil if there is no index that a file can hold.
    package let entries: UInt64?
    /// The codec of the index file that the shard was migrated with; 0x0401 without such a file.
    package let codec: UInt64
    /// Whether the index file has identity CIDs.
    package let hasIdentity: Bool
}

/// Reads shards for another store.
///
/// *Concurrency*: any thread; all calls block.
package struct ShardExporter: Sendable {
    let engine: StoreEngine
    private static let chunkSize = 256

    /// Creates an exporter of `store`.
    package init(_ store: DAGStore) { engine = store.engine }

    /// Creates an exporter of the importer's store.
    package init(_ importer: ShardImporter) { engine = importer.engine }

    /// Returns every shard, in order of registration.
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
        // An index with offsets of unknown meaning cannot become a file; the first use reads the CAR.
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

    /// Returns the number of a shard; nil if no shard has the key.
    ///
    /// - Throws: `catalogCorrupt`.
    package func number(of key: ShardKey) throws -> UInt32? {
        try engine.access.using { try translating { try engine.catalog.number(of: key.text) } }
    }

    /// Returns whether both the inverse index and the shard's own index have a multihash.
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

    /// Returns the numbers of the shards whose index has a multihash, in order of registration.
    ///
    /// *Cost*: a search in the inverse index; if it finds several shards, one in the index of each.
    ///
    /// - Parameters:
    ///   - hashCode: The hash function.
    ///   - digest: The digest.
    ///   - number: A shard that has the multihash.
    /// - Returns: The numbers, with `number`.
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

    /// Calls `body` with every section of a shard's index, in order of offset.
    ///
    /// *Cost*: decodes every page; reads no bytes of the shard.
    ///
    /// - Parameters:
    ///   - key: The shard.
    ///   - ordinal: The number of the first section, in order of offset.
    ///   - body: Receives a view that is valid during the call; returns whether to go on.
    /// - Returns: Whether the shard exists and has an index.
    /// - Throws: `catalogCorrupt`, and the errors of `body`.
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
