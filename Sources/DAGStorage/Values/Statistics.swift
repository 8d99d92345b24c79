public import DAGMounts

/// Counts of a store.
public struct Statistics: Sendable, Equatable {
    /// The number of shards.
    public let shards: UInt64
    /// The number of available shards.
    public let available: UInt64
    /// The number of failed shards.
    public let failed: UInt64
    /// The number of sections of all indexed shards.
    public let blocks: UInt64
    /// The size of the payloads of all indexed shards, in bytes.
    public let payloadBytes: UInt64
    /// The size of index pages and locators in bytes.
    public let indexBytes: UInt64
    /// The size of the catalog's file in bytes.
    public let catalogFileBytes: UInt64
    /// The number of bytes of the catalog's file in use.
    public let catalogUsedBytes: UInt64
    /// The number of free bytes of the catalog's file, which later writes use.
    public let catalogFreeBytes: UInt64
    /// The address space of the catalog in bytes, which limits its growth.
    public let mapSize: UInt64
    /// The number of leases of this process.
    public let leases: Int
    /// The number of shards that are open in this process.
    public let openShards: Int
    /// The number of events that slow readers of `events()` and `failures()` have lost.
    public let eventsDropped: UInt64
    /// The number of transients.
    public let transients: Int
    /// The size of the transients in bytes.
    public let transientBytes: UInt64
    /// The number of pages that the cache had.
    public let pageCacheHits: UInt64
    /// The number of decoded pages.
    public let pageCacheMisses: UInt64
    /// The size of the decoded pages in the cache, in bytes.
    public let pageCacheBytes: Int
    /// The counts of the inverse index.
    public let inverse: InverseStatistics
    /// The requests and bytes by which this process has read shards from elsewhere, by the schemes of their mounts.
    ///
    /// Counts from the opening of the store; those of destroyed shards stay.
    public let trafficByScheme: [String: Traffic]

    /// The requests and bytes of all schemes.
    public var traffic: Traffic { trafficByScheme.values.reduce(into: Traffic()) { $0 += $1 } }
}

/// The size and cost of the inverse index.
public struct InverseStatistics: Sendable, Equatable {
    /// A run of entries on disk.
    public struct Run: Sendable, Equatable {
        /// The number of pairs of a multihash and a shard.
        public let entries: UInt64
        /// The size of the run in bytes.
        public let bytes: UInt64
    }

    /// The number of recent entries of existing shards.
    public let recentEntries: Int
    /// The runs, the largest first.
    public let runs: [Run]
    /// The number of entries that were written into a run for the first time.
    public let entriesAdded: UInt64
    /// The number of entries written into runs, with those that merges wrote again.
    public let entriesWritten: UInt64
    /// The number of entries that merges dropped: duplicates, and entries of destroyed shards.
    public let entriesDropped: UInt64

    /// The number of all entries.
    public var entries: UInt64 { runs.reduce(UInt64(recentEntries)) { $0 + $1.entries } }
    /// The size of all runs in bytes.
    public var bytes: UInt64 { runs.reduce(0) { $0 + $1.bytes } }
    /// The number of tables and runs that a search probes.
    public var readAmplification: Int { runs.count + (recentEntries > 0 ? 1 : 0) }
    /// How often an entry was written into a run, on average; 0 without entries.
    public var writeAmplification: Double {
        entriesAdded == 0 ? 0 : Double(entriesWritten) / Double(entriesAdded)
    }
}
