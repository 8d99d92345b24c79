package import ShardIndex

/// One change of a batch that the catalogue commits.
package enum CatalogChange: Sendable {
    /// A new shard, without an index.
    ///
    /// Its number is filled in. Its key must be free, or the whole batch fails with `.exists`.
    case insert(ShardRecord, pending: PendingWork?)
    /// A new shard, with an index that was made before the shard was known.
    ///
    /// Its number and generation are filled in. Its key must be free, as for `insert`.
    case adopt(ShardRecord, IndexParts)
    /// The record and the pending row of a shard as they shall be; what equals the disk is not
    /// written.
    ///
    /// The record keeps its generation or names none; only `publish` gives it another.
    case update(ShardRecord, pending: PendingWork?)
    /// The record of a shard with a new index; the generation is filled in, and its pending row
    /// goes.
    case publish(ShardRecord, IndexParts)
    /// Takes a shard out, by number and key; does nothing if it is gone.
    case remove(ShardRecord)
}

/// What is left to write of an index when it is published.
package struct IndexParts: Sendable {
    /// The root page.
    package var root: [UInt8]
    /// Where the earlier pieces are; nil if there are none.
    package var generation: UInt64?
    /// The last pieces.
    package var pieces: [IndexPiece]
    /// What the inverse index learns.
    package var inverse: InverseParts

    /// Puts the parts together.
    ///
    /// - Parameters:
    ///   - root: The root page.
    ///   - generation: What `beginGeneration` gave; nil if all pieces are here.
    ///   - pieces: The last pieces.
    ///   - inverse: What the inverse index learns.
    package init(
        root: [UInt8],
        generation: UInt64?,
        pieces: [IndexPiece],
        inverse: InverseParts = .recent([])
    ) {
        self.root = root
        self.generation = generation
        self.pieces = pieces
        self.inverse = inverse
    }
}

extension InverseParts {
    /// About how many bytes they add to the catalogue, without the segments of a run.
    fileprivate var size: Int {
        guard case .recent(let hashes) = self else { return 64 }
        return RecentBatch.prefixSize + RecentBatch.headerSize + hashes.count * RecentBatch.hashSize
    }
}

extension CatalogChange {
    /// About how many bytes the change adds; 0 if it makes room or changes what is there.
    var addedSize: Int {
        switch self {
        case .insert(let record, _): 2 * record.key.utf8.count + record.mountURL.utf8.count + 128
        case .adopt(let record, let parts):
            Self.insert(record, pending: nil).addedSize + Self.publish(record, parts).addedSize
        case .publish(_, let parts):
            parts.root.count + parts.inverse.size + parts.pieces.reduce(0) { $0 + $1.size }
        case .update, .remove: 0
        }
    }
}
