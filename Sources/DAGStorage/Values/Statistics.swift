/// Counts of a store.
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
    /// The size of the catalog's file in bytes.
    public let catalogFileBytes: UInt64
    /// Bytes of it that are in use.
    public let catalogUsedBytes: UInt64
    /// Bytes of the catalog's file that hold nothing and are used again.
    public let catalogFreeBytes: UInt64
    /// The address space that the catalog may grow into.
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

/// The size of the inverse index, and its cost.
public struct InverseStatistics: Sendable, Equatable {
    /// A run of entries on disk.
    public struct Run: Sendable, Equatable {
        /// Pairs of a multihash and a shard.
        public let entries: UInt64
        /// Its size in bytes.
        public let bytes: UInt64
    }

    /// Entries of existing shards that are in no run yet.
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
