internal import DAGBytes
internal import DAGMounts
public import DAGMultiformats

/// Supplies the index entries of a CAR, instead of the walk over its sections.
///
/// It calls `add` for each section in order of offset, and returns whether it knew the source. If not, it must not
/// call `add`, and the store walks the CAR. An error fails the shard. The store calls it on a thread that it may
/// block.
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
