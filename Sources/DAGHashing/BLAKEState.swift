internal import DAGBytes

/// What BLAKE2s and BLAKE3 compute with: one 32-bit word, or a word of each of several messages.
protocol BLAKEWord {
    /// The sum, modulo 2^32.
    static func &+ (one: Self, other: Self) -> Self
    /// The bits that differ.
    static func ^ (one: Self, other: Self) -> Self
    /// The word with its bits moved down by `count`, and those that fall out put on top.
    func rotatedRight(by count: UInt32) -> Self
}

extension UInt32: BLAKEWord {
    @inline(__always) func rotatedRight(by count: UInt32) -> UInt32 {
        self &>> count | self &<< (32 &- count)
    }
}

extension SIMD4<UInt32>: BLAKEWord {
    @inline(__always) func rotatedRight(by count: UInt32) -> Self {
        // With `|` the compiler takes the lanes apart and rotates each by itself: half as fast as one chunk at a time.
        self &>> Self(repeating: count) &+ self &<< Self(repeating: 32 &- count)
    }
}

/// The working state of one compression of BLAKE2s or BLAKE3.
///
/// The rounds are unrolled over local variables, as those of BLAKE2b are.
///
/// Source: RFC 7693, sections 3.1 and 3.2; BLAKE3 specification, section 2.2.
struct BLAKEState<Word: BLAKEWord> {
    private var v0, v1, v2, v3, v4, v5, v6, v7: Word
    private var v8, v9, v10, v11, v12, v13, v14, v15: Word

    /// A state from the chain and what the function puts below it.
    @inline(__always) init(
        _ chain: InlineArray<8, Word>,
        _ lower: InlineArray<8, Word>
    ) {
        (v0, v1, v2, v3) = (chain[0], chain[1], chain[2], chain[3])
        (v4, v5, v6, v7) = (chain[4], chain[5], chain[6], chain[7])
        (v8, v9, v10, v11) = (lower[0], lower[1], lower[2], lower[3])
        (v12, v13, v14, v15) = (lower[4], lower[5], lower[6], lower[7])
    }

    /// Four mixes down the columns, four along the diagonals.
    ///
    /// The numbers are the words of `m` that each mix takes.
    @inline(__always) mutating func round(
        _ m: InlineArray<16, Word>,
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

    @inline(__always) private static func mix(
        _ a: inout Word,
        _ b: inout Word,
        _ c: inout Word,
        _ d: inout Word,
        _ x: Word,
        _ y: Word
    ) {
        a = a &+ b &+ x
        d = (d ^ a).rotatedRight(by: 16)
        c = c &+ d
        b = (b ^ c).rotatedRight(by: 12)
        a = a &+ b &+ y
        d = (d ^ a).rotatedRight(by: 8)
        c = c &+ d
        b = (b ^ c).rotatedRight(by: 7)
    }

    /// Both halves, mixed: the next chain of BLAKE3, and what BLAKE2s mixes into its chain.
    @inline(__always) var folded: InlineArray<8, Word> {
        [
            v0 ^ v8, v1 ^ v9, v2 ^ v10, v3 ^ v11,
            v4 ^ v12, v5 ^ v13, v6 ^ v14, v7 ^ v15,
        ]
    }

    /// The lower half.
    @inline(__always) var lower: InlineArray<8, Word> { [v8, v9, v10, v11, v12, v13, v14, v15] }
}

/// The initial chain of BLAKE2s and BLAKE3, which is SHA-256's.
///
/// Source: RFC 7693, section 2.6.
@inline(__always) var blakeInitialChain: InlineArray<8, UInt32> {
    [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a,
        0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
}

/// The words of the block of 64 bytes that `bytes` begins, with zeros after what `bytes` has.
@inline(__always) func blakeBlock(_ bytes: ByteView) -> InlineArray<16, UInt32> {
    guard bytes.count < 64 else {
        return InlineArray<16, UInt32> { bytes.loadUInt32(at: 4 * $0) }
    }
    var block = InlineArray<16, UInt32>(repeating: 0)
    for offset in 0..<bytes.count {
        block[offset / 4] |= UInt32(bytes[offset]) &<< UInt32(8 * (offset % 4))
    }
    return block
}
