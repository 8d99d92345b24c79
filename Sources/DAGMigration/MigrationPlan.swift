public import DAGStorage
internal import SystemPackage

/// What a migration would do, found without writing anything.
public struct MigrationPlan: Sendable {
    /// How the source was recognised.
    public let layout: MigrationLayout
    /// Every shard, in the order of the source's keys.
    public var shards: [PlannedShard] = []
    /// What belongs to no shard: indexes, transients and records that cannot be read.
    public var strays: [MigrationProblem] = []
    /// The bytes of indexes and datastore at the source.
    public var bytesBefore: UInt64 = 0

    /// The entries of all indexes that can be read.
    public var entries: UInt64 { shards.reduce(0) { $0 + ($1.entries ?? 0) } }

    /// About how many bytes the store will have, from what entries and records were measured to take.
    public var bytesAfter: UInt64 { entries * 46 + UInt64(shards.count) * 512 }

    /// How many problems there are of each kind.
    public var problemCounts: [MigrationProblem.Kind: Int] {
        var counts: [MigrationProblem.Kind: Int] = [:]
        for problem in strays + shards.flatMap(\.problems) { counts[problem.kind, default: 0] += 1 }
        return counts
    }
}

/// How a source is laid out.
public enum MigrationLayout: String, Sendable, CaseIterable {
    /// A Go node's `dagstore` folder: a LevelDB datastore and an index repository.
    case dagstore
    /// Boost's Local Index Directory: a LevelDB with the records of every piece.
    case boostLID = "boost-lid"
    /// A folder of index files, without records.
    case indexes
    /// A folder of CARs.
    case cars
}

/// A shard, as a migration would take it over.
public struct PlannedShard: Sendable {
    /// The key.
    public let key: String
    /// The mount URL that the source has for it; nil if it has none.
    public let mountURL: String?
    /// The state it will have.
    public internal(set) var state: ShardStatus.State
    /// What will be written into it if it has failed.
    public let error: String
    /// Whether it was registered lazily.
    public let isLazy: Bool
    /// The codec of its index, 0x0400 or 0x0401; nil if there is none that can be read.
    public var codec: UInt64?
    /// The records of its index.
    public var entries: UInt64?
    /// The size of its index file in bytes.
    public var bytes: UInt64?
    /// What is not as it should be.
    public var problems: [MigrationProblem] = []
    /// Whether the source says that its index file is whole.
    var isIndexFinished = false
    /// Where its index is, if that is a file.
    var indexPath: FilePath?
    /// The name of the copy that the source has of it; nil if it has none.
    var transientName: String?
    /// Under which number Boost keeps its records; nil anywhere else.
    var cursor: UInt64?
}

/// Something at the source that is not as it should be.
public struct MigrationProblem: Sendable, Equatable {
    /// What it is about.
    public enum Kind: String, Sendable, CaseIterable {
        /// The shard should have an index, and has none: it will be indexed when it is first used.
        case missingIndex
        /// An index of codec 0x0400, which forgets the hash functions.
        case indexWithoutHashCodes
        /// An index that is none: the shard will be indexed when it is first used.
        case malformedIndex
        /// An index that was finished and is cut short: the shard will be indexed when it is first used.
        case truncatedIndex
        /// An index that cannot be read now, or may still be written: the shard does not come before it can be read.
        case unreadableIndex
        /// Multihashes that the inverse index of the source has under other keys.
        case mangledInverseKeys
        /// Multihashes that share one key of the source's inverse index.
        case collidingInverseKeys
        /// A mount URL whose scheme nobody serves here: the shard serves once it is mapped.
        case unknownScheme
        /// A key that the source could not use as a file name.
        case keyIsNoFileName
        /// A mount that cannot be one here.
        case unusableMount
        /// A key that cannot be one here: empty, over 480 bytes, or with a zero byte.
        case unusableKey
        /// A key that two records have.
        case duplicateKey
        /// An absolute path that the source drops when it is started again.
        case absolutePathDamaged
        /// A shard that a crash left recovering; the source never takes it up again.
        case stuckRecovering
        /// A state that the source does not know.
        case unknownState
        /// A record that cannot be read.
        case malformedRecord
        /// Pieces whose records Boost keeps under one number, so that nobody can tell them apart.
        case sharedCursor
        /// An inverse entry that leads to no shard, or to one that does not have the multihash.
        case strayInverseEntry
        /// An index of no shard.
        case orphanIndex
        /// A transient of no shard.
        case orphanTransient
    }

    /// What it is about.
    public let kind: Kind
    /// What was found, for people: a path, a key, a number.
    public let detail: String
}
