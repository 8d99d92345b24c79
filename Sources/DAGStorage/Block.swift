package import Bytes
internal import Hashing
internal import Mounts
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
    ///
    /// - Throws: `sourceChanged` if somebody made the mapped file shorter.
    public var copiedBytes: [UInt8] {
        get throws {
            guard owner is MappedFile else { return view.copied }
            guard let bytes = GuardedCopy.array(of: view) else { throw bytesAreGone }
            return bytes
        }
    }

    /// The block, if its bytes have the CID's hash.
    ///
    /// What was in a mapped file is a copy then, so that the bytes stay what was hashed.
    ///
    /// *Cost*: hashes all bytes, and copies them if they are in a mapped file.
    ///
    /// - Throws: `hashMismatch` if they have not; `unsupportedHash` if the function is not known here;
    ///   `sourceChanged` if somebody made the mapped file shorter.
    public func verified() throws -> Block {
        var block = self
        if owner is MappedFile {
            guard let copy = GuardedCopy.copied(view) else { throw bytesAreGone }
            block = Block(cid: cid, view: copy.view, owner: copy)
        }
        let outcome = cid.withDigest { digest in
            BlockHash.check(code: cid.hashCode, digest: digest, data: block.view)
        }
        switch outcome {
        case .matches: return block
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

extension Block {
    private var bytesAreGone: DAGStoreError {
        DAGStoreError(.sourceChanged, "the file of \(cid) became shorter")
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
