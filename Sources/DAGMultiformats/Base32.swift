internal import DAGBytes

/// Base32 without padding.
///
/// ```
/// bytes      76543 210|76  54321 0|7654  3210|7  65432 10|765  43210
/// symbols    43210 43210   43210 43210   43210   43210 43210   43210
/// ```
///
/// Eight symbols encode five bytes. Leftover bits of the last symbol are zero.
///
/// Reading accepts both cases, as the multibase specification asks for bases with letters of one case.
///
/// Source: RFC 4648, section 6.
enum Base32 {
    private static let lower = Alphabet("abcdefghijklmnopqrstuvwxyz234567", ignoresCase: true)
    private static let upper = Alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", ignoresCase: true)

    /// Returns the text of `bytes` after `prefix`.
    static func text(of bytes: ByteView, prefix: UInt8, isUpper: Bool = false) -> String {
        let symbolCount = (bytes.count * 8 + 4) / 5
        let text = [UInt8](capacity: 1 + symbolCount) { (text: inout OutputSpan<UInt8>) in
            text.append(prefix)
            if isUpper {
                append(bytes, in: upper, to: &text)
            } else {
                append(bytes, in: lower, to: &text)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func append(
        _ bytes: ByteView,
        in alphabet: borrowing Alphabet,
        to text: inout OutputSpan<UInt8>
    ) {
        var offset = 0
        while bytes.count - offset >= 8 {
            let group = bytes.loadUInt64(at: offset).byteSwapped
            text.append(alphabet.symbols[Int(group >> 59)])
            text.append(alphabet.symbols[Int(group >> 54 & 31)])
            text.append(alphabet.symbols[Int(group >> 49 & 31)])
            text.append(alphabet.symbols[Int(group >> 44 & 31)])
            text.append(alphabet.symbols[Int(group >> 39 & 31)])
            text.append(alphabet.symbols[Int(group >> 34 & 31)])
            text.append(alphabet.symbols[Int(group >> 29 & 31)])
            text.append(alphabet.symbols[Int(group >> 24 & 31)])
            offset += 5
        }
        // The low end of `bits` holds bits that wait; the bits above `bitCount` are already written.
        var bits: UInt64 = 0
        var bitCount: UInt64 = 0
        while offset < bytes.count {
            bits = bits << 8 | UInt64(bytes[offset])
            bitCount += 8
            offset += 1
            while bitCount >= 5 {
                bitCount -= 5
                text.append(alphabet.symbols[Int(bits >> bitCount & 31)])
            }
        }
        if bitCount > 0 {
            text.append(alphabet.symbols[Int(bits << (5 - bitCount) & 31)])
        }
    }

    /// Reads the text from `start` on.
    ///
    /// - Throws: `.malformedText` at a byte outside the alphabet. At the last symbol if its leftover bits are not
    ///   zero, or if it adds no byte.
    static func decode(
        _ text: Span<UInt8>,
        from start: Int
    ) throws(MultiformatsError) -> [UInt8] {
        try [UInt8](capacity: (text.count - start) * 5 / 8) {
            (bytes: inout OutputSpan<UInt8>) throws(MultiformatsError) in
            var bits: UInt64 = 0
            var bitCount: UInt64 = 0
            for index in start..<text.count {
                let digit = lower.digits[Int(text[index])]
                guard digit != Alphabet.none else {
                    throw MultiformatsError(.malformedText, at: index)
                }
                bits = bits &<< 5 | UInt64(digit)
                bitCount &+= 5
                guard bitCount >= 8 else { continue }
                bitCount &-= 8
                bytes.append(UInt8(truncatingIfNeeded: bits &>> bitCount))
            }
            guard bitCount < 5, bits & (1 << bitCount - 1) == 0 else {
                throw MultiformatsError(.malformedText, at: text.count - 1)
            }
        }
    }
}
