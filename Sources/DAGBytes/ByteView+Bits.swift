extension ByteView {
    /// The widest field that `loadBits` reads.
    public static let bitWidthMax = 57

    /// Reads a little-endian bit field.
    ///
    /// - Parameters:
    ///   - bitOffset: The first bit, counted from the lowest bit of byte 0.
    ///   - width: The number of bits, 0 to 57; the field lies inside the view.
    /// - Returns: The bits, the first one lowest.
    @inlinable public func loadBits(at bitOffset: Int, width: Int) -> UInt64 {
        precondition(width >= 0 && width <= Self.bitWidthMax && bitOffset >= 0)
        let byte = bitOffset >> 3
        let mask: UInt64 = (1 << UInt64(width)) &- 1
        if byte <= count &- 8 {
            return loadUInt64(at: byte) >> UInt64(bitOffset & 7) & mask
        }
        precondition(bitOffset + width <= count * 8, "a bit field outside the view")
        var value: UInt64 = 0
        var index = 0
        while byte + index < count {
            value |= UInt64(self[byte + index]) << UInt64(8 * index)
            index += 1
        }
        return value >> UInt64(bitOffset & 7) & mask
    }

    /// Reads a little-endian 64-bit integer that may reach past the view's end.
    ///
    /// - Parameter offset: The first byte; inside the view.
    /// - Returns: The integer, with zeros for bytes past the end.
    @inline(__always)
    @inlinable package func loadWord(at offset: Int) -> UInt64 {
        let excess = offset &- (count &- 8)
        guard excess > 0 else { return loadUInt64(at: offset) }
        precondition(excess < 8, "a word outside the view")
        guard count >= 8 else { return loadBits(at: 8 &* offset, width: 8 &* (count &- offset)) }
        return loadUInt64(at: count &- 8) &>> UInt64(8 &* excess)
    }
}

extension UInt64 {
    /// Returns the position of a set bit, counted from the lowest bit of the word.
    ///
    /// - Parameter rank: The number of set bits below it, 0 to 63.
    /// - Returns: The position, or 64 if the word has no more than `rank` set bits.
    ///
    /// *Source*: Vigna, "Broadword implementation of rank/select queries", 2008.
    @inline(__always)
    @inlinable package func position(ofSetBit rank: Int) -> Int {
        assert(rank >= 0 && rank < 64)
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        let pairs = self &- (self >> 1 & 0x5555_5555_5555_5555)
        let nibbles = (pairs & 0x3333_3333_3333_3333) &+ (pairs >> 2 & 0x3333_3333_3333_3333)
        // Byte i counts the set bits of bytes 0 to i. Its high bit is then set if the count is above `rank`.
        let sums = ((nibbles &+ nibbles >> 4) & 0x0f0f_0f0f_0f0f_0f0f) &* ones
        let needed = UInt64(truncatingIfNeeded: rank &+ 1) &* ones
        let enough = ((sums | highs) &- needed) & highs
        guard enough != 0 else { return 64 }
        var place = UInt64(truncatingIfNeeded: enough.trailingZeroBitCount & ~7)
        var rest = UInt64(truncatingIfNeeded: rank) &- ((sums << 8) &>> place & 0xff)
        // Three steps without a branch, because the processor would mispredict it.
        let nibble = nibbles &>> place & 0xf
        let skipsNibble = (nibble &- 1 &- rest) >> 63
        place &+= skipsNibble << 2
        rest &-= nibble & (0 &- skipsNibble)
        let pair = pairs &>> place & 3
        let skipsPair = (pair &- 1 &- rest) >> 63
        place &+= skipsPair << 1
        rest &-= pair & (0 &- skipsPair)
        let bit = self &>> place & 1
        return Int(truncatingIfNeeded: place &+ ((bit &- 1 &- rest) >> 63))
    }
}

/// Packs bit fields, the lowest bit first.
///
/// The fields gather in words. `finish` appends all of them as bytes.
public struct BitWriter: Sendable {
    /// Full words, each little-endian in memory.
    @usableFromInline var words: [UInt64] = []
    @usableFromInline var bits: UInt64 = 0
    @usableFromInline var bitCount = 0

    /// Creates a writer that starts at a byte boundary.
    public init() {}

    /// The bytes that `finish` appends.
    public var byteCount: Int { words.count * 8 + (bitCount + 7) / 8 }

    /// Makes room for `count` more bits.
    public mutating func reserve(_ count: Int) {
        words.reserveCapacity(words.count + (bitCount + count) / 64 + 1)
    }

    /// Appends the low `width` bits of `value`; its other bits are zero.
    ///
    /// - Parameters:
    ///   - value: The bits.
    ///   - width: The number of bits, 0 to 57.
    @inline(__always)
    @inlinable public mutating func append(_ value: UInt64, width: Int) {
        assert(width <= ByteView.bitWidthMax && value >> UInt64(width) == 0)
        bits |= value &<< UInt64(bitCount)
        bitCount &+= width
        guard bitCount >= 64 else { return }
        words.append(bits.littleEndian)
        bitCount &-= 64
        bits = bitCount == 0 ? 0 : value &>> UInt64(width &- bitCount)
    }

    /// Appends all fields to `bytes`, fills the last byte up with zeros, and starts again.
    public mutating func finish(to bytes: inout [UInt8]) {
        // SAFETY: integers may be read as bytes, and the call only reads them.
        unsafe words.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        words.removeAll(keepingCapacity: true)
        while bitCount > 0 {
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
            bitCount -= 8
        }
        bits = 0
        bitCount = 0
    }
}
