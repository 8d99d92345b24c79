package import DAGBytes
public import DAGMultiformats

/// A block: a CID and its bytes.
///
/// The bytes are a view of the mapped CAR wherever there is one, and are copied only when the caller asks for
/// a copy. The block keeps the mapping alive, also after its lease was released. If another program makes a
/// mapped file shorter, touching what is gone raises SIGBUS; `Configuration.Mapping.never` reads copies.
///
/// The bytes are what the CAR has under this multihash; they were not hashed: see `verified()`.
public struct Block: Sendable {
    /// The CID that was asked for; the CAR may have the block under another CID with the same multihash.
    public let cid: CID
    package let content: BlockBytes

    init(cid: CID, _ content: BlockBytes) {
        self.cid = cid
        self.content = content
    }

    /// The block of an identity CID.
    init(identity cid: CID) { self.init(cid: cid, cid.withDigest { BlockBytes(copying: $0) }) }

    package var view: ByteView { content.view }

    /// The bytes, for as long as the block is borrowed.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { content.view.span }
    }

    /// The number of bytes.
    public var size: Int { view.count }

    /// The bytes, copied.
    ///
    /// - Throws: `sourceChanged` if another program made the mapped file shorter.
    public var copiedBytes: [UInt8] {
        get throws { try content.copied }
    }

    /// The block, if its bytes have the CID's hash.
    ///
    /// Bytes of a mapped file are copied first, so that they stay as they were hashed.
    ///
    /// A short digest proves nothing: an attacker can find other bytes with it. The block of an identity CID is its
    /// digest, which may have any size.
    ///
    /// *Cost*: hashes all bytes, and copies them if they are in a mapped file.
    ///
    /// - Parameter minimumDigestSize: The size in bytes from which on a digest proves something.
    /// - Returns: The block with the bytes that were hashed.
    /// - Throws: `hashMismatch` if the bytes have another hash; `unsupportedHash` if this package cannot compute the
    ///   function, or if the digest is shorter than `minimumDigestSize`; `sourceChanged` if another program made the
    ///   mapped file shorter.
    public func verified(minimumDigestSize: Int = 20) throws -> Block {
        let verified = try cid.bytes.withView {
            try content.verified(as: $0, cid.layout, minimumDigestSize: minimumDigestSize)
        }
        return Block(cid: cid, verified)
    }
}

/// Where a block lies.
public struct BlockLocation: Equatable, Sendable {
    /// Where its section starts in the CAR's payload: the place of the length varint.
    public let offset: UInt64
    /// Where its data start in the CAR file.
    public let blockOffset: UInt64
    /// The size of its data in bytes.
    public let size: UInt64
}
