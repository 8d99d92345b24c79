public import DAGBytes

/// The first 64 bits of MurmurHash3 for x64: the hash function of sharded directories.
///
/// Anyone can find names that collide, so it decides nothing but the place of an entry.
///
/// Source: Appleby, MurmurHash3.cpp, `MurmurHash3_x64_128` with seed 0; multicodec `0x22`.
public enum Murmur3 {
    /// The multicodec of the function.
    public static let code: UInt64 = 0x22

    private static let first: UInt64 = 0x87c3_7b91_1142_53d5
    private static let second: UInt64 = 0x4cf5_ad43_2745_937f

    /// Hashes `bytes`.
    public static func hash(_ bytes: ByteView) -> UInt64 {
        var one: UInt64 = 0
        var two: UInt64 = 0
        var offset = 0
        while offset + 16 <= bytes.count {
            one ^= mixFirst(bytes.loadUInt64(at: offset))
            one = rotate(one, 27) &+ two
            one = one &* 5 &+ 0x52dc_e729
            two ^= mixSecond(bytes.loadUInt64(at: offset + 8))
            two = rotate(two, 31) &+ one
            two = two &* 5 &+ 0x3849_5ab5
            offset += 16
        }
        let rest = bytes.count - offset
        if rest > 8 { two ^= mixSecond(bytes.partialWord(at: offset + 8, size: rest - 8)) }
        if rest > 0 { one ^= mixFirst(bytes.partialWord(at: offset, size: min(8, rest))) }
        one ^= UInt64(bytes.count)
        two ^= UInt64(bytes.count)
        one = one &+ two
        two = two &+ one
        one = finalMix(one)
        two = finalMix(two)
        return one &+ two
    }

    private static func mixFirst(_ word: UInt64) -> UInt64 {
        rotate(word &* first, 31) &* second
    }

    private static func mixSecond(_ word: UInt64) -> UInt64 {
        rotate(word &* second, 33) &* first
    }

    private static func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 {
        word << count | word >> (64 - count)
    }

    private static func finalMix(_ word: UInt64) -> UInt64 {
        var word = word
        word ^= word >> 33
        word = word &* 0xff51_afd7_ed55_8ccd
        word ^= word >> 33
        word = word &* 0xc4ce_b9fe_1a85_ec53
        word ^= word >> 33
        return word
    }
}

extension ByteView {
    /// Returns the little-endian number of at most eight bytes.
    fileprivate func partialWord(at offset: Int, size: Int) -> UInt64 {
        (0..<size).reduce(0) { $0 | UInt64(self[offset + $1]) << UInt64(8 * $1) }
    }
}
