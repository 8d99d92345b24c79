internal import DAGBytes
internal import DAGMounts
public import DAGMultiformats

/// A function that supplies the index entries of a CAR, instead of the walk over its sections.
///
/// The indexer calls `add` for each section in order of offset, and returns true. If it does not know the source, it
/// returns false without a call of `add`, and the store walks the CAR. The indexer may block the thread.
///
/// An error about the source or about wrong bytes fails the shard. Any other error ends the registration or recovery,
/// and the shard stays as it was.
public typealias Indexer =
    @Sendable (
        _ source: IndexerSource,
        _ add: (IndexerEntry) throws -> Void
    ) throws -> Bool

/// A CAR to be indexed by a custom indexer.
public struct IndexerSource: Sendable {
    /// The shard's key.
    public let key: ShardKey
    /// The URL of the shard's mount.
    public let mountURL: String
    /// The size of the whole file in bytes.
    public let size: UInt64
    /// The offset of the payload in the file, in bytes.
    public let payloadOffset: UInt64
    /// The size of the payload in bytes.
    public let payloadSize: UInt64
    let source: any ByteSource

    /// Reads bytes of the file; fewer at its end.
    ///
    /// - Throws: `mountUnreachable`, `sourceChanged`, and the errors of the mount.
    public func read(at offset: UInt64, size: Int) throws -> [UInt8] {
        guard offset < self.size, size > 0 else { return [] }
        let size = Int(min(UInt64(size), self.size - offset))
        return try translating {
            let bytes = try source.read(at: offset, size: size)
            return withExtendedLifetime(bytes) { bytes.view.copied }
        }
    }
}

/// A section from a custom indexer.
public struct IndexerEntry: Sendable {
    /// The block's CID.
    public var cid: CID
    /// The offset of the section's length varint in the payload, in bytes.
    public var offset: UInt64
    /// The size of the whole section in bytes, varint and CID included.
    public var size: UInt64

    /// Creates a section.
    public init(cid: CID, offset: UInt64, size: UInt64) {
        self.cid = cid
        self.offset = offset
        self.size = size
    }
}
