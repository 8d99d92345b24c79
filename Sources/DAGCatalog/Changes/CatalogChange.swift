package import ShardIndex

/// One change in a batch of the catalog.
package enum CatalogChange: Sendable {
    /// A new shard, without an index.
    ///
    /// The catalog sets its number. If its key is taken, the whole batch fails with `.exists`.
    case insert(ShardRecord, pending: PendingWork?)
    /// A new shard, with an index that was built before its registration.
    ///
    /// The catalog sets its number and generation. Its key must be free, as for `insert`.
    case adopt(ShardRecord, IndexParts)
    /// The new record and pending row of a shard; rows that equal the disk are not written.
    ///
    /// The record keeps its generation or names none; only `publish` changes it.
    case update(ShardRecord, pending: PendingWork?)
    /// The record of a shard with a new index. The catalog sets the generation, and removes the pending row.
    case publish(ShardRecord, IndexParts)
    /// Removes a shard, by number and key; does nothing if it does not exist.
    case remove(ShardRecord)
}

/// The rest of an index, which its publication writes.
package struct IndexParts: Sendable {
    /// The root page.
    package var root: [UInt8]
    /// The generation of the earlier values; nil if there are none.
    package var generation: UInt64?
    /// The last values.
    package var pieces: [IndexPiece]
    /// The entries for the inverse index.
    package var inverse: InverseParts

    /// Creates the rest of an index.
    ///
    /// - Parameters:
    ///   - root: The root page.
    ///   - generation: The generation from `beginGeneration`; nil if all values are here.
    ///   - pieces: The last values.
    ///   - inverse: The entries for the inverse index.
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
    /// The approximate size that they add to the catalog, in bytes, without the segments of a run.
    fileprivate var size: Int {
        guard case .recent(let hashes) = self else { return 64 }
        return RecentBatch.prefixSize + RecentBatch.headerSize + hashes.count * RecentBatch.hashSize
    }
}

extension CatalogChange {
    /// The approximate size that the change adds, in bytes; 0 for removals and changes in place.
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
