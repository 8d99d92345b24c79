/// Writes JSON: keys in the order of the calls, no spaces, one object a line.
///
/// Escapes quotes, backslashes and control characters as RFC 8259 asks, and other characters that a terminal obeys.
/// All other text stays UTF-8.
package struct JSONWriter {
    /// The bytes written so far.
    package var bytes: [UInt8] = []
    private var needsComma = false

    /// Makes a writer that has written nothing.
    package init() {}

    /// Writes an object.
    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        bytes.append(UInt8(ascii: "{"))
        needsComma = false
        body(&self)
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }

    // MARK: Members

    /// Writes a member that is an object.
    package mutating func member(_ name: String, _ body: (inout JSONWriter) -> Void) {
        begin(name)
        object(body)
    }

    /// Writes a string, or null.
    package mutating func member(_ name: String, _ value: String?) {
        begin(name)
        guard let value else {
            bytes += "null".utf8
            return
        }
        string(value)
    }

    /// Writes an integer.
    package mutating func member(_ name: String, _ value: some FixedWidthInteger) {
        begin(name)
        bytes += String(value).utf8
    }

    /// Writes an integer, or null.
    package mutating func member(_ name: String, _ value: (some FixedWidthInteger)?) {
        begin(name)
        bytes += (value.map { String($0) } ?? "null").utf8
    }

    /// Writes a truth value.
    package mutating func member(_ name: String, _ value: Bool) {
        begin(name)
        bytes += (value ? "true" : "false").utf8
    }

    /// Writes seconds, to the microsecond.
    package mutating func member(_ name: String, _ value: Duration) {
        begin(name)
        let (seconds, attoseconds) = value.components
        let fraction = String(1_000_000 + attoseconds / 1_000_000_000_000).dropFirst()
        bytes += "\(seconds).\(fraction)".utf8
    }

    /// Writes a finite number, to a thousandth.
    package mutating func member(_ name: String, _ value: Double) {
        begin(name)
        bytes += "\((value * 1000).rounded() / 1000)".utf8
    }

    /// Writes an array of objects.
    package mutating func member<Element>(
        _ name: String,
        each elements: some Sequence<Element>,
        _ body: (inout JSONWriter, Element) -> Void
    ) {
        begin(name)
        bytes.append(UInt8(ascii: "["))
        needsComma = false
        for element in elements {
            if needsComma { bytes.append(UInt8(ascii: ",")) }
            object { body(&$0, element) }
        }
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }

    /// Writes a finite number with all its digits, or null.
    package mutating func member(_ name: String, _ value: Double?) {
        begin(name)
        bytes += (value.map { "\($0)" } ?? "null").utf8
    }

    /// Writes an array of numbers.
    package mutating func member(_ name: String, _ values: [UInt64]) {
        begin(name)
        bytes += "[\(values.map(String.init).joined(separator: ","))]".utf8
    }

    /// Writes an array of strings, or null.
    package mutating func member(_ name: String, _ values: [String]?) {
        begin(name)
        guard let values else {
            bytes += "null".utf8
            return
        }
        bytes.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            string(value)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func begin(_ name: String) {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
        string(name)
        bytes.append(UInt8(ascii: ":"))
    }

    // MARK: Strings

    private mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        if text.utf8.contains(where: Self.mayNeedEscape) {
            for scalar in text.unicodeScalars { append(scalar) }
        } else {
            bytes += text.utf8
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func mayNeedEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte >= 0x7f || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\n": bytes += #"\n"#.utf8
        case "\r": bytes += #"\r"#.utf8
        case "\t": bytes += #"\t"#.utf8
        case "\"", "\\": bytes += [UInt8(ascii: "\\"), UInt8(ascii: scalar)]
        case _ where scalar.isControl:
            for unit in String(scalar).utf16 {
                bytes += #"\u"#.utf8
                bytes += String(0x1_0000 + Int(unit), radix: 16).dropFirst().utf8
            }
        default: bytes += String(scalar).utf8
        }
    }
}
