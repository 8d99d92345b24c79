/// A JSON object whose values are strings, as the metadata service returns it; other values are skipped.
///
/// Nested objects and arrays are refused. At most `sizeMax` bytes.
struct FlatJSON {
    /// The largest text, in bytes.
    static let sizeMax = 65_536

    /// The strings by their names.
    let strings: [String: String]

    /// Parses a text; nil if it is malformed.
    init?(_ bytes: [UInt8]) {
        guard bytes.count <= Self.sizeMax else { return nil }
        var reader = Reader(rest: bytes[...])
        guard let strings = reader.object() else { return nil }
        self.strings = strings
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func object() -> [String: String]? {
            guard take("{") else { return nil }
            var strings: [String: String] = [:]
            if take("}") { return isAtEnd ? strings : nil }
            repeat {
                guard let name = string(), take(":") else { return nil }
                skipBlanks()
                if rest.first == UInt8(ascii: "\"") {
                    guard let value = string() else { return nil }
                    strings[name] = value
                } else {
                    let word = rest.prefix { $0.isLetterOrDigit || "+-.".utf8.contains($0) }
                    guard !word.isEmpty else { return nil }
                    rest = rest[word.endIndex...]
                }
            } while take(",")
            return take("}") && isAtEnd ? strings : nil
        }

        private var isAtEnd: Bool { rest.allSatisfy { $0 <= 0x20 } }

        private mutating func skipBlanks() { rest = rest.drop { $0 <= 0x20 } }

        private mutating func take(_ sign: Character) -> Bool {
            skipBlanks()
            guard let value = sign.asciiValue, rest.first == value else { return false }
            rest = rest.dropFirst()
            return true
        }

        private mutating func string() -> String? {
            guard take("\"") else { return nil }
            var bytes: [UInt8] = []
            while let byte = rest.popFirst() {
                switch byte {
                case UInt8(ascii: "\""): return String(validating: bytes, as: UTF8.self)
                case UInt8(ascii: "\\"):
                    guard let escaped = escape() else { return nil }
                    bytes += escaped
                case 0..<0x20: return nil
                default: bytes.append(byte)
                }
            }
            return nil
        }

        private mutating func escape() -> [UInt8]? {
            guard let byte = rest.popFirst() else { return nil }
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
            case UInt8(ascii: "n"): return [0x0a]
            case UInt8(ascii: "t"): return [0x09]
            case UInt8(ascii: "r"): return [0x0d]
            case UInt8(ascii: "b"): return [0x08]
            case UInt8(ascii: "f"): return [0x0c]
            case UInt8(ascii: "u"):
                let digits = String(decoding: rest.prefix(4), as: UTF8.self)
                rest = rest.dropFirst(4)
                // Credentials are ASCII, so surrogates do not occur.
                guard digits.utf8.count == 4, let number = UInt32(digits, radix: 16),
                    let scalar = Unicode.Scalar(number)
                else { return nil }
                return Array(String(Character(scalar)).utf8)
            default: return nil
            }
        }
    }
}
