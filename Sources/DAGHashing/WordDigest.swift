internal import DAGBytes

/// A digest, as the last words of a hash function.
///
/// Its bytes are the first `size` bytes of `words`, little-endian.
struct WordDigest {
    /// The words; those after `size` bytes have no meaning.
    let words: InlineArray<8, UInt64>
    /// The size of the digest in bytes, 1 to 64.
    let size: Int

    /// Returns one byte of the digest.
    private func byte(at index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: words[index / 8] >> (8 * UInt64(index % 8)))
    }

    /// The digest as an array.
    var bytes: [UInt8] { (0..<size).map(byte) }

    /// Returns whether the digest begins with `other`.
    func hasPrefix(_ other: ByteView) -> Bool {
        guard other.count <= size else { return false }
        var offset = 0
        while offset + 8 <= other.count {
            guard other.loadUInt64(at: offset) == words[offset / 8] else { return false }
            offset += 8
        }
        while offset < other.count {
            guard other[offset] == byte(at: offset) else { return false }
            offset += 1
        }
        return true
    }
}
