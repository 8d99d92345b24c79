internal import DAGBytes

/// BLAKE2s without a key, for digests of 1 to 32 bytes.
///
/// Source: RFC 7693.
enum BLAKE2s {
    /// The largest digest, in bytes.
    static let digestSizeMax = 32
    /// The number of bytes in a block.
    private static let blockSize = 64

    /// Hashes `data`.
    ///
    /// - Parameters:
    ///   - data: The bytes to hash.
    ///   - size: The size of the digest in bytes, 1 to 32. It is part of the hashed parameters.
    /// - Returns: The digest.
    ///
    /// *Cost*: O(data), no allocation; copies one block at a time.
    static func hash(_ data: ByteView, size: Int) -> WordDigest {
        precondition(size >= 1)
        precondition(size <= digestSizeMax)
        var chain = blakeInitialChain
        // The parameter block: digest size, no key, fanout 1, depth 1.
        chain[0] ^= 0x0101_0000 ^ UInt32(size)
        var offset = 0
        // The code after the loop compresses the last block, full or not, because it carries the final flag.
        while data.count - offset > blockSize {
            let block = blakeBlock(data[offset..<offset + blockSize])
            offset += blockSize
            compress(&chain, block, hashedSize: UInt64(offset), isLast: false)
        }
        let block = blakeBlock(data[offset..<data.count])
        compress(&chain, block, hashedSize: UInt64(data.count), isLast: true)
        return WordDigest(words: words(of: chain), size: size)
    }

    private static func words(of chain: InlineArray<8, UInt32>) -> InlineArray<8, UInt64> {
        var words = InlineArray<8, UInt64>(repeating: 0)
        for index in 0..<4 {
            words[index] = UInt64(chain[2 * index]) | UInt64(chain[2 * index + 1]) << 32
        }
        return words
    }

    /// Applies the function F of RFC 7693, section 3.2.
    private static func compress(
        _ chain: inout InlineArray<8, UInt32>,
        _ m: InlineArray<16, UInt32>,
        hashedSize: UInt64,
        isLast: Bool
    ) {
        var lower = blakeInitialChain
        lower[4] ^= UInt32(truncatingIfNeeded: hashedSize)
        lower[5] ^= UInt32(truncatingIfNeeded: hashedSize >> 32)
        if isLast { lower[6] = ~lower[6] }
        var v = BLAKEState(chain, lower)
        v.mixTenRounds(m)
        let folded = v.folded
        for index in 0..<8 { chain[index] ^= folded[index] }
    }
}
