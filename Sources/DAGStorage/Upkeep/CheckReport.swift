internal import DAGCatalog

/// The depth of a check, and whether it repairs.
public struct CheckOptions: Sendable {
    /// Whether the check reads and hashes every block, and compares it with the index.
    public var isDeep = false
    /// Whether the check repairs damage, as far as this loses nothing.
    public var repairs = false

    /// Creates options for a check without blocks and repairs.
    public init() {}
}

/// A problem that a check found.
public struct CheckProblem: Sendable, Equatable {
    /// The kind of the problem.
    public enum Kind: String, Sendable, CaseIterable {
        /// A page of the catalog's file is damaged; the check stopped there.
        case catalogPage
        /// Rows of the catalog contradict each other, or are unreadable.
        case catalogRow
        /// The catalog's counters differ from a recount.
        case counters
        /// An index belongs to no shard.
        case orphanIndex
        /// An index contradicts itself, or is unreadable.
        case index
        /// The shard had failed, and was recovered; or, without a key, all shards have failed.
        case failed
        /// The shard's source does not exist, or is unreachable.
        case sourceUnreachable
        /// The shard's source has other bytes than the indexed ones.
        case sourceChanged
        /// A transient has another size than the indexed bytes.
        case transient
        /// The bytes of a block have another hash than its CID says.
        case block
        /// The inverse index is damaged, or lacks entries of a shard.
        case inverse
    }

    /// The kind of the problem.
    public let kind: Kind
    /// The shard with the problem; nil if the problem is about no shard.
    public let key: ShardKey?
    /// The finding, as text.
    public let detail: String
    /// The repair; nil if there was none.
    public let repair: Repair?

    /// The kinds of repairs.
    public enum Repair: String, Sendable {
        /// The check repaired the problem.
        case mended
        /// The store fetched and indexed the shard again.
        case reindexed
        /// The check marked the shard as failed, with the reason, until it is recovered.
        case markedFailed
    }
}

/// A finding that is no problem, for the owner of the shard.
public struct CheckWarning: Sendable, Equatable {
    /// The shard.
    public let key: ShardKey
    /// The offset in the payload, in bytes.
    public let offset: UInt64
    /// The finding, as text.
    public let detail: String
}

/// The findings of a check.
public struct CheckReport: Sendable, Equatable {
    /// The problems, with repaired ones.
    public internal(set) var problems: [CheckProblem] = []
    /// The warnings: bytes after the end of a shard's data that are not all zero.
    public internal(set) var warnings: [CheckWarning] = []
    /// The number of bytes after the data of shards, from the first nonzero byte on; counted if `isDeep`.
    public internal(set) var ignoredBytes: UInt64 = 0
    /// The number of checked shards.
    public internal(set) var shards: UInt64 = 0
    /// The number of checked index entries.
    public internal(set) var entries: UInt64 = 0
    /// The number of blocks with the hash of their CIDs.
    public internal(set) var blocks: UInt64 = 0
    /// The size of these blocks in bytes.
    public internal(set) var bytes: UInt64 = 0
    /// The number of blocks whose hash proves nothing: this package cannot compute the function, or the digest has
    /// fewer than 20 bytes.
    public internal(set) var unverified: UInt64 = 0
    /// The number of shards with remote sources, which the check did not read.
    public internal(set) var skipped: UInt64 = 0
    /// The number of migrated shards whose CAR is still unread; no problem.
    public internal(set) var unread: UInt64 = 0
    /// The number of failed shards; a problem only if all shards have failed.
    public internal(set) var failed: UInt64 = 0
    /// The number of stale entries of the inverse index, which a merge will drop; no problem.
    public internal(set) var staleEntries: UInt64 = 0

    /// Whether there is no problem, or all problems are repaired.
    ///
    /// A problem of a shard that the check marked as failed counts as repaired.
    public var isSound: Bool { problems.allSatisfy { $0.repair != nil } }
}

extension DAGStore {
    /// Checks the catalog's rows, the indexes, the sources, the transients and, if deep, every block.
    ///
    /// The check reports a shard whose source is away, and keeps its index. With repairs, it recovers a failed shard
    /// whose source is back. It lists failed shards only if all have failed. It may miss shards that are registered
    /// or destroyed meanwhile. It never removes a file of the user.
    ///
    /// *Cost*: reads every record and index page, about 200 ns a section; `isDeep` also reads and hashes every local
    /// block. The check runs on a thread of its own, while the store goes on.
    ///
    /// - Parameters:
    ///   - options: The depth, and whether to repair.
    ///   - progress: Receives each problem at once, on a thread of the store.
    /// - Returns: The findings.
    /// - Throws: `catalogCorrupt` if a walk over the catalog fails; `closed`;
    ///   `readOnly` for repairs of a read-only store; `CancellationError`.
    public func check(
        _ options: CheckOptions = CheckOptions(),
        progress: (@Sendable (CheckProblem) -> Void)? = nil
    ) async throws -> CheckReport {
        guard !options.repairs || !engine.catalog.isReadOnly else {
            throw DAGStoreError.storeIsReadOnly
        }
        try engine.access.beginCall()
        defer { engine.access.endUse() }
        return try await StoreCheck(engine, options, progress).run()
    }
}
