public import DAGBytes

/// A content identifier: the name of a block.
///
/// Two CIDs are equal when their bytes are equal. Versions 0 and 1 of one block differ, but share a multihash;
/// look-ups use the multihash.
///
/// *Cost*: one heap array; copying a `CID` retains it.
public struct CID: Hashable, Sendable, CustomStringConvertible {
    /// The largest digest that a CID may have, in bytes; the limit of go-cid.
    public static let digestSizeMax = 32 << 20
    /// The largest binary CID, in bytes.
    public static let sizeMax = digestSizeMax + 1 + 3 * Varint.sizeMax
    /// The longest text of a CID, in bytes.
    ///
    /// Reading bases 36 and 58 costs O(n^2), so a longer text would be an attack.
    public static let textSizeMax = 16384

    /// The binary form.
    public let bytes: [UInt8]
    /// Where the parts lie in `bytes`.
    public let layout: CIDLayout

    /// Creates a CID from bytes and their known layout.
    package init(bytes: [UInt8], layout: CIDLayout) {
        assert(bytes.count == layout.size)
        self.bytes = bytes
        self.layout = layout
    }

    /// Reads a binary CID that fills `bytes`.
    ///
    /// - Throws: `.truncated`, `.malformedVarint`, `.unsupportedVersion`, `.limitExceeded` as `CIDLayout` does;
    ///   `.malformedCID` if bytes are left over.
    public init(_ bytes: ByteView) throws(MultiformatsError) {
        let layout = try CIDLayout(reading: bytes)
        guard layout.size == bytes.count else {
            throw MultiformatsError(.malformedCID, at: layout.size)
        }
        self.init(bytes: bytes.copied, layout: layout)
    }

    /// Reads a binary CID that fills `bytes`.
    ///
    /// - Throws: As `init(_:)` over a view.
    public init(bytes: [UInt8]) throws(MultiformatsError) {
        let layout = try bytes.withView { view throws(MultiformatsError) in
            try CIDLayout(reading: view)
        }
        guard layout.size == bytes.count else {
            throw MultiformatsError(.malformedCID, at: layout.size)
        }
        self.init(bytes: bytes, layout: layout)
    }

    /// Creates a version 1 CID of `codec` and `multihash`.
    public init(codec: UInt64, multihash: Multihash) {
        var bytes: [UInt8] = [1]
        bytes.reserveCapacity(10 + multihash.bytes.count)
        Varint.append(codec, to: &bytes)
        let multihashOffset = bytes.count
        bytes += multihash.bytes
        self.init(
            bytes: bytes,
            layout: CIDLayout(
                version: 1,
                codec: codec,
                hashCode: multihash.code,
                digestSize: multihash.digestSize,
                multihashOffset: multihashOffset,
                digestOffset: bytes.count - multihash.digestSize
            )
        )
    }

    /// 0 or 1.
    public var version: UInt8 { layout.version }
    /// The multicodec of the block's content; dag-pb for version 0.
    public var codec: UInt64 { layout.codec }
    /// The multicodec of the hash function.
    public var hashCode: UInt64 { layout.hashCode }
    /// Whether the block's data is the digest itself.
    public var isIdentity: Bool { layout.isIdentity }
    /// A copy of the digest.
    public var digest: [UInt8] { Array(bytes[layout.digestOffset...]) }
    /// A copy of the multihash.
    public var multihash: Multihash {
        Multihash(
            bytes: Array(bytes[layout.multihashOffset...]),
            code: layout.hashCode,
            digestOffset: layout.digestOffset - layout.multihashOffset
        )
    }

    /// Calls `body` with a view of the digest, valid inside `body` only.
    @inlinable public func withDigest<R, E: Error>(
        _ body: (ByteView) throws(E) -> R
    ) throws(E) -> R {
        try bytes.withView { view throws(E) in
            try body(view[layout.digestOffset..<view.count])
        }
    }

    /// Compares the bytes.
    public static func == (one: CID, other: CID) -> Bool { one.bytes == other.bytes }
    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

extension CIDLayout {
    /// Reads the layout of the CID at the start of `bytes`.
    ///
    /// - Throws: `.truncated`, `.malformedVarint`, `.unsupportedVersion`, `.limitExceeded`.
    public init(reading bytes: ByteView) throws(MultiformatsError) {
        switch CIDLayout.decode(bytes) {
        case .success(let layout): self = layout
        case .failure(let error): throw MultiformatsError(error.fault.code, at: 0)
        }
    }
}

extension CIDLayout.Fault {
    /// The error code of the fault.
    public var code: MultiformatsError.Code {
        switch self {
        case .truncated: .truncated
        case .malformedVarint: .malformedVarint
        case .unsupportedVersion: .unsupportedVersion
        case .limitExceeded: .limitExceeded
        }
    }
}
