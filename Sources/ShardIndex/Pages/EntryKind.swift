internal import DAGBytes
package import DAGMultiformats

/// The common part of the CIDs of many sections: the CID without its digest.
///
/// ```
/// u8 flags    bit 0 CID version, bit 1 codec unknown, bit 2 hash function unknown
/// uv(codec) uv(hash code) uv(digest size)
/// ```
///
/// An index from a file may lack the codec and, in format 0x0400, also the hash function. They are then written as 0
/// and marked.
package struct EntryKind: Hashable, Sendable {
    /// The CID version, 0 or 1.
    package var version: UInt8
    /// The codec, or nil if the index lacks it.
    package var codec: UInt64?
    /// The hash function, or nil if the index lacks it.
    package var hashCode: UInt64?
    /// The size of the digest in bytes.
    package var digestSize: Int

    package init(version: UInt8, codec: UInt64?, hashCode: UInt64?, digestSize: Int) {
        self.version = version
        self.codec = codec
        self.hashCode = hashCode
        self.digestSize = digestSize
    }

    /// Creates the kind of a CID.
    package init(_ layout: CIDLayout) {
        self.init(
            version: layout.version,
            codec: layout.codec,
            hashCode: layout.hashCode,
            digestSize: layout.digestSize
        )
    }

    /// The size of a CID of this kind, or nil if the codec or the hash function is unknown.
    package var cidSize: Int? {
        guard let codec, let hashCode else { return nil }
        guard version == 1 else { return 34 }
        return 1 + Varint.size(of: codec) + Varint.size(of: hashCode)
            + Varint.size(of: UInt64(digestSize)) + digestSize
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(version | (codec == nil ? 2 : 0) | (hashCode == nil ? 4 : 0))
        Varint.append(codec ?? 0, to: &bytes)
        Varint.append(hashCode ?? 0, to: &bytes)
        Varint.append(UInt64(digestSize), to: &bytes)
    }

    init(reading bytes: ByteView, at offset: inout Int) throws(ShardIndexError) {
        guard offset < bytes.count, bytes[offset] <= 7 else {
            throw ShardIndexError(.malformed, "a CID kind's flags")
        }
        let flags = bytes[offset]
        offset += 1
        let codec = try bytes.readVarint(at: &offset)
        let hashCode = try bytes.readVarint(at: &offset)
        let digestSize = try bytes.readVarint(at: &offset)
        guard digestSize <= UInt64(IndexPage.digestSizeMax) else {
            throw ShardIndexError(.malformed, "a digest of \(digestSize) bytes")
        }
        let kind = EntryKind(
            version: flags & 1,
            codec: flags & 2 == 0 ? codec : nil,
            hashCode: flags & 4 == 0 ? hashCode : nil,
            digestSize: Int(digestSize)
        )
        let isZero = kind.codec == Codec.dagPB && kind.hashCode == HashCode.sha2_256
        guard kind.version == 1 || (isZero && kind.digestSize == 32) else {
            throw ShardIndexError(.malformed, "a CID of version 0 has another hash or codec")
        }
        self = kind
    }
}

extension ByteView {
    /// Reads a varint that this module wrote.
    func readVarint(at offset: inout Int) throws(ShardIndexError) -> UInt64 {
        let decoded = Varint.decode(self, at: offset)
        guard decoded.size > 0 else { throw ShardIndexError(.malformed, "a varint") }
        offset += decoded.size
        return decoded.value
    }
}
