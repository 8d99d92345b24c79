internal import DAGBytes
internal import DAGMultiformats

extension [UInt8] {
    /// Replaces the array with the multihash of a digest, and keeps its capacity.
    mutating func setMultihash(hashCode: UInt64, digest: ByteView) {
        removeAll(keepingCapacity: true)
        Varint.append(hashCode, to: &self)
        Varint.append(UInt64(digest.count), to: &self)
        append(digest)
    }
}
