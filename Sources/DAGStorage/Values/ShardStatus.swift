internal import DAGCatalog
internal import DAGMounts
internal import ShardIndex
internal import SharedReads
internal import Synchronization
public import SystemPackage

/// What a store knows of a shard.
public struct ShardStatus: Sendable, Equatable {
    /// Where a shard is in its life.
    public enum State: String, Sendable {
        /// Known, not indexed.
        case registered
        /// Being fetched and indexed.
        case initializing
        /// Indexed and readable.
        case available
        /// Available, with leases.
        case serving
        /// Being fetched and indexed after a failure.
        case recovering
        /// Unreadable until recovered.
        case failed
    }

    /// The shard's key.
    public let key: ShardKey
    /// Where it is in its life.
    public let state: State
    /// Where its bytes come from.
    public let mountURL: String
    /// Whether it was registered to be indexed at its first use.
    public let isLazy: Bool
    /// Whether an index of a shard that is not available yet came with it, and answers where blocks are.
    public let hasGivenIndex: Bool
    /// The number of sections, repeated ones included.
    public let blockCount: UInt64
    /// The size of the payload in bytes.
    public let payloadSize: UInt64
    /// The size of index pages and locator in bytes.
    public let indexSize: UInt64
    /// Leases of this process.
    public let references: Int
    /// Why it has failed; of a shard that is available, why it could not be read when this process last tried.
    public let error: DAGStoreError?
    /// Since when it is in its state, in milliseconds since 1970.
    public let stateSince: UInt64

    /// The user's own copy that the shard was registered with, or the store's copy, if there is one.
    public let transient: FilePath?

    init(
        _ record: ShardRecord,
        pending: PendingWork?,
        references: Int,
        transient: FilePath?,
        away: DAGStoreError? = nil
    ) {
        let key = ShardKey(stored: record.key)
        self.key = key
        state =
            switch (record.state, pending?.kind) {
            case (_, .initialize?): .initializing
            case (_, .recover?): .recovering
            case (.registered, nil): .registered
            // It came with an index, which answers where blocks are; its CAR was not read yet.
            case (.available, nil) where record.isIncomplete: .registered
            case (.available, nil): references > 0 ? .serving : .available
            case (.failed, nil): .failed
            }
        mountURL = record.mountURL
        isLazy = record.isLazy
        hasGivenIndex = record.isIncomplete
        blockCount = record.sectionCount
        payloadSize = record.payloadSize
        indexSize = record.indexSize
        self.references = references
        self.transient = transient
        error =
            record.errorCode == 0
            ? away
            : DAGStoreError(
                DAGStoreError.Code(rawValue: record.errorCode) ?? .shardFailed,
                record.errorText,
                shard: key
            )
        stateSince = pending?.since ?? record.stateSince
    }
}

/// What a store counts as it goes.
public struct Statistics: Sendable, Equatable {
    /// Shards with a record.
    public let shards: UInt64
    /// Shards that are available.
    public let available: UInt64
    /// Shards that have failed.
    public let failed: UInt64
    /// Sections of all indexed shards.
    public let blocks: UInt64
    /// Payload bytes of all indexed shards.
    public let payloadBytes: UInt64
    /// Bytes of index pages and locators.
    public let indexBytes: UInt64
    /// The size of the catalogue's file in bytes.
    public let catalogFileBytes: UInt64
    /// Bytes of it that are in use.
    public let catalogUsedBytes: UInt64
    /// Bytes of the catalogue's file that hold nothing and are used again.
    public let catalogFreeBytes: UInt64
    /// The address space that the catalogue may grow into.
    public let mapSize: UInt64
    /// Leases of this process.
    public let leases: Int
    /// Shards that are open in this process.
    public let openShards: Int
    /// Events that slow readers of `events()` and `failures()` have lost.
    public let eventsDropped: UInt64
    /// Copies of the store's own, in files.
    public let transients: Int
    /// Bytes of those copies.
    public let transientBytes: UInt64
    /// Decoded pages found in the cache.
    public let pageCacheHits: UInt64
    /// Pages that had to be decoded.
    public let pageCacheMisses: UInt64
    /// Bytes of decoded pages.
    public let pageCacheBytes: Int
    /// The inverse index.
    public let inverse: InverseStatistics
}

/// What there is of the inverse index, and what it cost.
public struct InverseStatistics: Sendable, Equatable {
    /// A run of entries on disk.
    public struct Run: Sendable, Equatable {
        /// Pairs of a multihash and a shard.
        public let entries: UInt64
        /// Its size in bytes.
        public let bytes: UInt64
    }

    /// Entries that are in no run yet.
    public let recentEntries: Int
    /// The runs, the largest first.
    public let runs: [Run]
    /// Entries that left the newest ones, or came as a run.
    public let entriesAdded: UInt64
    /// Entries written into runs, again and again as runs were merged.
    public let entriesWritten: UInt64
    /// Entries that merges left out, because they were there twice or their shard was gone.
    public let entriesDropped: UInt64

    /// Entries in all.
    public var entries: UInt64 { runs.reduce(UInt64(recentEntries)) { $0 + $1.entries } }
    /// Bytes of all runs.
    public var bytes: UInt64 { runs.reduce(0) { $0 + $1.bytes } }
    /// How many places a search looks at.
    public var readAmplification: Int { runs.count + (recentEntries > 0 ? 1 : 0) }
    /// How often an entry was written into a run; 0 if there are none.
    public var writeAmplification: Double {
        entriesAdded == 0 ? 0 : Double(entriesWritten) / Double(entriesAdded)
    }
}

/// The shards of a store in order of registration, read page by page.
///
/// What is registered or destroyed meanwhile may or may not appear.
public struct ShardStatuses: Sequence, Sendable {
    let engine: StoreEngine

    /// Begins at the first shard.
    public func makeIterator() -> Iterator { Iterator(engine: engine) }

    /// Reads some records at a time.
    public struct Iterator: IteratorProtocol {
        private static let batchSize = 256
        private let engine: StoreEngine
        private var batch: ArraySlice<Catalog.Standing> = []
        private var last: UInt32?
        private var isAtEnd = false
        /// What ended the iteration early, if anything did.
        public private(set) var error: DAGStoreError?

        init(engine: StoreEngine) { self.engine = engine }

        /// The next shard; nil at the end, or if the catalogue could not be read: see `error`.
        public mutating func next() -> ShardStatus? {
            guard let standing = nextStanding() else { return nil }
            return engine.status(standing)
        }

        mutating func nextStanding() -> Catalog.Standing? {
            if batch.isEmpty, !isAtEnd {
                do {
                    let standings = try engine.using {
                        try engine.catalog.standings(after: last, limit: Self.batchSize)
                    }
                    isAtEnd = standings.count < Self.batchSize
                    last = standings.last?.record.number ?? last
                    batch = standings[...]
                } catch {
                    self.error = DAGStoreError(any: error)
                    isAtEnd = true
                }
            }
            return batch.popFirst()
        }
    }
}

extension DAGStore {
    /// What is known of a shard; nil if there is none with this key.
    ///
    /// - Throws: `catalogCorrupt`, `closed`.
    public func status(of key: ShardKey) throws -> ShardStatus? {
        try engine.using { try translating { try engine.status(of: key) } }
    }

    /// All shards in order of registration, read page by page.
    public func statuses() -> ShardStatuses { ShardStatuses(engine: engine) }

    /// What the store counts as it goes.
    ///
    /// *Cost*: a step for each open shard, whose leases it adds up, and for each run of the inverse index. A store that is
    /// opened read-only also reads its newest entries.
    ///
    /// - Throws: `catalogCorrupt`, `closed`.
    public func statistics() throws -> Statistics {
        try engine.using { try translating { try engine.statistics() } }
    }
}

extension StoreEngine {
    func status(of key: ShardKey) throws(CatalogError) -> ShardStatus? {
        try catalog.standing(of: key.text).map(status)
    }

    func status(_ standing: Catalog.Standing) -> ShardStatus {
        let record = standing.record
        let borrowed = record.borrowedTransient?.path
        let own =
            record.identity == .content ? transients.existingPath(of: record.transientName) : nil
        return ShardStatus(
            record,
            pending: standing.pending,
            references: references(of: ShardKey(stored: record.key)),
            transient: borrowed ?? own,
            away: awayError(of: record.number)
        )
    }

    fileprivate func statistics() throws -> Statistics {
        let counters = try catalog.counters()
        let usage = try catalog.usage()
        let free = try catalog.freeBytes()
        let pages = cache.usage
        let copies = transients.usage
        return Statistics(
            shards: counters.shards,
            available: counters.available,
            failed: counters.failed,
            blocks: counters.sections,
            payloadBytes: counters.payloadBytes,
            indexBytes: counters.indexBytes,
            catalogFileBytes: usage.fileSize,
            catalogUsedBytes: usage.bytesInUse - min(usage.bytesInUse, free),
            catalogFreeBytes: free,
            mapSize: usage.mapSize,
            leases: leaseCount,
            openShards: entries.count,
            eventsDropped: events.droppedCount,
            transients: copies.files,
            transientBytes: copies.bytes,
            pageCacheHits: pages.hits,
            pageCacheMisses: pages.misses,
            pageCacheBytes: pages.bytes,
            inverse: try inverseStatistics()
        )
    }

    private func inverseStatistics() throws -> InverseStatistics {
        let totals = try catalog.inverseTotals()
        let runs = try catalog.inverseRuns().map { run in
            InverseStatistics.Run(entries: run.shape.entryCount, bytes: run.shape.byteCount)
        }
        return InverseStatistics(
            recentEntries: catalog.isReadOnly
                ? try catalog.recentEntries().count : inverse.recentCount,
            runs: runs.sorted { $0.entries > $1.entries },
            entriesAdded: totals.added,
            entriesWritten: totals.written,
            entriesDropped: totals.dropped
        )
    }
}
