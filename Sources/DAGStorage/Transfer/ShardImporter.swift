package import DAGBytes
internal import DAGCAR
internal import DAGCatalog
internal import DAGMounts
internal import Dispatch
internal import ShardIndex
package import SystemPackage

/// A shard that another store had, as it is taken over.
package struct ImportedShard: Sendable {
    /// Its key.
    package var key: ShardKey
    /// Where its bytes come from; the scheme need not be known here.
    package var mountURL: MountURL
    /// The reason of its failure; nil if it has not failed.
    package var failure: String?
    /// Whether it was registered lazily.
    package var isLazy: Bool
    /// A copy of its bytes that belongs to the user.
    package var transient: FilePath?

    /// A shard without an index.
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
    /// The hash function; nil if the file does not say.
    package var hashCode: UInt64?
    /// The digest.
    package var digest: ByteView
    /// Where the section starts in the payload.
    package var offset: UInt64

    /// A record.
    package init(hashCode: UInt64?, digest: ByteView, offset: UInt64) {
        self.hashCode = hashCode
        self.digest = digest
        self.offset = offset
    }
}

/// The index file that a shard comes with.
package struct ImportedIndex {
    /// The index file that it came with.
    package struct Origin {
        /// 0x0400 or 0x0401.
        package var codec: UInt64
        /// Whether it has identity CIDs.
        package var hasIdentity: Bool

        /// An origin.
        package init(codec: UInt64, hasIdentity: Bool) {
            self.codec = codec
            self.hasIdentity = hasIdentity
        }
    }

    /// The index file that it came with; nil if its offsets differ from those of an index file.
    package var origin: Origin?
    /// Where the payload begins in the source, as far as it is known.
    package var dataOffset: UInt64
    /// The largest offset in it; nil if it has no records.
    package var offsetMax: UInt64?
    /// Calls its argument with every record, in ascending order of offsets, no two of them equal.
    package var forEach: ((ImportedEntry) throws -> Void) throws -> Void

    /// An index.
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

/// A shard that is ready to be taken over: its index stands in the catalog, and nothing names it.
package struct PreparedShard: Sendable {
    let record: ShardRecord
    let parts: IndexParts?
    /// The fault that kept the importer from reading the CAR; nil if it read the CAR, or was not asked to.
    package var fault: DAGStoreError?
    /// Whether everything is known of its sections.
    package var isComplete: Bool { parts != nil && !record.isIncomplete }
    /// About how many bytes a commit still writes for it.
    package var size: Int { 256 + (parts?.pieces.reduce(0) { $0 + $1.size } ?? 0) }
}

/// Takes shards over with the indexes that they come with.
///
/// *Concurrency*: any thread; everything blocks.
package struct ShardImporter: Sendable {
    let engine: StoreEngine
    let sortBudget: Int
    /// The limits for reading CARs.
    package var limits: CARLimits { engine.configuration.limits }

    /// An importer into `store`.
    ///
    /// - Parameters:
    ///   - store: The store, open for writing.
    ///   - sortBudget: Bytes of memory for sorting, for each shard that is being prepared.
    package init(_ store: DAGStore, sortBudget: Int) {
        engine = store.engine
        self.sortBudget = sortBudget
    }

    /// Writes the index of a shard, so that only a small commit is left.
    ///
    /// The next open removes shards that were not committed.
    ///
    /// *Cost*: about 150 ns an entry; if the CAR is read, what indexing it costs. *Memory*: as `IndexBuilder`.
    ///
    /// - Parameters:
    ///   - shard: The shard.
    ///   - index: What it comes with; nil if it is to be indexed when it is first used.
    ///   - readsCAR: Whether sizes and codecs are taken from the CAR, if it is a file that can be read. A CAR that
    ///     cannot, or does not have a section that the index names, changes nothing; `fault` says so then.
    /// - Returns: What `commit` takes.
    /// - Throws: `limitExceeded`, `catalogFull`, `readOnly`, `closed`, and what `index` throws.
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

    /// Takes prepared shards over, all of them or none, in one transaction.
    ///
    /// - Throws: `shardExists` if a key is taken; `catalogFull`, `readOnly`, `closed`.
    package func commit(_ shards: [PreparedShard]) throws {
        guard !shards.isEmpty else { return }
        try engine.access.using {
            let changes: [CatalogChange] = shards.map { shard in
                guard let parts = shard.parts else { return .insert(shard.record, pending: nil) }
                return .adopt(shard.record, parts)
            }
            // The recent entries have one writer, and are made a run between commits: so this is the loop's to do.
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

    /// Writes an index under a generation that nothing names yet.
    ///
    /// - Throws: What `build` throws, translated, and what the index's own walk throws, as it is.
    func write(
        _ index: ImportedIndex,
        _ build: (ImportedIndex, GenerationWriter) throws -> BuiltIndex
    ) throws -> (root: IndexRoot, parts: IndexParts) {
        engine.merger.waitForRoom()
        let pieces = GenerationWriter(
            catalog: engine.catalog,
            queue: engine.writer,
            temporaryDirectory: engine.directory.appending("tmp"),
            isLoopBusy: { [loop = engine.loop] in loop.isBusy }
        )
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
        // Where the payload ends is not known: it ends after the last section begins.
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
