public import DAGBytes

/// Unsigned LEB128 as in multiformats: at most 9 bytes, at most 63 bits, minimal.
///
/// ```
/// byte  1xxxxxxx  1xxxxxxx  …  0xxxxxxx      seven bits each, the lowest first
/// ```
///
/// Source: multiformats/unsigned-varint, "Practical maximum of 9 bytes".
public enum Varint {
    /// The longest encoding, in bytes.
    public static let sizeMax = 9

    /// The result of `decode`.
    @frozen public struct Decoded: Equatable, Sendable {
        /// The value, if `size` is positive.
        public let value: UInt64
        /// The number of bytes read; `truncated` or `malformed` if there is no value.
        public let size: Int

        /// The `size` of a varint that the bytes cut short.
        public static var truncated: Int { 0 }
        /// The `size` of a varint that is longer than nine bytes or not minimal.
        public static var malformed: Int { -1 }

        /// Creates a result from a value and its size.
        @inlinable public init(value: UInt64, size: Int) {
            self.value = value
            self.size = size
        }
    }

    /// Reads a varint without throwing, for the hot path of the section scan.
    ///
    /// - Parameters:
    ///   - bytes: The bytes to read from.
    ///   - offset: The first byte of the varint; between 0 and `bytes.count`.
    /// - Returns: The value and its size, or a size that says why there is none.
    @inline(__always)
    @inlinable public static func decode(_ bytes: ByteView, at offset: Int) -> Decoded {
        // One load reads up to eight bytes. The first byte without its high bit ends the varint, and three shifts
        // take the high bits out of the others.
        if offset >= 0, offset <= bytes.count &- 8 {
            let word = bytes.loadUInt64(at: offset)
            let ends = ~word & 0x8080_8080_8080_8080
            if ends != 0 {
                let size = ends.trailingZeroBitCount >> 3 &+ 1
                var value = word & (~0 >> UInt64(64 &- 8 &* size)) & 0x7f7f_7f7f_7f7f_7f7f
                guard size == 1 || value >> UInt64(8 &* (size &- 1)) != 0 else {
                    return Decoded(value: 0, size: Decoded.malformed)
                }
                value = value & 0x007f_007f_007f_007f | (value & 0x7f00_7f00_7f00_7f00) >> 1
                value = value & 0x0000_3fff_0000_3fff | (value & 0x3fff_0000_3fff_0000) >> 2
                value = value & 0x0000_0000_0fff_ffff | (value & 0x0fff_ffff_0000_0000) >> 4
                return Decoded(value: value, size: size)
            }
        }
        return decodeSlowly(bytes, at: offset)
    }

    @usableFromInline static func decodeSlowly(_ bytes: ByteView, at offset: Int) -> Decoded {
        var value: UInt64 = 0
        var index = 0
        while index < sizeMax {
            guard offset + index < bytes.count else {
                return Decoded(value: 0, size: Decoded.truncated)
            }
            let byte = bytes[offset + index]
            value |= UInt64(byte & 0x7f) << (7 * UInt64(index))
            if byte & 0x80 == 0 {
                guard byte != 0 || index == 0 else {
                    return Decoded(value: 0, size: Decoded.malformed)
                }
                return Decoded(value: value, size: index + 1)
            }
            index += 1
        }
        return Decoded(value: 0, size: Decoded.malformed)
    }

    /// Reads a varint.
    ///
    /// - Parameters:
    ///   - bytes: The bytes to read from.
    ///   - offset: The first byte of the varint. On return, the byte after it; unchanged on error.
    /// - Returns: The value, below 2^63.
    /// - Throws: `.truncated` if `bytes` ends first; `.malformedVarint` if it is too long or not minimal.
    public static func read(
        _ bytes: ByteView,
        at offset: inout Int
    ) throws(MultiformatsError) -> UInt64 {
        precondition(offset >= 0 && offset <= bytes.count)
        let decoded = decode(bytes, at: offset)
        guard decoded.size > 0 else {
            let isTruncated = decoded.size == Decoded.truncated
            throw MultiformatsError(isTruncated ? .truncated : .malformedVarint, at: offset)
        }
        offset += decoded.size
        return decoded.value
    }

    /// Returns the number of bytes that `value` takes.
    @inlinable public static func size(of value: UInt64) -> Int {
        max(1, (70 - value.leadingZeroBitCount) / 7)
    }

    /// Appends `value`, which is below 2^63.
    public static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        precondition(value < 1 << 63, "a varint has at most 63 bits")
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
