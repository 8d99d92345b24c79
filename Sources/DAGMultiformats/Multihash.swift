internal import DAGBytes

/// A self-describing digest: `uv(code) uv(size) digest`.
///
/// Source: multiformats/multihash.
public struct Multihash: Hashable, Sendable {
    /// The binary form.
    public let bytes: [UInt8]
    /// The multicodec of the hash function.
    public let code: UInt64
    /// Where the digest starts in `bytes`.
    package let digestOffset: Int

    /// Creates a multihash from bytes and their known layout.
    package init(bytes: [UInt8], code: UInt64, digestOffset: Int) {
        self.bytes = bytes
        self.code = code
        self.digestOffset = digestOffset
    }

    /// Creates a multihash of `digest`.
    public init(code: UInt64, digest: [UInt8]) {
        precondition(digest.count <= CID.digestSizeMax, "a digest is larger than CID.digestSizeMax")
        var bytes: [UInt8] = []
        bytes.reserveCapacity(12 + digest.count)
        Varint.append(code, to: &bytes)
        Varint.append(UInt64(digest.count), to: &bytes)
        let digestOffset = bytes.count
        bytes += digest
        self.init(bytes: bytes, code: code, digestOffset: digestOffset)
    }

    /// Reads a multihash that fills `bytes`.
    ///
    /// - Throws: `.truncated`, `.malformedVarint`; `.limitExceeded` if the digest is larger than
    ///   `CID.digestSizeMax`; `.malformedCID` if bytes are left over.
    public init(bytes: [UInt8]) throws(MultiformatsError) {
        let (code, digestOffset) = try bytes.withView { view throws(MultiformatsError) in
            var offset = 0
            let code = try Varint.read(view, at: &offset)
            let size = try Varint.read(view, at: &offset)
            guard size <= UInt64(CID.digestSizeMax) else {
                throw MultiformatsError(.limitExceeded, at: 0)
            }
            guard view.count - offset >= Int(size) else {
                throw MultiformatsError(.truncated, at: 0)
            }
            guard view.count - offset == Int(size) else {
                throw MultiformatsError(.malformedCID, at: offset + Int(size))
            }
            return (code, offset)
        }
        self.init(bytes: bytes, code: code, digestOffset: digestOffset)
    }

    /// The size of the digest in bytes.
    public var digestSize: Int { bytes.count - digestOffset }
    /// A copy of the digest.
    public var digest: [UInt8] { Array(bytes[digestOffset...]) }
}
