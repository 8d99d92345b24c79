internal import DAGBytes

/// A word of the BLAKE functions: 64 bits for BLAKE2b, 32 bits for the others, or one word from each of several
/// messages.
protocol BLAKEWord {
    /// The rotations of the four steps of a mix, in bits.
    static var rotations: (UInt32, UInt32, UInt32, UInt32) { get }
    /// Returns the sum, modulo the size of the word.
    func plus(_ other: Self) -> Self
    /// Returns the bits that differ.
    func xor(_ other: Self) -> Self
    /// Rotates the bits down.
    func rotatedRight(by count: UInt32) -> Self
}

// The operators have names, because an operator of this protocol would hide the public one in inlinable code.

extension UInt64: BLAKEWord {
    /// Source: RFC 7693, section 2.1.
    @inline(__always) static var rotations: (UInt32, UInt32, UInt32, UInt32) { (32, 24, 16, 63) }

    @inline(__always) func plus(_ other: UInt64) -> UInt64 { self &+ other }
    @inline(__always) func xor(_ other: UInt64) -> UInt64 { self ^ other }

    @inline(__always) func rotatedRight(by count: UInt32) -> UInt64 {
        self &>> UInt64(count) | self &<< UInt64(64 &- count)
    }
}

extension UInt32: BLAKEWord {
    /// Source: RFC 7693, section 2.1; the same for BLAKE3.
    @inline(__always) static var rotations: (UInt32, UInt32, UInt32, UInt32) { (16, 12, 8, 7) }

    @inline(__always) func plus(_ other: UInt32) -> UInt32 { self &+ other }
    @inline(__always) func xor(_ other: UInt32) -> UInt32 { self ^ other }

    @inline(__always) func rotatedRight(by count: UInt32) -> UInt32 {
        self &>> count | self &<< (32 &- count)
    }
}

extension SIMD4<UInt32>: BLAKEWord {
    @inline(__always) static var rotations: (UInt32, UInt32, UInt32, UInt32) { UInt32.rotations }

    @inline(__always) func plus(_ other: Self) -> Self { self &+ other }
    @inline(__always) func xor(_ other: Self) -> Self { self ^ other }

    @inline(__always) func rotatedRight(by count: UInt32) -> Self {
        // With `|` the compiler would rotate each lane by itself, which is half as fast as one chunk at a time.
        self &>> Self(repeating: count) &+ self &<< Self(repeating: 32 &- count)
    }
}

/// The working state of one compression.
///
/// The rounds are unrolled over local variables: baseline x86-64 has no 64-bit rotation in its vectors, so scalar
/// code is faster.
///
/// Source: RFC 7693, sections 3.1 and 3.2; BLAKE3 specification, section 2.2.
struct BLAKEState<Word: BLAKEWord> {
    private var v0, v1, v2, v3, v4, v5, v6, v7: Word
    private var v8, v9, v10, v11, v12, v13, v14, v15: Word

    /// Creates a state from the chain as its upper half and the function's own lower half.
    @inline(__always) init(
        _ chain: InlineArray<8, Word>,
        _ lower: InlineArray<8, Word>
    ) {
        (v0, v1, v2, v3) = (chain[0], chain[1], chain[2], chain[3])
        (v4, v5, v6, v7) = (chain[4], chain[5], chain[6], chain[7])
        (v8, v9, v10, v11) = (lower[0], lower[1], lower[2], lower[3])
        (v12, v13, v14, v15) = (lower[4], lower[5], lower[6], lower[7])
    }

    /// Mixes the four columns, and then the four diagonals.
    ///
    /// The numbers select the words of `m` for each mix.
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

    /// Mixes the first ten rounds of BLAKE2.
    ///
    /// The word lists are the rows of RFC 7693, section 2.7.
    @inline(__always) mutating func mixTenRounds(_ m: InlineArray<16, Word>) {
        round(m, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
        round(m, 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
        round(m, 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4)
        round(m, 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8)
        round(m, 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13)
        round(m, 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9)
        round(m, 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11)
        round(m, 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10)
        round(m, 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5)
        round(m, 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0)
    }

    /// Applies the function G of RFC 7693, section 3.1.
    @inline(__always) private static func mix(
        _ a: inout Word,
        _ b: inout Word,
        _ c: inout Word,
        _ d: inout Word,
        _ x: Word,
        _ y: Word
    ) {
        a = a.plus(b).plus(x)
        d = d.xor(a).rotatedRight(by: Word.rotations.0)
        c = c.plus(d)
        b = b.xor(c).rotatedRight(by: Word.rotations.1)
        a = a.plus(b).plus(y)
        d = d.xor(a).rotatedRight(by: Word.rotations.2)
        c = c.plus(d)
        b = b.xor(c).rotatedRight(by: Word.rotations.3)
    }

    /// The halves, mixed: the next chain of BLAKE3, and the words that BLAKE2 mixes into its chain.
    @inline(__always) var folded: InlineArray<8, Word> {
        [
            v0.xor(v8), v1.xor(v9), v2.xor(v10), v3.xor(v11),
            v4.xor(v12), v5.xor(v13), v6.xor(v14), v7.xor(v15),
        ]
    }

    /// The lower half.
    @inline(__always) var lower: InlineArray<8, Word> { [v8, v9, v10, v11, v12, v13, v14, v15] }
}

/// The initial chain of BLAKE2s and BLAKE3; SHA-256 has the same.
///
/// Source: RFC 7693, section 2.6.
@inline(__always) var blakeInitialChain: InlineArray<8, UInt32> {
    [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a,
        0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
}

/// Returns the words of a block of 64 bytes, with zeros after the last byte of `bytes`.
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
