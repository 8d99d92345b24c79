internal import DAGCAR
internal import DAGCARFiles
internal import ShardIndex

extension CARFile {
    /// Builds the index of this CAR from the entries of a custom indexer.
    ///
    /// - Throws: `malformedIndex` if its sections overlap, leave gaps, lie outside the payload, or have an
    ///   impossible size; the errors of the indexer, and the errors of the walk.
    func buildIndex(
        _ building: IndexBuilding,
        by indexer: Indexer,
        _ subject: IndexerSource
    ) throws -> BuiltIndex {
        var builder = try makeBuilder(building)
        var end = layout.headerSize
        let isKnown = try indexer(subject) { entry in
            try building.checkCancelled()
            guard entry.offset == end, entry.size <= layout.dataSize - end,
                IndexEntry.dataSize(
                    ofSection: entry.size,
                    cidSize: UInt64(entry.cid.bytes.count)
                ) != nil
            else {
                throw DAGStoreError(
                    .malformedIndex,
                    "the indexer's section at \(entry.offset) cannot be there",
                    offset: entry.offset
                )
            }
            try entry.cid.withDigest { digest in
                try builder.append(
                    offset: entry.offset,
                    size: entry.size,
                    layout: entry.cid.layout,
                    digest: digest
                )
            }
            end = entry.offset + entry.size
        }
        if isKnown { return try builder.finish(dataEnd: end) }
        guard end == layout.headerSize else {
            throw DAGStoreError(.malformedIndex, "the indexer added sections and returned false")
        }
        return try buildIndex(building)
    }
}
