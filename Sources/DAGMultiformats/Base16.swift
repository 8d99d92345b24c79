internal import DAGBytes

/// Hexadecimal.
///
/// Reading accepts both cases, as the multibase specification asks for bases with letters of one case.
///
/// Source: RFC 4648, section 8.
enum Base16 {
    private static let lower = Alphabet("0123456789abcdef", ignoresCase: true)
    private static let upper = Alphabet("0123456789ABCDEF", ignoresCase: true)

    /// Returns the text of `bytes` after `prefix`, two symbols a byte.
    static func text(of bytes: ByteView, prefix: UInt8, isUpper: Bool = false) -> String {
        let text = [UInt8](capacity: 1 + 2 * bytes.count) { (text: inout OutputSpan<UInt8>) in
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
        for index in 0..<bytes.count {
            let byte = bytes[index]
            text.append(alphabet.symbols[Int(byte >> 4)])
            text.append(alphabet.symbols[Int(byte & 15)])
        }
    }

    /// Reads the text from `start` on.
    ///
    /// - Throws: `.malformedText` at a byte outside the alphabet, or at a last symbol without a partner.
    static func decode(
        _ text: Span<UInt8>,
        from start: Int
    ) throws(MultiformatsError) -> [UInt8] {
        let bytes = try [UInt8](capacity: (text.count - start) / 2) {
            (bytes: inout OutputSpan<UInt8>) throws(MultiformatsError) in
            var high: UInt8 = 0
            for index in start..<text.count {
                let digit = lower.digits[Int(text[index])]
                guard digit != Alphabet.none else {
                    throw MultiformatsError(.malformedText, at: index)
                }
                if (index - start) & 1 == 0 {
                    high = digit << 4
                } else {
                    bytes.append(high | digit)
                }
            }
        }
        guard (text.count - start) & 1 == 0 else {
            throw MultiformatsError(.malformedText, at: text.count - 1)
        }
        return bytes
    }
}
