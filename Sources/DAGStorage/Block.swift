package import Bytes
internal import Hashing
public import Multiformats

/// A block: a CID and its bytes.
///
/// The bytes are a view of the mapped CAR wherever there is one, and are copied only when somebody asks for
/// a copy. The block keeps the mapping alive, also after its lease was released. If somebody makes a
/// mapped file shorter, touching what is gone raises SIGBUS; `Configuration.Mapping.never` reads copies.
///
/// The bytes are what the CAR has under this multihash; they were not hashed: see `verified()`.
public struct Block: Sendable {
    /// The CID that was asked for; the CAR may have the block under another CID with the same multihash.
    public let cid: CID
    package let view: ByteView
    /// What keeps the bytes alive.
    private let owner: any AnyObject & Sendable

    init(cid: CID, view: ByteView, owner: any AnyObject & Sendable) {
        self.cid = cid
        self.view = view
        self.owner = owner
    }

    /// The bytes, for as long as the block is borrowed.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { view.span }
    }

    /// The number of bytes.
    public var size: Int { view.count }

    /// The bytes, copied.
    public var copiedBytes: [UInt8] { view.copied }

    /// The block, if its bytes have the CID's hash.
    ///
    /// *Cost*: hashes all bytes.
    ///
    /// - Throws: `hashMismatch` if they have not; `unsupportedHash` if the function is not known here.
    public func verified() throws -> Block {
        let outcome = cid.withDigest { digest in
            BlockHash.check(code: cid.hashCode, digest: digest, data: view)
        }
        switch outcome {
        case .matches: return self
        case .differs:
            throw DAGStoreError(.hashMismatch, "the bytes of \(cid) have another hash")
        case .unsupported:
            throw DAGStoreError(
                .unsupportedHash,
                "\(cid): hash function \(HashCode.name(of: cid.hashCode))"
            )
        }
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
