package import DAGBytes
internal import DAGCAR
internal import DAGCatalog
internal import DAGMounts
internal import DAGSystem
internal import Dispatch
internal import ShardIndex
package import SystemPackage

/// A shard to import from another store.
package struct ImportedShard: Sendable {
    /// The key.
    package var key: ShardKey
    /// The URL of the mount, of any scheme.
    package var mountURL: MountURL
    /// The reason of the failure; nil if the shard is sound.
    package var failure: String?
    /// Whether the shard was registered lazily.
    package var isLazy: Bool
    /// The user's own copy of the CAR; nil if there is none.
    package var transient: FilePath?

    /// Creates a shard without an index.
    package init(
        key: ShardKey,
        mountURL: MountURL,
        failure: String? = nil,
        isLazy: Bool = false,
        transient: FilePath? = nil
    ) {
        self.key = key
        self.mountURL = mountURL
        self.failure = failure
        self.isLazy = isLazy
        self.transient = transient
    }
}

/// One record of an index file.
package struct ImportedEntry {
    /// The hash function; nil if the file lacks it.
    package var hashCode: UInt64?
    /// The digest.
    package var digest: ByteView
    /// The offset of the section in the payload, in bytes.
    package var offset: UInt64

    /// Creates a record.
    package init(hashCode: UInt64?, digest: ByteView, offset: UInt64) {
        self.hashCode = hashCode
        self.digest = digest
        self.offset = offset
    }
}

/// The index of a shard to import.
package struct ImportedIndex {
    /// The properties of an index file.
    package struct Origin {
        /// The codec, 0x0400 or 0x0401.
        package var codec: UInt64
        /// Whether the file has identity CIDs.
        package var hasIdentity: Bool

        /// Creates an origin.
        package init(codec: UInt64, hasIdentity: Bool) {
            self.codec = codec
            self.hasIdentity = hasIdentity
        }
    }

    /// The index file of the index; nil if the offsets differ from those of an index file.
    package var origin: Origin?
    /// The offset of the payload in the source, in bytes; 0 if it is unknown.
    package var dataOffset: UInt64
    /// The largest offset; nil without records.
    package var offsetMax: UInt64?
    /// Calls its argument with every record; the offsets ascend strictly.
    package var forEach: ((ImportedEntry) throws -> Void) throws -> Void

    /// Creates an index.
    package init(
        origin: Origin?,
        dataOffset: UInt64 = 0,
        offsetMax: UInt64?,
        forEach: @escaping ((ImportedEntry) throws -> Void) throws -> Void
    ) {
        self.origin = origin
        self.dataOffset = dataOffset
        self.offsetMax = offsetMax
        self.forEach = forEach
    }
}

/// A shard that is ready for the commit: the catalog has its index, and no record names the index yet.
package struct PreparedShard: Sendable {
    let record: ShardRecord
    let parts: IndexParts?
    /// The fault that the importer met in the CAR; nil if the CAR is sound or was not read.
    package var fault: DAGStoreError?
    /// Whether the index has the sizes and codecs of all sections.
    package var isComplete: Bool { parts != nil && !record.isIncomplete }
    /// The approximate number of bytes that the commit writes.
    package var size: Int { 256 + (parts?.pieces.reduce(0) { $0 + $1.size } ?? 0) }
}

/// Imports shards with their indexes.
///
/// *Concurrency*: any thread; all calls block.
package struct ShardImporter: Sendable {
    let engine: StoreEngine
    let sortBudget: Int
    /// The limits for reading CARs.
    package var limits: CARLimits { engine.configuration.limits }

    /// Creates an importer into `store`.
    ///
    /// - Parameters:
    ///   - store: The store, open for writing.
    ///   - sortBudget: The memory for sorting, in bytes, for each shard.
    package init(_ store: DAGStore, sortBudget: Int) {
        engine = store.engine
        self.sortBudget = sortBudget
    }

    /// Creates an importer into the store of `engine`, with the store's own budget for sorting.
    init(_ engine: StoreEngine) {
        self.engine = engine
        sortBudget = engine.configuration.sortBudget
    }

    /// Writes the index of a shard, so that only a small commit is left.
    ///
    /// Without a commit, the next open removes the index.
    ///
    /// *Cost*: about 150 ns an entry; with the CAR, the cost of indexing it. *Memory*: as `IndexBuilder`.
    ///
    /// - Parameters:
    ///   - shard: The shard.
    ///   - index: The index; nil to index the shard at its first use.
    ///   - readsCAR: Whether to read sizes and codecs from the CAR, if the CAR is a local file. If the CAR is
    ///     unreadable or lacks a section of the index, the result has the imported index alone, and the fault.
    /// - Returns: The shard for `commit`.
    /// - Throws: `limitExceeded`, `catalogFull`, `readOnly`, `closed`, and the errors of `index`.
    package func prepare(
        _ shard: ImportedShard,
        _ index: ImportedIndex?,
        readsCAR: Bool = false
    ) throws -> PreparedShard {
        var record = ShardRecord(
            number: 0,
            key: shard.key.text,
            mountURL: shard.mountURL.text,
            state: shard.failure != nil ? .failed : index != nil ? .available : .registered
        )
        record.isLazy = shard.isLazy
        record.storeLimits(limits)
        record.transientPath = shard.transient.map(\.bytes) ?? []
        record.registered = WallClock.milliseconds
        record.stateSince = record.registered
        if let failure = shard.failure {
            record.errorCode = DAGStoreError.Code.shardFailed.rawValue
            record.errorText = failure
        }
        guard let index else { return PreparedShard(record: record, parts: nil) }
        record.isIncomplete = true
        record.origin = index.origin.map {
            ShardRecord.Origin(codec: $0.codec, hasIdentity: $0.hasIdentity)
        }
        return try engine.access.using {
            var fault: DAGStoreError?
            if readsCAR, shard.failure == nil {
                do {
                    if let complete = try filled(record, index) { return complete }
                } catch let error as DAGStoreError where error.isFaultOfCAR {
                    fault = error
                }
            }
            let (root, parts) = try write(index, build)
            record.setSizes(root)
            return PreparedShard(record: record, parts: parts, fault: fault)
        }
    }

    /// Imports prepared shards, all of them or none, in one transaction.
    ///
    /// - Throws: `shardExists` if another shard has one of the keys; `catalogFull`, `readOnly`, `closed`.
    package func commit(_ shards: [PreparedShard]) throws {
        guard !shards.isEmpty else { return }
        try engine.access.using {
            let changes: [CatalogChange] = shards.map { shard in
                guard let parts = shard.parts else { return .insert(shard.record, pending: nil) }
                return .adopt(shard.record, parts)
            }
            // The loop is the only writer of recent entries, and the merger makes runs between its commits.
            try engine.loop.perform { [engine] in
                let records = try translating {
                    try engine.writer.sync { try engine.catalog.commit(changes) }
                }
                for (record, shard) in zip(records, shards) {
                    if let parts = shard.parts { engine.merger.add(parts.inverse, of: record) }
                }
            }
        }
    }

    /// Writes an index under a generation without a record.
    ///
    /// - Throws: The translated errors of `build`; the unchanged errors of the index's own walk.
    func write(
        _ index: ImportedIndex,
        _ build: (ImportedIndex, GenerationWriter) throws -> BuiltIndex
    ) throws -> (root: IndexRoot, parts: IndexParts) {
        engine.merger.waitForRoom()
        let pieces = engine.makeGenerationWriter()
        let walk = index.forEach
        var failure: (any Error)?
        var index = index
        // An error of the caller's walk reaches the caller unchanged.
        index.forEach = { add in
            var isOurs = false
            do {
                try walk { entry in
                    do {
                        try add(entry)
                    } catch {
                        isOurs = true
                        throw error
                    }
                }
            } catch {
                if !isOurs { failure = error }
                throw error
            }
        }
        do {
            let built = try translating { try build(index, pieces) }
            let rest = try pieces.finish()
            let parts = IndexParts(
                root: built.root.encoded(policy: engine.configuration.indexPagePolicy),
                generation: rest.generation,
                pieces: rest.pieces,
                inverse: built.inverse
            )
            return (built.root, parts)
        } catch {
            pieces.abandon()
            throw failure ?? error
        }
    }

    private func build(_ index: ImportedIndex, _ pieces: GenerationWriter) throws -> BuiltIndex {
        // The end of the payload is unknown: somewhere after the start of the last section.
        guard index.offsetMax != .max else {
            throw DAGStoreError(.malformedIndex, "an offset of 2^64 - 1")
        }
        let end = index.offsetMax.map { $0 + 1 } ?? 0
        var builder = try IndexBuilder(
            hash: engine.catalog.hash,
            policy: engine.configuration.indexPagePolicy,
            sortBudget: sortBudget,
            dataOffset: index.dataOffset,
            payloadSize: end,
            headerSize: 0,
            roots: [],
            sink: pieces
        )
        var next: UInt64 = 0
        try index.forEach { entry in
            guard entry.digest.count <= IndexPage.digestSizeMax else {
                let detail = "a digest of \(entry.digest.count) bytes"
                throw DAGStoreError(.limitExceeded, detail)
            }
            guard entry.offset >= next, entry.offset < end else {
                let detail = "two records of other multihashes at offset \(entry.offset)"
                throw DAGStoreError(.malformedIndex, detail)
            }
            next = entry.offset + 1
            let kind = EntryKind(
                version: 1,
                codec: nil,
                hashCode: entry.hashCode,
                digestSize: entry.digest.count
            )
            try builder.append(offset: entry.offset, size: nil, kind: kind, digest: entry.digest)
        }
        return try builder.finish(dataEnd: end)
    }
}
