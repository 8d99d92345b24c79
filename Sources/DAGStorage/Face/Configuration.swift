public import DAGCAR
package import DAGHashing
internal import DAGMounts
public import DAGMultiformats
package import ShardIndex

/// Chooses among the shards that may have a block: returns keys of these, best first.
public typealias ShardSelector = @Sendable (_ cid: CID, _ keys: [ShardKey]) -> [ShardKey]

/// The configuration of a store; the defaults suit a server.
public struct Configuration: Sendable {
    /// How index pages choose between their direct encodings and zstd.
    public enum PagePolicy: String, Sendable, CaseIterable {
        /// The smaller encoding of each page.
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
        /// A crash of the process; a crash of the machine may destroy the whole store.
        ///
        /// For benchmarks, and for stores that a program can make again.
        case relaxed
    }

    /// How the store reads the bytes of local CARs.
    public enum Mapping: Sendable {
        /// The store maps CARs into memory, and blocks are views of them.
        case whenPossible
        /// The store reads CARs by system calls, and blocks are copies.
        ///
        /// A file that becomes shorter then causes an error, where a mapping raises SIGBUS.
        case never
    }

    /// The time when an opened store recovers shards that failed before.
    public enum Recovery: Sendable {
        /// When the program calls `recover`.
        case manual
        /// At the first request for a lease on the shard, once.
        case onAcquire
        /// At the opening.
        case atOpen
    }

    /// Whether the store is read-only: it takes no lock, and writes no record or index.
    ///
    /// LMDB still writes its readers to `catalog/lock.mdb`, which must be writable, unless the whole file system is
    /// read-only.
    public var isReadOnly = false
    /// Whether the opening checks every page of the catalog; for files that may be damaged.
    ///
    /// LMDB does not verify pages, so a damaged page can end the process with a signal. The store always rejects a
    /// truncated file. *Cost*: about a microsecond for each page.
    public var checksPages = false
    /// The address space for the catalog, in bytes; it takes neither disk nor memory.
    ///
    /// It limits the size of the catalog. If the system refuses so much, the store halves it, down to 32 GiB.
    public var mapSize = 1 << 40
    /// The crash that an answered operation survives.
    public var durability = Durability.full
    /// How index pages choose their encoding.
    public var pagePolicy = PagePolicy.smallest
    /// How the store reads the bytes of local CARs.
    public var mapping = Mapping.whenPossible
    /// The largest headers and sections to read, and the meaning of null padding.
    public var limits = CARLimits()
    /// The memory for sorting while a shard is indexed, in bytes; more data go to a file without a name.
    public var sortBudget = IndexBuilder.sortBudgetDefault
    /// The memory for decoded index pages, in bytes.
    public var pageCacheSize = 32 << 20
    /// The number of shards to index at once; more shards wait in the order of their requests.
    ///
    /// The default is the number of processors. A second thread scans a shard of more than a megabyte.
    public var concurrentIndexing = JobPool.processorCount
    /// The number of ready mounts to open and copy at once.
    ///
    /// A mount that is not ready may take hours. The store opens it at once, outside this limit.
    public var concurrentReadyFetches = 8
    /// The time that a mount may take to supply the bytes of a shard; nil, the default, for no limit.
    ///
    /// After this time, the job fails with `fetchTimedOut`. Files of this machine have no limit.
    public var fetchTimeout: Duration?
    /// The time when an opened store recovers shards that failed before.
    public var recovery = Recovery.manual
    /// Whether an opening for writing continues interrupted jobs.
    ///
    /// Otherwise such shards wait for `initialize`, `recover`, a lease, or the same registration again.
    public var continuesInterrupted = true
    /// The number of automatic recoveries of a failing shard, until it is available again.
    ///
    /// The store recovers at once the first time, then after 250 ms, then after twice the time each, up to four
    /// minutes.
    public var automaticRecoveries = 0
    /// Orders the shards that may have a block, best first.
    ///
    /// An empty array refuses the block.
    ///
    /// The keys are in the order in which the store would ask: open, available, failed. The store calls the function
    /// on the caller's thread, for each block that a caller reads from all shards.
    public var selectShards: ShardSelector?
    /// The number of recent entries that become a run; lower in tests.
    package var inverseFlushFrom = 1 << 16
    /// The number of entries that a rebuild of the inverse index sorts at once; lower in tests.
    package var inverseRebuildBatch = 1 << 20
    /// The key of the hash of a new store; nil for a random one.
    ///
    /// An existing store keeps its own. Stores that exchange bundles have the same key.
    package var hashKey: HashKey?
    /// Supplies index entries instead of the walk over a CAR's sections; see `Indexer`.
    public var indexer: Indexer?
    /// The largest size of all transients in bytes; nil for no limit.
    ///
    /// The store reserves room before a copy begins. If the quota is full, it removes unused copies, the longest
    /// unused first; if that is not enough, the copy fails with `quotaExceeded`.
    public var transientQuota: UInt64?
    /// The share of the quota above which a new copy starts removal.
    public var transientHighWatermark = 0.9
    /// The share of the quota at which removal stops.
    public var transientLowWatermark = 0.7
    /// The largest number of open shards without leases; a lease on an open shard is fast.
    public var idleShardsMax = 256
    /// The largest payload of open shards without leases, in bytes; nil for no limit.
    ///
    /// The store first closes the shards that were used longest ago.
    public var idleBytesMax: UInt64?
    /// The longest time that a shard without leases stays open; nil for no limit.
    public var idleTimeMax: Duration?

    /// The time for which one comparison of a shard's file stays valid.
    ///
    /// After that time, the first lease compares size, time and inode again. Reads over all shards compare once a
    /// second. With zero, every first lease compares.
    public var sourceCheckInterval: Duration = .milliseconds(10)

    /// `idleTimeMax`, bounded so that sums of times cannot overflow.
    var idleTimeLimit: Duration? { idleTimeMax.map { min($0, .seconds(1 << 30)) } }

    /// Receives measurements and log lines; nil for none.
    public var observer: (any StoreObserver)?

    /// Creates a configuration with the defaults.
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
    /// The duration in whole nanoseconds, at most 2^62.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds < 1 << 32 else { return 1 << 62 }
        return UInt64(max(0, seconds)) * 1_000_000_000
            + UInt64(max(0, attoseconds) / 1_000_000_000)
    }
}
