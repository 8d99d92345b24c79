package import DAGBytes
internal import DAGHashing
package import DAGMultiformats

/// The bytes of a block, and the object that keeps them alive; the caller knows the CID.
package struct BlockBytes: Sendable {
    /// The bytes; valid while the owner lives.
    package let view: ByteView
    /// The object that keeps the bytes alive.
    package let owner: any AnyObject & Sendable
    /// Whether the bytes belong to a mapped file; truncating the file removes them.
    package let isMapped: Bool

    /// Creates bytes that stay valid as long as their owner lives.
    package init(view: ByteView, owner: any AnyObject & Sendable) {
        self.init(view: view, owner: owner, isMapped: false)
    }

    init(view: ByteView, owner: any AnyObject & Sendable, isMapped: Bool) {
        self.view = view
        self.owner = owner
        self.isMapped = isMapped
    }

    /// Creates bytes with the owner of an earlier `BlockBytes`.
    ///
    /// - Parameters:
    ///   - view: The bytes.
    ///   - owner: The `owner` of a `BlockBytes`.
    package init(view: ByteView, ownerOfBlock owner: any AnyObject & Sendable) {
        let isMapped = (owner as? MemoryShare)?.isMapped ?? false
        self.init(view: view, owner: owner, isMapped: isMapped)
    }

    /// Creates a copy of `bytes`.
    package init(copying bytes: ByteView) {
        let copy = OwnedBytes(copying: bytes)
        self.init(view: copy.view, owner: copy)
    }

    /// A copy of the bytes.
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

    /// Returns the bytes, if they have the hash of a CID; a copy of those of a mapped file.
    ///
    /// - Parameters:
    ///   - cid: The binary CID.
    ///   - layout: The parts of the CID.
    ///   - minimumDigestSize: The size of the shortest digest that proves something, in bytes.
    /// - Returns: The hashed bytes.
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

    /// The error for lost bytes of a mapped file.
    package static var areGone: DAGStoreError {
        DAGStoreError(.sourceChanged, "the block's file became shorter")
    }
}
