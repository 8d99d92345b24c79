public import DAGCAR
internal import DAGMounts
public import DAGMultiformats
package import ShardIndex

/// How a store behaves; everything has a default that suits a server.
public struct Configuration: Sendable {
    /// How index pages choose between their direct encodings and zstd.
    public enum PagePolicy: String, Sendable, CaseIterable {
        /// Whatever is smaller, page by page.
        case smallest
        /// Always zstd.
        case zstd
        /// Never zstd.
        case direct
    }

    /// The crash that an answered operation survives.
    public enum Durability: Sendable {
        /// A crash of the machine.
        case full
        /// A crash of the process; the whole store may be lost with the machine.
        ///
        /// For benchmarks and for stores that can be made again.
        case relaxed
    }

    /// How the bytes of local CARs are read.
    public enum Mapping: Sendable {
        /// Mapped into memory, and blocks are views of it.
        case whenPossible
        /// Read by system calls, and blocks are copies: a file that becomes shorter then gives
        /// an error, where a mapping raises SIGBUS.
        case never
    }

    /// How shards that had failed before are treated after the store is opened.
    public enum Recovery: Sendable {
        /// They stay failed until the program calls `recover`.
        case manual
        /// The first lease that is asked for recovers the shard, once.
        case onAcquire
        /// They are recovered at once.
        case atOpen
    }

    /// Whether the store is read-only: it takes no lock, and writes no record or index.
    ///
    /// LMDB still notes its readers in `catalog/lock.mdb`, which must be writable, unless the whole file
    /// system is read-only.
    public var isReadOnly = false
    /// Whether opening looks at every page of the catalog before LMDB follows it; for files that may be damaged.
    ///
    /// LMDB does not verify pages, so a damaged page can end the process with a signal. The store always rejects a
    /// truncated file. *Cost*: every page of rows is read, about a microsecond each.
    public var checksPages = false
    /// The address space reserved for the catalog, in bytes; not disk, not memory.
    ///
    /// It limits how large the catalog may grow; where the system refuses so much, it is halved down
    /// to 32 GiB.
    public var mapSize = 1 << 40
    /// The crash that an answered operation survives.
    public var durability = Durability.full
    /// How index pages choose their encoding.
    public var pagePolicy = PagePolicy.smallest
    /// How the bytes of local CARs are read.
    public var mapping = Mapping.whenPossible
    /// The largest headers and sections that are read, and what null padding means.
    public var limits = CARLimits()
    /// Memory for sorting while a shard is indexed, in bytes; beyond it a file without a name is used.
    public var sortBudget = IndexBuilder.sortBudgetDefault
    /// Memory for decoded index pages, in bytes.
    public var pageCacheSize = 32 << 20
    /// How many shards are indexed at once; those beyond wait in the order in which they came.
    ///
    /// The default is the number of processors. A shard of more than a megabyte is scanned on a second thread.
    public var concurrentIndexing = JobPool.processorCount
    /// How many mounts that say they are ready are opened and copied at once.
    ///
    /// A mount that is not ready may take hours. The store opens it at once, outside this limit.
    public var concurrentReadyFetches = 8
    /// How long a mount may take until the bytes of a shard are there; then the job ends in `fetchTimedOut`.
    ///
    /// nil, the default, waits as long as it takes. Files of this machine are not counted.
    public var fetchTimeout: Duration?
    /// How failed shards are treated after the store is opened.
    public var recovery = Recovery.manual
    /// Whether an opening for writing continues interrupted jobs.
    ///
    /// If not, such shards wait for `initialize`, `recover`, a lease, or the same registration again.
    public var continuesInterrupted = true
    /// The number of automatic recoveries of a failing shard, until it is available again.
    ///
    /// At once the first time; then after 250 ms, and after twice as long each time, up to four minutes.
    public var automaticRecoveries = 0
    /// Orders the shards that may have a block, best first.
    ///
    /// An empty array refuses the block.
    ///
    /// The keys come in the order in which the store would ask: open, available, failed. The store calls it on the
    /// caller's thread, for each block that is read over all shards.
    public var selectShards: (@Sendable (CID, [ShardKey]) -> [ShardKey])?
    /// The number of recent entries that become a run; lower in tests.
    package var inverseFlushFrom = 1 << 16
    /// The number of entries that a rebuild of the inverse index sorts at once; lower in tests.
    package var inverseRebuildBatch = 1 << 20
    /// Supplies index entries instead of the walk over a CAR's sections; see `Indexer`.
    public var indexer: Indexer?
    /// How many bytes the store's own copies of shards may take; nil if there is no limit.
    ///
    /// The store reserves room before a copy begins. If the quota is full, it removes unused copies, the longest
    /// unused first; if that is not enough, the copy fails with `quotaExceeded`.
    public var transientQuota: UInt64?
    /// The share of the quota above which a new copy starts removal.
    public var transientHighWatermark = 0.9
    /// The share of the quota at which removal stops.
    public var transientLowWatermark = 0.7
    /// How many shards without leases stay open, so that the next lease finds them warm.
    public var idleShardsMax = 256
    /// How many bytes of payload shards without leases may keep open; nil if there is no limit.
    ///
    /// Those used longest ago are closed first, and never one that is read.
    public var idleBytesMax: UInt64?
    /// How long a shard without leases stays open; nil if there is no limit.
    public var idleTimeMax: Duration?

    /// The time for which one comparison of a shard's file stays valid.
    ///
    /// After that time, the first lease compares size, time and inode again. Reads over all shards compare once a
    /// second. With zero, every first lease compares.
    public var sourceCheckInterval: Duration = .milliseconds(10)

    /// `idleTimeMax`, at most so long that times can be added to it.
    var idleTimeLimit: Duration? { idleTimeMax.map { min($0, .seconds(1 << 30)) } }

    /// The defaults.
    public init() {}

    func check() throws(DAGStoreError) {
        guard mapSize >= 1 << 20 else {
            throw DAGStoreError(
                .invalidConfiguration,
                "mapSize is \(mapSize) bytes; the minimum is 1 MiB"
            )
        }
        guard sortBudget >= 0, pageCacheSize >= 0, concurrentIndexing > 0,
            concurrentReadyFetches > 0, idleShardsMax >= 0, automaticRecoveries >= 0,
            idleTimeMax ?? .zero >= .zero, sourceCheckInterval >= .zero,
            fetchTimeout ?? .zero >= .zero
        else {
            throw DAGStoreError(
                .invalidConfiguration,
                "sizes, counts and times must not be negative, and the concurrent limits at least 1"
            )
        }
        guard transientLowWatermark >= 0, transientLowWatermark <= transientHighWatermark,
            transientHighWatermark <= 1
        else {
            throw DAGStoreError(
                .invalidConfiguration,
                "the watermarks must be 0 <= low <= high <= 1"
            )
        }
    }

    package var indexPagePolicy: ShardIndex.PagePolicy {
        switch pagePolicy {
        case .smallest: .smallest
        case .zstd: .zstd
        case .direct: .direct
        }
    }
}

extension Duration {
    /// The duration in whole nanoseconds, at most half the numbers there are.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds < 1 << 32 else { return 1 << 62 }
        return UInt64(max(0, seconds)) * 1_000_000_000
            + UInt64(max(0, attoseconds) / 1_000_000_000)
    }
}
