/// Text for any bytes: letters, digits and `-._~/` stand for themselves, and all other bytes become `%XX`.
package enum PercentEscapes {
    /// Returns the text of `bytes`.
    package static func escaped(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
                text.append(byte)
            default:
                text += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Decodes text; any byte may be escaped.
    ///
    /// - Returns: The bytes, or nil if two hexadecimal digits are missing after a `%`.
    package static func unescaped(_ text: Substring.UTF8View) -> [UInt8]? {
        let (bytes, isWellFormed) = decoded(text)
        return isWellFormed ? bytes : nil
    }

    /// Decodes text as some servers do: a `%` without two digits after it stands for itself.
    package static func leniently(unescaped text: Substring.UTF8View) -> [UInt8] {
        decoded(text).bytes
    }

    private static func decoded(
        _ text: Substring.UTF8View
    ) -> (bytes: [UInt8], isWellFormed: Bool) {
        var bytes: [UInt8] = []
        var isWellFormed = true
        var rest = text
        while let byte = rest.popFirst() {
            let digits = byte == UInt8(ascii: "%") ? rest.prefix(2).compactMap(digit) : []
            if digits.count == 2 {
                bytes.append(digits[0] << 4 | digits[1])
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
                if byte == UInt8(ascii: "%") { isWellFormed = false }
            }
        }
        return (bytes, isWellFormed)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map(UInt8.init)
    }
}
