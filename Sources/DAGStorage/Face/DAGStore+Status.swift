internal import DAGCatalog
public import DAGMounts
internal import ShardIndex

/// The shards of a store in order of registration, read page by page.
///
/// The sequence may miss or return shards that are registered or destroyed meanwhile.
///
/// ```swift
/// for try await status in store.statuses() { print(status.key, status.state) }
/// ```
public struct ShardStatuses: AsyncSequence, Sendable {
    /// The element: a shard's status.
    public typealias Element = ShardStatus

    let engine: StoreEngine

    /// Begins at the first shard.
    public func makeAsyncIterator() -> Iterator { Iterator(engine: engine) }

    /// Begins at the first shard, for code without tasks.
    public func makeIterator() -> Iterator { Iterator(engine: engine) }

    /// Reads some records at a time.
    public struct Iterator: AsyncIteratorProtocol {
        private static let batchSize = 256
        private let engine: StoreEngine
        private var batch: ArraySlice<Catalog.Standing> = []
        private var last: UInt32?
        private var isAtEnd = false

        init(engine: StoreEngine) { self.engine = engine }

        /// Returns the next shard; nil at the end.
        ///
        /// *Cost*: a step in an array; every 256th call reads the catalog, and never waits for a mount.
        ///
        /// - Throws: `catalogCorrupt`, `outOfResources`, `closed`; the next call tries again.
        public mutating func next() throws -> ShardStatus? {
            if batch.isEmpty, !isAtEnd {
                let standings = try engine.access.using {
                    try translating {
                        try engine.catalog.standings(after: last, limit: Self.batchSize)
                    }
                }
                isAtEnd = standings.count < Self.batchSize
                last = standings.last?.record.number ?? last
                batch = standings[...]
            }
            return batch.popFirst().map(engine.status)
        }
    }
}

extension DAGStore {
    /// Returns the status of a shard; nil if there is none with this key.
    ///
    /// - Throws: `catalogCorrupt`, `closed`.
    public func status(of key: ShardKey) throws -> ShardStatus? {
        try engine.access.using { try translating { try engine.status(of: key) } }
    }

    /// Returns all shards in order of registration, read page by page.
    public func statuses() -> ShardStatuses { ShardStatuses(engine: engine) }

    /// Returns the requests and bytes by which this process has read shards of a scheme from elsewhere.
    ///
    /// *Cost*: no I/O.
    ///
    /// - Throws: `closed`.
    public func traffic(ofScheme scheme: String) throws -> Traffic {
        try checkOpen()
        return engine.traffic.schemes[scheme] ?? Traffic()
    }

    /// Returns the counts of the store.
    ///
    /// *Cost*: a step for each open shard and for each run of the inverse index. A read-only store also reads the
    /// recent entries. If shards were destroyed, the call also looks up the record of each shard with recent entries.
    ///
    /// - Throws: `catalogCorrupt`, `closed`.
    public func statistics() throws -> Statistics {
        try engine.access.using { try translating { try engine.statistics() } }
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
            references: openShards.references(of: ShardKey(stored: record.key)),
            transient: borrowed ?? own,
            away: away.error(of: record.number),
            traffic: traffic.traffic(of: record.number)
        )
    }

    fileprivate func statistics() throws -> Statistics {
        let counters = try catalog.counters()
        let usage = try catalog.usage()
        let free = try catalog.freeBytes()
        let pages = indexes.cache.usage
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
            leases: openShards.leaseCount,
            openShards: openShards.count,
            eventsDropped: events.droppedCount,
            transients: copies.files,
            transientBytes: copies.bytes,
            pageCacheHits: pages.hits,
            pageCacheMisses: pages.misses,
            pageCacheBytes: pages.bytes,
            inverse: try inverseStatistics(),
            trafficByScheme: traffic.schemes
        )
    }

    /// Returns the number of recent entries of shards that exist.
    private func recentEntryCount() throws -> Int {
        guard !catalog.isReadOnly else {
            return try merger.entriesWithRecord(catalog.recentEntries()).count
        }
        let counters = try catalog.counters()
        // Without destroyed shards, all entries belong to existing ones.
        guard counters.shards != UInt64(counters.nextShard) - 1 else { return inverse.recentCount }
        return try merger.entriesWithRecord(inverse.snapshot.tables.flatMap(\.entries)).count
    }

    private func inverseStatistics() throws -> InverseStatistics {
        let totals = try catalog.inverseTotals()
        let runs = try catalog.inverseRuns().map { run in
            InverseStatistics.Run(entries: run.shape.entryCount, bytes: run.shape.byteCount)
        }
        return InverseStatistics(
            recentEntries: try recentEntryCount(),
            runs: runs.sorted { $0.entries > $1.entries },
            entriesAdded: totals.added,
            entriesWritten: totals.written,
            entriesDropped: totals.dropped
        )
    }
}
