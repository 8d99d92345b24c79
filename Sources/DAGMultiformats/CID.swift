public import DAGBytes

/// A content identifier: what a block is named by.
///
/// Two CIDs are equal when their bytes are: version 0 and version 1 of one block differ, but share a
/// multihash, and blocks are looked up by multihash.
///
/// *Cost*: one heap array; copying a `CID` retains it.
public struct CID: Hashable, Sendable, CustomStringConvertible {
    /// The largest digest that is read, in bytes: what go-cid reads.
    public static let digestSizeMax = 32 << 20
    /// The largest binary CID that is read, in bytes.
    public static let sizeMax = digestSizeMax + 1 + 3 * Varint.sizeMax
    /// The longest text that is read, in bytes.
    ///
    /// Bases 36 and 58 cost O(n^2) to read, so that a longer text would be an attack.
    public static let textSizeMax = 16384

    /// The binary form.
    public let bytes: [UInt8]
    /// Where the parts lie in `bytes`.
    public let layout: CIDLayout

    /// Takes over bytes whose layout is known.
    package init(bytes: [UInt8], layout: CIDLayout) {
        assert(bytes.count == layout.size)
        self.bytes = bytes
        self.layout = layout
    }

    /// Reads a binary CID that fills `bytes`.
    ///
    /// - Throws: `.truncated`, `.malformedVarint`, `.unsupportedVersion`, `.limitExceeded` as `CIDLayout`
    ///   finds them; `.malformedCID` if bytes are left over.
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

    /// A version 1 CID of `codec` and `multihash`.
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
    /// The digest, copied.
    public var digest: [UInt8] { Array(bytes[layout.digestOffset...]) }
    /// The multihash, copied.
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
    /// The fault as an error code.
    public var code: MultiformatsError.Code {
        switch self {
        case .truncated: .truncated
        case .malformedVarint: .malformedVarint
        case .unsupportedVersion: .unsupportedVersion
        case .limitExceeded: .limitExceeded
        }
    }
}
