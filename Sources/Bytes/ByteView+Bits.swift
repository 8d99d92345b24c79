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
}

/// Appends bit fields to bytes, the lowest bit first.
public struct BitWriter: Sendable {
    private var bits: UInt64 = 0
    private var bitCount = 0

    /// A writer that starts at a byte boundary.
    public init() {}

    /// Appends the low `width` bits of `value`, which has no others.
    ///
    /// - Parameters:
    ///   - value: The bits.
    ///   - width: The number of bits, 0 to 57.
    ///   - bytes: Receives the bytes that are full.
    @inline(__always)
    public mutating func append(_ value: UInt64, width: Int, to bytes: inout [UInt8]) {
        assert(width <= ByteView.bitWidthMax && value >> UInt64(width) == 0)
        bits |= value << UInt64(bitCount)
        bitCount += width
        guard bitCount >= 64 else { return }
        bytes.append(littleEndian: bits)
        bitCount -= 64
        bits = bitCount == 0 ? 0 : value >> UInt64(width - bitCount)
    }

    /// Appends the last byte, filled up with zeros, if one is begun.
    public mutating func finish(to bytes: inout [UInt8]) {
        while bitCount > 0 {
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
            bitCount -= 8
        }
        bits = 0
        bitCount = 0
    }
}
