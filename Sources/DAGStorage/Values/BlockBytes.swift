package import DAGBytes
internal import DAGHashing
package import DAGMultiformats

/// The bytes of a block, and the object that keeps them alive; the caller knows the CID.
package struct BlockBytes: Sendable {
    /// The bytes; valid while the owner lives.
    package let view: ByteView
    /// Keeps them alive.
    package let owner: any AnyObject & Sendable
    /// Whether the bytes are those of a mapped file, which truncating the file takes away.
    package let isMapped: Bool

    /// Makes bytes that last as long as their owner.
    package init(view: ByteView, owner: any AnyObject & Sendable) {
        self.init(view: view, owner: owner, isMapped: false)
    }

    init(view: ByteView, owner: any AnyObject & Sendable, isMapped: Bool) {
        self.view = view
        self.owner = owner
        self.isMapped = isMapped
    }

    /// Makes bytes of an owner that an earlier `BlockBytes` had.
    ///
    /// - Parameters:
    ///   - view: The bytes.
    ///   - owner: The `owner` of a `BlockBytes`.
    package init(view: ByteView, ownerOfBlock owner: any AnyObject & Sendable) {
        let isMapped = (owner as? MemoryShare)?.isMapped ?? false
        self.init(view: view, owner: owner, isMapped: isMapped)
    }

    /// A copy of `bytes`.
    package init(copying bytes: ByteView) {
        let copy = OwnedBytes(copying: bytes)
        self.init(view: copy.view, owner: copy)
    }

    /// The bytes, copied.
    ///
    /// - Throws: `sourceChanged` if another program made the mapped file shorter.
    package var copied: [UInt8] {
        get throws {
            guard isMapped else { return view.copied }
            guard let bytes = GuardedCopy.array(of: view) else { throw Self.areGone }
            return bytes
        }
    }

    /// The bytes where no change of a file reaches them: a copy, if they are in a mapped file.
    ///
    /// - Throws: As `copied`.
    var settled: BlockBytes {
        get throws {
            guard isMapped else { return self }
            guard let copy = GuardedCopy.copied(view) else { throw Self.areGone }
            return BlockBytes(view: copy.view, owner: copy)
        }
    }

    /// The bytes, if they have the hash of a CID; a copy, if they were in a mapped file.
    ///
    /// - Parameters:
    ///   - cid: The binary CID.
    ///   - layout: Its parts.
    ///   - minimumDigestSize: The size in bytes from which on a digest proves something.
    /// - Returns: The bytes that were hashed.
    /// - Throws: `hashMismatch`, `unsupportedHash`, `sourceChanged`.
    package func verified(
        as cid: ByteView,
        _ layout: CIDLayout,
        minimumDigestSize: Int = BlockHash.minimumDigestSize
    ) throws -> BlockBytes {
        let bytes = try settled
        try Self.verify(bytes.view, as: cid, layout, minimumDigestSize: minimumDigestSize)
        return bytes
    }

    /// Checks that bytes have the hash of a CID.
    ///
    /// - Throws: `hashMismatch`, `unsupportedHash`.
    static func verify(
        _ bytes: ByteView,
        as cid: ByteView,
        _ layout: CIDLayout,
        minimumDigestSize: Int = BlockHash.minimumDigestSize
    ) throws(DAGStoreError) {
        let digest = cid[layout.digestOffset..<layout.size]
        let outcome = BlockHash.check(
            code: layout.hashCode,
            digest: digest,
            data: bytes,
            minimumDigestSize: minimumDigestSize
        )
        switch outcome {
        case .matches: return
        case .differs:
            let cid = CID(bytes: cid.copied, layout: layout)
            throw DAGStoreError(.hashMismatch, "the bytes of \(cid) have another hash")
        case .unsupported:
            let cid = CID(bytes: cid.copied, layout: layout)
            throw DAGStoreError(
                .unsupportedHash,
                "\(cid): this package cannot compute the hash function "
                    + HashCode.name(of: layout.hashCode)
            )
        case .tooShort:
            let cid = CID(bytes: cid.copied, layout: layout)
            throw DAGStoreError(
                .unsupportedHash,
                "\(cid): a digest of \(layout.digestSize) bytes proves nothing; "
                    + "a digest of \(minimumDigestSize) bytes is needed"
            )
        }
    }

    /// The error for bytes that are gone.
    package static var areGone: DAGStoreError {
        DAGStoreError(.sourceChanged, "the block's file became shorter")
    }
}
