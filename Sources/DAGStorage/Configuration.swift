public import CAR
internal import ShardIndex

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

    /// What an answered operation has survived.
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
        /// Read by system calls, and blocks are copies: a file that somebody makes shorter then gives
        /// an error, where a mapping raises SIGBUS.
        case never
    }

    /// Whether to look only: records and indexes are neither locked nor written.
    ///
    /// LMDB still notes its readers in `catalog/lock.mdb`, which must be writable, unless the whole file
    /// system is read-only.
    public var isReadOnly = false
    /// The address space reserved for the catalogue, in bytes; not disk, not memory.
    ///
    /// It limits how large the catalogue may grow; where the system refuses so much, it is halved down
    /// to 32 GiB.
    public var mapSize = 1 << 40
    /// What an answered operation has survived.
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
    /// How many shards are indexed at once.
    public var concurrentIndexing = 2
    /// How many shards without leases stay open, so that the next lease finds them warm.
    public var idleShardsMax = 256

    /// The defaults.
    public init() {}

    func check() throws(DAGStoreError) {
        guard mapSize >= 1 << 20 else {
            throw DAGStoreError(.invalidConfiguration, "a map of \(mapSize) bytes")
        }
        guard sortBudget >= 0, pageCacheSize >= 0, concurrentIndexing > 0, idleShardsMax >= 0
        else { throw DAGStoreError(.invalidConfiguration, "a negative size or count") }
    }

    var indexPagePolicy: ShardIndex.PagePolicy {
        switch pagePolicy {
        case .smallest: .smallest
        case .zstd: .zstd
        case .direct: .direct
        }
    }
}
