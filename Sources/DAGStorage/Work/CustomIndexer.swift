internal import DAGBytes
internal import DAGCAR
internal import DAGCARFiles
internal import DAGMounts
public import DAGMultiformats
internal import ShardIndex

/// Supplies the index entries of a CAR, instead of the walk over its sections.
///
/// It calls `add` for each section in order of offset, and returns whether it knew the source; one that
/// returns false must have added nothing, and the source is walked. What it throws fails the shard. It is called on
/// a thread of the store, and may block it.
public typealias Indexer =
    @Sendable (
        _ source: IndexerSource,
        _ add: (IndexerEntry) throws -> Void
    ) throws -> Bool

/// A CAR that a custom indexer is asked about.
public struct IndexerSource: Sendable {
    /// The shard's key.
    public let key: ShardKey
    /// Where its bytes come from.
    public let mountURL: String
    /// The size of the whole file in bytes.
    public let size: UInt64
    /// Where the payload starts in the file.
    public let payloadOffset: UInt64
    /// The size of the payload in bytes.
    public let payloadSize: UInt64
    let source: any ByteSource

    /// Reads bytes of the file; fewer where it ends.
    ///
    /// - Throws: `mountUnreachable`, `sourceChanged`, and what the mount throws.
    public func read(at offset: UInt64, size: Int) throws -> [UInt8] {
        guard offset < self.size, size > 0 else { return [] }
        let size = Int(min(UInt64(size), self.size - offset))
        return try translating {
            let bytes = try source.read(at: offset, size: size)
            return withExtendedLifetime(bytes) { bytes.view.copied }
        }
    }
}

/// A section as a custom indexer knows it.
public struct IndexerEntry: Sendable {
    /// The block's CID.
    public var cid: CID
    /// Where the section's length varint starts in the payload.
    public var offset: UInt64
    /// The size of the whole section in bytes, varint and CID included.
    public var size: UInt64

    /// A section.
    public init(cid: CID, offset: UInt64, size: UInt64) {
        self.cid = cid
        self.offset = offset
        self.size = size
    }
}

extension CARFile {
    /// Builds the index of this CAR from what a custom indexer says.
    ///
    /// - Throws: `malformedIndex` if its sections overlap, leave gaps, lie outside the payload, or cannot
    ///   have such a size; what the indexer throws, and what the walk throws if there is one.
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
            throw DAGStoreError(.malformedIndex, "an indexer that adds sections and knows none")
        }
        return try buildIndex(building)
    }
}
