internal import Catalog
internal import Synchronization

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
    /// The number of sections, repeated ones included.
    public let blockCount: UInt64
    /// The size of the payload in bytes.
    public let payloadSize: UInt64
    /// The size of index pages and locator in bytes.
    public let indexSize: UInt64
    /// Leases of this process.
    public let references: Int
    /// Why it has failed.
    public let error: DAGStoreError?
    /// Since when it is in its state, in milliseconds since 1970.
    public let stateSince: UInt64

    init(_ record: ShardRecord, references: Int) {
        let key = ShardKey(stored: record.key)
        self.key = key
        state =
            switch record.state {
            case .registered: .registered
            case .available: references > 0 ? .serving : .available
            case .failed: .failed
            }
        mountURL = record.mountURL
        isLazy = record.isLazy
        blockCount = record.sectionCount
        payloadSize = record.payloadSize
        indexSize = record.indexSize
        self.references = references
        error =
            record.errorCode == 0
            ? nil
            : DAGStoreError(
                DAGStoreError.Code(rawValue: record.errorCode) ?? .shardFailed,
                record.errorText,
                shard: key
            )
        stateSince = record.stateSince
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
    /// Bytes of it that were ever used.
    public let catalogUsedBytes: UInt64
    /// The address space that the catalogue may grow into.
    public let mapSize: UInt64
    /// Leases of this process.
    public let leases: Int
    /// Shards that are open in this process.
    public let openShards: Int
    /// Decoded pages found in the cache.
    public let pageCacheHits: UInt64
    /// Pages that had to be decoded.
    public let pageCacheMisses: UInt64
    /// Bytes of decoded pages.
    public let pageCacheBytes: Int
}

/// The shards of a store in order of registration, read page by page.
///
/// What is registered or destroyed meanwhile may or may not appear.
public struct ShardStatuses: Sequence, Sendable {
    let store: DAGStore

    /// Begins at the first shard.
    public func makeIterator() -> Iterator { Iterator(store: store) }

    /// Reads some records at a time.
    public struct Iterator: IteratorProtocol {
        private static let batchSize = 256
        private let store: DAGStore
        private var batch: ArraySlice<ShardRecord> = []
        private var last: UInt32?
        private var isAtEnd = false
        /// What ended the iteration early, if anything did.
        public private(set) var error: DAGStoreError?

        init(store: DAGStore) { self.store = store }

        /// The next shard; nil at the end, or if the catalogue could not be read: see `error`.
        public mutating func next() -> ShardStatus? {
            guard let record = nextRecord() else { return nil }
            return ShardStatus(record, references: store.references(of: record.key))
        }

        mutating func nextRecord() -> ShardRecord? {
            if batch.isEmpty, !isAtEnd {
                do {
                    let records = try store.using {
                        try store.catalog.records(after: last, limit: Self.batchSize)
                    }
                    isAtEnd = records.count < Self.batchSize
                    last = records.last?.number ?? last
                    batch = records[...]
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
        try using {
            try translating {
                try catalog.record(of: key.text).map {
                    ShardStatus($0, references: references(of: $0.key))
                }
            }
        }
    }

    /// All shards in order of registration, read page by page.
    public func statuses() -> ShardStatuses { ShardStatuses(store: self) }

    /// The leases that this process has on a shard.
    func references(of key: String) -> Int {
        state.withLock { $0.open[ShardKey(stored: key)]?.references ?? 0 }
    }

    /// What the store counts as it goes.
    ///
    /// *Cost*: O(1).
    ///
    /// - Throws: `catalogCorrupt`, `closed`.
    public func statistics() throws -> Statistics {
        try using { try translating { try currentStatistics() } }
    }

    private func currentStatistics() throws -> Statistics {
        let counters = try catalog.counters()
        let usage = try catalog.usage()
        let (leases, open) = state.withLock { ($0.leases, $0.open.count) }
        let pages = cache.usage
        return Statistics(
            shards: counters.shards,
            available: counters.available,
            failed: counters.failed,
            blocks: counters.sections,
            payloadBytes: counters.payloadBytes,
            indexBytes: counters.indexBytes,
            catalogFileBytes: usage.fileSize,
            catalogUsedBytes: usage.bytesInUse,
            mapSize: usage.mapSize,
            leases: leases,
            openShards: open,
            pageCacheHits: pages.hits,
            pageCacheMisses: pages.misses,
            pageCacheBytes: pages.bytes
        )
    }
}
