package import DAGBytes
public import DAGMultiformats

/// A block: a CID and its bytes.
///
/// The bytes are a view of the mapped CAR where the CAR is mapped; `copiedBytes` copies them. The block keeps the
/// mapping alive, also after the release of its lease. If another program makes a mapped file shorter, reading a lost
/// byte raises SIGBUS; `Configuration.Mapping.never` reads copies.
///
/// The store does not hash the bytes: see `verified()`.
public struct Block: Sendable {
    /// The CID of the request; the CAR may have the block under another CID with the same multihash.
    public let cid: CID
    package let content: BlockBytes

    init(cid: CID, _ content: BlockBytes) {
        self.cid = cid
        self.content = content
    }

    /// Creates a block from bytes that came from elsewhere.
    ///
    /// - Throws: `hashMismatch` if the bytes have another hash; `unsupportedHash`.
    package init(cid: CID, verifying bytes: [UInt8]) throws {
        self = try Block(cid: cid, bytes.withView { BlockBytes(copying: $0) }).verified()
    }

    /// Creates the block of an identity CID.
    init(identity cid: CID) { self.init(cid: cid, cid.withDigest { BlockBytes(copying: $0) }) }

    package var view: ByteView { content.view }

    /// The bytes, for as long as the block is borrowed.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { content.view.span }
    }

    /// The number of bytes.
    public var size: Int { view.count }

    /// A copy of the bytes.
    ///
    /// - Throws: `sourceChanged` if another program made the mapped file shorter.
    public var copiedBytes: [UInt8] {
        get throws { try content.copied }
    }

    /// Returns the block, if its bytes have the CID's hash.
    ///
    /// The call first copies bytes of a mapped file, so that the hashed bytes cannot change later.
    ///
    /// A short digest proves nothing: an attacker can find other bytes with it. The block of an identity CID is its
    /// digest, which may have any size.
    ///
    /// *Cost*: hashes all bytes; copies those of a mapped file.
    ///
    /// - Parameter minimumDigestSize: The size of the shortest digest that proves something, in bytes.
    /// - Returns: The block with the hashed bytes.
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

/// The place of a block.
public struct BlockLocation: Equatable, Sendable {
    /// The offset of the section's length varint in the CAR's payload, in bytes.
    public let offset: UInt64
    /// The offset of the data in the CAR file, in bytes.
    public let blockOffset: UInt64
    /// The size of the data in bytes.
    public let size: UInt64
}
