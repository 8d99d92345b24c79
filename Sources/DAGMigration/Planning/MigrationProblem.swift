/// A fault at a source, or what a Go node will lack after an export.
package struct MigrationProblem: Sendable, Equatable {
    /// The kinds of problems.
    package enum Kind: String, Sendable, CaseIterable {
        /// The shard should have an index, and has none; its CAR is indexed at its first use.
        case missingIndex
        /// An index of codec 0x0400, which does not contain the hash functions.
        case indexWithoutHashCodes
        /// The index file is malformed; the CAR is indexed at its first use.
        case malformedIndex
        /// The index file was finished and is truncated; the CAR is indexed at its first use.
        case truncatedIndex
        /// The index file cannot be read now, or a node may still write it; the shard stays at the source until then.
        case unreadableIndex
        /// Multihashes that the source's inverse index has under other keys.
        case mangledInverseKeys
        /// Multihashes that share one key of the source's inverse index.
        case collidingInverseKeys
        /// The store does not serve the mount's scheme; the shard can be read after `--mount-map` maps it.
        case unknownScheme
        /// The source cannot use the key as a file name.
        case keyIsNoFileName
        /// The store cannot use the mount URL.
        case unusableMount
        /// The store cannot use the key: it is empty, over 480 bytes, or contains a zero byte.
        case unusableKey
        /// Two records have the same key.
        case duplicateKey
        /// The source loses the absolute path when it starts again.
        case absolutePathDamaged
        /// A crash interrupted the shard's recovery, which the source never continues.
        case stuckRecovering
        /// The source does not define this state.
        case unknownState
        /// The record cannot be read.
        case malformedRecord
        /// Boost keeps the records of several pieces under one number, so they cannot be separated.
        case sharedCursor
        /// An inverse entry names a shard that does not exist or does not contain the multihash.
        case strayInverseEntry
        /// The index belongs to no shard.
        case orphanIndex
        /// The transient belongs to no shard.
        case orphanTransient
    }

    /// The kind of problem.
    package let kind: Kind
    /// A path, a key or a number, for people.
    package let detail: String
}

extension [MigrationProblem] {
    /// Adds a problem.
    mutating func add(_ kind: MigrationProblem.Kind, _ detail: String) {
        append(MigrationProblem(kind: kind, detail: detail))
    }
}
