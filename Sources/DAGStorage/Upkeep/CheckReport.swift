internal import DAGCatalog

/// The depth of a check, and whether it repairs.
public struct CheckOptions: Sendable {
    /// Whether every block is read and hashed, and compared with the index.
    public var isDeep = false
    /// Whether what is damaged is mended, as far as that loses nothing.
    public var repairs = false

    /// A look at everything but the blocks, that mends nothing.
    public init() {}
}

/// Something that is wrong.
public struct CheckProblem: Sendable, Equatable {
    /// The kind of the problem.
    public enum Kind: String, Sendable, CaseIterable {
        /// A page of the catalog's file is not what was written; nothing else was looked at.
        case catalogPage
        /// Rows of the catalog contradict each other, or cannot be read.
        case catalogRow
        /// The catalog's counters are not what a recount gives.
        case counters
        /// An index that no shard has.
        case orphanIndex
        /// An index contradicts itself, or cannot be read.
        case index
        /// The shard had failed, and was recovered; or, without a key, all shards have failed.
        case failed
        /// The shard's source is not there, or cannot be reached.
        case sourceUnreachable
        /// The shard's source is not what was indexed.
        case sourceChanged
        /// A copy of the store's own has another size than was indexed.
        case transient
        /// A block's bytes do not have its CID's hash.
        case block
        /// The inverse index is damaged, or lacks what a shard has.
        case inverse
    }

    /// The kind of the problem.
    public let kind: Kind
    /// With which shard, if with one.
    public let key: ShardKey?
    /// The finding, as text.
    public let detail: String
    /// The repair; nil if there was none.
    public let repair: Repair?

    /// The kinds of repairs.
    public enum Repair: String, Sendable {
        /// It is as it should be.
        case mended
        /// The shard was fetched and indexed again.
        case reindexed
        /// The shard is marked as failed, with the reason, until it is recovered.
        case markedFailed
    }
}

/// A finding that is no problem, and that the owner of the shard should know.
public struct CheckWarning: Sendable, Equatable {
    /// The shard.
    public let key: ShardKey
    /// Where in the payload.
    public let offset: UInt64
    /// The finding, as text.
    public let detail: String
}

/// The findings of a check.
public struct CheckReport: Sendable, Equatable {
    /// The problems, mended ones included.
    public internal(set) var problems: [CheckProblem] = []
    /// Findings that are no problems: bytes after the end of a shard's data that are not all zero.
    public internal(set) var warnings: [CheckWarning] = []
    /// Bytes after the end of the data of shards, from the first one on that is not zero; counted if `isDeep`.
    public internal(set) var ignoredBytes: UInt64 = 0
    /// Shards that were looked at.
    public internal(set) var shards: UInt64 = 0
    /// Index entries that were looked at.
    public internal(set) var entries: UInt64 = 0
    /// Blocks that have the hash that their CIDs say.
    public internal(set) var blocks: UInt64 = 0
    /// The bytes of these blocks.
    public internal(set) var bytes: UInt64 = 0
    /// Blocks whose hash proves nothing: this package cannot compute the function, or the digest has fewer than 20
    /// bytes.
    public internal(set) var unverified: UInt64 = 0
    /// Shards that could not be looked at more closely, because they are not on this machine.
    public internal(set) var skipped: UInt64 = 0
    /// Shards that came with an index and whose CAR was not read yet; no problem.
    public internal(set) var unread: UInt64 = 0
    /// Shards that have failed and were not recovered; no problem, unless all have.
    public internal(set) var failed: UInt64 = 0
    /// Entries of the inverse index that lead nowhere, until a merge drops them; no problem.
    public internal(set) var staleEntries: UInt64 = 0

    /// Whether nothing is wrong, or everything was mended.
    ///
    /// A shard that is marked as failed is as it should be: it says what is wrong with it.
    public var isSound: Bool { problems.allSatisfy { $0.repair != nil } }
}

extension DAGStore {
    /// Checks the catalog's rows, the indexes, the sources, the copies and, if asked, every block.
    ///
    /// The check reports a shard whose source is away, and keeps its index. With repairs, it recovers a failed shard
    /// whose source is back. It lists failed shards only if all have failed. Shards that are registered or destroyed
    /// meanwhile may be left out. It never removes anything of the user's.
    ///
    /// *Cost*: every record and index page is read, about 200 ns a section; `isDeep` reads and hashes every
    /// block that is on this machine. It works beside everything else, on a thread of its own.
    ///
    /// - Parameters:
    ///   - options: How closely to look, and what to do.
    ///   - progress: Called with each problem as it is found, on a thread of the store.
    /// - Returns: What was found.
    /// - Throws: `catalogCorrupt` if the catalog is so damaged that it cannot be walked; `closed`;
    ///   `readOnly` if repairs are asked for; `CancellationError`.
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
