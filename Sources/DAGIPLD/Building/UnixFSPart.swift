public import DAGMultiformats

/// A file, a directory, a symlink or a part of one, as the block above links to it.
public struct UnixFSPart: Hashable, Sendable {
    /// The CID of its top block.
    public var cid: CID
    /// The bytes of a file that it has; 0 for a directory or a symlink.
    public var contentSize: UInt64
    /// The size of its blocks: the top block, and what each of its links claims.
    ///
    /// A block that is linked twice counts twice, as in all implementations.
    public var totalSize: UInt64

    /// Creates a part.
    public init(cid: CID, contentSize: UInt64, totalSize: UInt64) {
        self.cid = cid
        self.contentSize = contentSize
        self.totalSize = totalSize
    }
}

/// Takes a finished block: hashes it, stores it, and returns its CID.
///
/// Builders call it with children before parents. The first argument is the multicodec of the content.
public typealias BlockSink = (_ codec: UInt64, _ block: [UInt8]) throws -> CID
