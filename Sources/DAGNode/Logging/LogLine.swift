internal import AdminMessages

/// Text that a log writes: escaped, so that a terminal obeys none of it and a line stays one line.
struct LogText {
    /// The bytes so far.
    private(set) var bytes: [UInt8] = []

    /// Adds text of the program itself.
    mutating func add(_ text: StaticString) { bytes += text.description.utf8 }

    /// Adds text with control characters as `\u{…}`.
    mutating func addPlain(_ text: String) {
        add(text) { scalar, bytes in
            bytes += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}".utf8
        } escapes: {
            $0.isControl
        }
    }

    /// Adds a value of text: in quotes, unless it is one word.
    mutating func addValue(_ text: String) {
        let isWord = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "\"") }
        guard !isWord else { return addPlain(text) }
        bytes.append(UInt8(ascii: "\""))
        add(text) { scalar, bytes in
            guard scalar.isControl else { return bytes += "\\\(scalar)".utf8 }
            bytes += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}".utf8
        } escapes: {
            $0.isControl || $0 == "\"" || $0 == "\\"
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Adds a string of JSON, as RFC 8259 asks; control characters that it permits are escaped too.
    mutating func addJSON(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        add(text) { scalar, bytes in
            switch scalar {
            case "\n": bytes += #"\n"#.utf8
            case "\t": bytes += #"\t"#.utf8
            case "\"", "\\": bytes += [UInt8(ascii: "\\"), UInt8(ascii: scalar)]
            default:
                for unit in String(scalar).utf16 {
                    bytes += #"\u"#.utf8
                    bytes += String(0x1_0000 + Int(unit), radix: 16).dropFirst().utf8
                }
            }
        } escapes: {
            $0.isControl || $0 == "\"" || $0 == "\\"
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func add(
        _ text: String,
        _ escape: (Unicode.Scalar, inout [UInt8]) -> Void,
        escapes: (Unicode.Scalar) -> Bool
    ) {
        for scalar in text.unicodeScalars {
            if escapes(scalar) { escape(scalar, &bytes) } else { bytes += String(scalar).utf8 }
        }
    }
}
