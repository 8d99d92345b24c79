internal import DAGBytes

/// BLAKE2b without a key, for digests of 1 to 64 bytes.
///
/// The rounds are unrolled over local variables: baseline x86-64 has no 64-bit rotation in its
/// vectors, so that scalar code wins there.
///
/// Source: RFC 7693.
enum BLAKE2b {
    /// The largest digest, in bytes.
    static let digestSizeMax = 64
    /// The bytes that one compression takes in.
    static let blockSize = 128

    /// The words of one block.
    typealias Block = InlineArray<16, UInt64>

    /// Hashes `data`.
    ///
    /// - Parameters:
    ///   - data: What to hash.
    ///   - size: The size of the digest in bytes, 1 to 64. It is part of what is hashed.
    /// - Returns: The digest.
    ///
    /// *Cost*: O(data), no allocation, no copy but of one block at a time.
    static func hash(_ data: ByteView, size: Int) -> WordDigest {
        precondition(size >= 1)
        precondition(size <= digestSizeMax)
        var chain = initialChain
        // The parameter block: digest size, no key, fanout 1, depth 1.
        chain[0] ^= 0x0101_0000 ^ UInt64(size)
        var offset = 0
        // The last block, full or not, is compressed below: it carries the final flag.
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

    /// The words of a last block, zeros after `bytes`, which are at most `blockSize`.
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

    /// The initial chain, and the lower half of every working vector.
    ///
    /// RFC 7693, section 2.6; the same as SHA-512's.
    @inline(__always) private static var initialChain: InlineArray<8, UInt64> {
        [
            0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b,
            0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1,
            0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f,
            0x1f83_d9ab_fb41_bd6b, 0x5be0_cd19_137e_2179,
        ]
    }

    /// The function F of RFC 7693, section 3.2.
    ///
    /// The word lists are the rows of section 2.7; rounds 10 and 11 are rounds 0 and 1 again.
    private static func compress(
        _ chain: inout InlineArray<8, UInt64>,
        _ m: Block,
        hashedSize: UInt64,
        isLast: Bool
    ) {
        var v = Vector(chain, initialChain, hashedSize: hashedSize, isLast: isLast)
        v.round(m, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
        v.round(m, 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
        v.round(m, 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4)
        v.round(m, 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8)
        v.round(m, 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13)
        v.round(m, 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9)
        v.round(m, 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11)
        v.round(m, 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10)
        v.round(m, 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5)
        v.round(m, 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0)
        v.round(m, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
        v.round(m, 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
        v.fold(into: &chain)
    }
}

/// The working vector of one compression: sixteen words that the optimiser keeps apart.
private struct Vector {
    private var v0, v1, v2, v3, v4, v5, v6, v7: UInt64
    private var v8, v9, v10, v11, v12, v13, v14, v15: UInt64

    @inline(__always) init(
        _ chain: InlineArray<8, UInt64>,
        _ initial: InlineArray<8, UInt64>,
        hashedSize: UInt64,
        isLast: Bool
    ) {
        (v0, v1, v2, v3) = (chain[0], chain[1], chain[2], chain[3])
        (v4, v5, v6, v7) = (chain[4], chain[5], chain[6], chain[7])
        (v8, v9, v10, v11) = (initial[0], initial[1], initial[2], initial[3])
        // The upper half of the 128-bit counter, which would go to v13, is zero below 2^64 bytes.
        (v12, v13) = (initial[4] ^ hashedSize, initial[5])
        (v14, v15) = (isLast ? ~initial[6] : initial[6], initial[7])
    }

    /// Four mixes down the columns, four along the diagonals.
    ///
    /// The numbers are the words of `m` that each mix takes.
    @inline(__always) mutating func round(
        _ m: BLAKE2b.Block,
        _ s0: Int,
        _ s1: Int,
        _ s2: Int,
        _ s3: Int,
        _ s4: Int,
        _ s5: Int,
        _ s6: Int,
        _ s7: Int,
        _ s8: Int,
        _ s9: Int,
        _ s10: Int,
        _ s11: Int,
        _ s12: Int,
        _ s13: Int,
        _ s14: Int,
        _ s15: Int
    ) {
        Self.mix(&v0, &v4, &v8, &v12, m[s0], m[s1])
        Self.mix(&v1, &v5, &v9, &v13, m[s2], m[s3])
        Self.mix(&v2, &v6, &v10, &v14, m[s4], m[s5])
        Self.mix(&v3, &v7, &v11, &v15, m[s6], m[s7])
        Self.mix(&v0, &v5, &v10, &v15, m[s8], m[s9])
        Self.mix(&v1, &v6, &v11, &v12, m[s10], m[s11])
        Self.mix(&v2, &v7, &v8, &v13, m[s12], m[s13])
        Self.mix(&v3, &v4, &v9, &v14, m[s14], m[s15])
    }

    /// The function G of RFC 7693, section 3.1.
    @inline(__always) private static func mix(
        _ a: inout UInt64,
        _ b: inout UInt64,
        _ c: inout UInt64,
        _ d: inout UInt64,
        _ x: UInt64,
        _ y: UInt64
    ) {
        a = a &+ b &+ x
        d = rotatedRight(d ^ a, by: 32)
        c = c &+ d
        b = rotatedRight(b ^ c, by: 24)
        a = a &+ b &+ y
        d = rotatedRight(d ^ a, by: 16)
        c = c &+ d
        b = rotatedRight(b ^ c, by: 63)
    }

    @inline(__always) private static func rotatedRight(_ word: UInt64, by count: UInt64) -> UInt64 {
        word &>> count | word &<< (64 &- count)
    }

    /// Mixes both halves into the chain.
    @inline(__always) func fold(into chain: inout InlineArray<8, UInt64>) {
        chain[0] ^= v0 ^ v8
        chain[1] ^= v1 ^ v9
        chain[2] ^= v2 ^ v10
        chain[3] ^= v3 ^ v11
        chain[4] ^= v4 ^ v12
        chain[5] ^= v5 ^ v13
        chain[6] ^= v6 ^ v14
        chain[7] ^= v7 ^ v15
    }
}
