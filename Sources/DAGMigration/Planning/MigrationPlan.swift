package import DAGStorage
internal import SystemPackage

/// The result of looking at a source, before a migration writes anything.
package struct MigrationPlan: Sendable {
    /// The layout of the source.
    package let layout: MigrationLayout
    /// The shards, in the order of the source's keys.
    package var shards: [PlannedShard] = []
    /// The problems that belong to no shard: orphaned indexes and transients, and malformed records.
    package var strays: [MigrationProblem] = []
    /// The bytes of indexes and datastore at the source.
    package var bytesBefore: UInt64 = 0

    /// The number of entries in all indexes that can be read.
    package var entries: UInt64 { shards.reduce(0) { $0 + ($1.entries ?? 0) } }

    /// The estimated bytes of the store, from the measured sizes of entries and records.
    package var bytesAfter: UInt64 { entries * 46 + UInt64(shards.count) * 512 }

    /// The number of problems of each kind.
    package var problemCounts: [MigrationProblem.Kind: Int] {
        var counts: [MigrationProblem.Kind: Int] = [:]
        for problem in strays + shards.flatMap(\.problems) { counts[problem.kind, default: 0] += 1 }
        return counts
    }
}

/// The name of a way in which sources keep their shards.
package enum MigrationLayout: String, Sendable, CaseIterable {
    /// A Go node's `dagstore` folder: a LevelDB datastore and index files.
    case dagstore
    /// Boost's Local Index Directory: a LevelDB with the records of every piece.
    case boostLID = "boost-lid"
    /// A folder of index files, without records.
    case indexes
    /// A folder of CARs.
    case cars
}

/// A shard of a plan.
package struct PlannedShard: Sendable {
    /// The key.
    package let key: String
    /// The mount URL at the source; nil if the source has none.
    package let mountURL: String?
    /// The state that the shard will have.
    package internal(set) var state = ShardStatus.State.registered
    /// The error that a failed shard will have.
    package internal(set) var error = ""
    /// Whether it was registered lazily.
    package internal(set) var isLazy = false
    /// The codec of its index, 0x0400 or 0x0401; nil if no index can be read.
    package var codec: UInt64?
    /// The number of records of its index.
    package var entries: UInt64?
    /// The size of its index file in bytes.
    package var bytes: UInt64?
    /// The shard's problems.
    package var problems: [MigrationProblem] = []
    /// Whether the source says that its index file is complete.
    var isIndexFinished = false
    /// The path of its index file, if it has one.
    var indexPath: FilePath?
    /// The path of the source's transient; nil if the source has none.
    var transient: FilePath?
    /// The number under which Boost keeps its records; nil in other layouts.
    var cursor: UInt64?
}
