public import DAGBytes

/// The places of the parts of a binary CID.
///
/// ```
/// version 0   12 20  digest[32]                                     34 bytes; codec dag-pb
/// version 1   01  uv(codec)  uv(hash code)  uv(digest size)  digest
/// ```
///
/// Source: multiformats/cid, "How does it work?".
@frozen public struct CIDLayout: Equatable, Sendable {
    /// 0 or 1.
    public var version: UInt8
    /// The multicodec of the block's content.
    public var codec: UInt64
    /// The multicodec of the hash function; 0 is identity.
    public var hashCode: UInt64
    /// The size of the digest in bytes.
    public var digestSize: Int
    /// Where the multihash starts, in bytes from the start of the CID.
    public var multihashOffset: Int
    /// Where the digest starts, in bytes from the start of the CID.
    public var digestOffset: Int

    /// The size of the whole CID in bytes.
    @inlinable public var size: Int { digestOffset + digestSize }
    /// Whether the digest is the data itself.
    @inlinable public var isIdentity: Bool { hashCode == HashCode.identity }

    /// Creates a layout from its parts.
    @inlinable public init(
        version: UInt8,
        codec: UInt64,
        hashCode: UInt64,
        digestSize: Int,
        multihashOffset: Int,
        digestOffset: Int
    ) {
        self.version = version
        self.codec = codec
        self.hashCode = hashCode
        self.digestSize = digestSize
        self.multihashOffset = multihashOffset
        self.digestOffset = digestOffset
    }

    /// Why `decode` found no CID.
    @frozen public enum Fault: Equatable, Sendable {
        /// The view ends inside the CID. If `needed` is known, the CID takes that many bytes.
        case truncated(needed: Int?)
        /// A varint is longer than nine bytes or not minimal.
        case malformedVarint
        /// A version other than 0 and 1.
        case unsupportedVersion
        /// The digest is larger than `CID.digestSizeMax`.
        case limitExceeded
    }

    /// Reads the layout of the CID at the start of `bytes`; ignores all bytes after the CID.
    ///
    /// *Cost*: O(1), no allocation. `.truncated(needed:)` has the end of a missing digest.
    ///
    /// - Returns: The layout, or the fault.
    @inlinable public static func decode(_ bytes: ByteView) -> Result<CIDLayout, CIDFault> {
        if let layout = common(bytes) { return .success(layout) }
        return decodeSlowly(bytes)
    }

    /// Returns the layout of the CID at the start of `bytes`, if the CID has one of the two common shapes.
    ///
    /// *Cost*: one load, two comparisons.
    @inline(__always)
    @inlinable public static func common(_ bytes: ByteView) -> CIDLayout? {
        if bytes.count >= 34 {
            let head = bytes.loadUInt32(at: 0)
            if head & 0xffff == 0x2012 { return .versionZero }
            // 01, a one-byte codec, a one-byte hash code, a one-byte digest size.
            if head & 0x8080_80ff == 0x0000_0001 {
                let layout = CIDLayout(
                    version: 1,
                    codec: UInt64(head >> 8 & 0xff),
                    hashCode: UInt64(head >> 16 & 0xff),
                    digestSize: Int(head >> 24),
                    multihashOffset: 2,
                    digestOffset: 4
                )
                if layout.size <= bytes.count { return layout }
            }
        }
        return nil
    }

    @usableFromInline static func decodeSlowly(_ bytes: ByteView) -> Result<CIDLayout, CIDFault> {
        // One byte is the same in a version 0 and in a version 18.
        if bytes.count == 1, bytes[0] == 0x12 { return .failure(CIDFault(.truncated(needed: nil))) }
        if bytes.count >= 2, bytes[0] == 0x12, bytes[1] == 0x20 {
            guard bytes.count >= 34 else { return .failure(CIDFault(.truncated(needed: 34))) }
            return .success(.versionZero)
        }
        var offset = 0
        var values: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        for index in 0..<4 {
            let decoded = Varint.decode(bytes, at: offset)
            guard decoded.size > 0 else {
                let isTruncated = decoded.size == Varint.Decoded.truncated
                return .failure(CIDFault(isTruncated ? .truncated(needed: nil) : .malformedVarint))
            }
            offset += decoded.size
            switch index {
            case 0:
                values.0 = decoded.value
                guard decoded.value == 1 else { return .failure(CIDFault(.unsupportedVersion)) }
            case 1: values.1 = decoded.value
            case 2: values.2 = decoded.value
            default: values.3 = decoded.value
            }
        }
        guard values.3 <= UInt64(CID.digestSizeMax) else {
            return .failure(CIDFault(.limitExceeded))
        }
        let layout = CIDLayout(
            version: 1,
            codec: values.1,
            hashCode: values.2,
            digestSize: Int(values.3),
            multihashOffset: 1 + Varint.size(of: values.1),
            digestOffset: offset
        )
        guard layout.size <= bytes.count else {
            return .failure(CIDFault(.truncated(needed: layout.size)))
        }
        return .success(layout)
    }

    /// The layout that every version 0 CID has.
    @inlinable public static var versionZero: CIDLayout {
        CIDLayout(
            version: 0,
            codec: Codec.dagPB,
            hashCode: HashCode.sha2_256,
            digestSize: 32,
            multihashOffset: 0,
            digestOffset: 2
        )
    }
}

/// A fault as an error, for a `Result`.
@frozen public struct CIDFault: Error, Equatable, Sendable {
    /// The fault.
    public let fault: CIDLayout.Fault
    /// Creates an error from a fault.
    @inlinable public init(_ fault: CIDLayout.Fault) { self.fault = fault }
}
