internal import DAGBytes

/// BLAKE2b without a key, for digests of 1 to 64 bytes.
///
/// Source: RFC 7693.
enum BLAKE2b {
    /// The largest digest, in bytes.
    static let digestSizeMax = 64
    /// The number of bytes in a block.
    static let blockSize = 128

    /// The words of one block.
    typealias Block = InlineArray<16, UInt64>

    /// Hashes `data`.
    ///
    /// - Parameters:
    ///   - data: The bytes to hash.
    ///   - size: The size of the digest in bytes, 1 to 64. It is part of the hashed parameters.
    /// - Returns: The digest.
    ///
    /// *Cost*: O(data), no allocation; copies one block at a time.
    static func hash(_ data: ByteView, size: Int) -> WordDigest {
        precondition(size >= 1)
        precondition(size <= digestSizeMax)
        var chain = initialChain
        // The parameter block: digest size, no key, fanout 1, depth 1.
        chain[0] ^= 0x0101_0000 ^ UInt64(size)
        var offset = 0
        // The code after the loop compresses the last block, full or not, because it carries the final flag.
        while data.count - offset > blockSize {
            let bytes = data[offset..<offset + blockSize]
            offset += blockSize
            let block = Block { bytes.loadUInt64(at: 8 * $0) }
            compress(&chain, block, hashedSize: UInt64(offset), isLast: false)
        }
        let block = padded(data[offset..<data.count])
        compress(&chain, block, hashedSize: UInt64(data.count), isLast: true)
        return WordDigest(words: chain, size: size)
    }

    /// Returns the words of a last block: at most `blockSize` bytes, and zeros after them.
    private static func padded(_ bytes: ByteView) -> Block {
        var block = Block(repeating: 0)
        var offset = 0
        while offset + 8 <= bytes.count {
            block[offset / 8] = bytes.loadUInt64(at: offset)
            offset += 8
        }
        while offset < bytes.count {
            block[offset / 8] |= UInt64(bytes[offset]) << (8 * UInt64(offset % 8))
            offset += 1
        }
        return block
    }

    /// The initial chain, which is also the lower half of every working vector.
    ///
    /// RFC 7693, section 2.6; SHA-512 has the same.
    @inline(__always) private static var initialChain: InlineArray<8, UInt64> {
        [
            0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b,
            0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1,
            0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f,
            0x1f83_d9ab_fb41_bd6b, 0x5be0_cd19_137e_2179,
        ]
    }

    /// Applies the function F of RFC 7693, section 3.2.
    ///
    /// Rounds 10 and 11 repeat rounds 0 and 1.
    private static func compress(
        _ chain: inout InlineArray<8, UInt64>,
        _ m: Block,
        hashedSize: UInt64,
        isLast: Bool
    ) {
        var lower = initialChain
        // The upper half of the 128-bit counter belongs into word 5; it is zero below 2^64 bytes.
        lower[4] ^= hashedSize
        if isLast { lower[6] = ~lower[6] }
        var v = BLAKEState(chain, lower)
        v.mixTenRounds(m)
        v.round(m, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
        v.round(m, 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
        let folded = v.folded
        for index in 0..<8 { chain[index] ^= folded[index] }
    }
}
