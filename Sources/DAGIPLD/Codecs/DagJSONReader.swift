internal import DAGBytes
internal import DAGMultiformats

/// A reader of one block of dag-json.
///
/// ```
/// link    {"/":"bafy…"}
/// bytes   {"/":{"bytes":"AQID"}}        base64 without padding
/// ```
///
/// Everything else is JSON. A map whose first key is `/` is a link or bytes, or is refused. Keys are unique; in
/// canonical form they are ordered by their bytes, there is no white space, and CIDs have their canonical text.
///
/// Source: ipld.io/specs/codecs/dag-json.
struct DagJSONReader: ItemReader {
    private struct Container {
        var isMap: Bool
        /// Whether an entry was read, so that a comma or the end follows.
        var isBegun = false
        /// Whether a value follows its key.
        var isAtValue = false
        var lastKey: [UInt8]?
        /// The keys, where they come in any order.
        var keys: Set<[UInt8]> = []
    }

    private let view: ByteView
    private let isCanonical: Bool
    private let nestingMax: Int
    private var offset = 0
    private var containers: [Container] = []
    private var isComplete = false

    init(_ view: ByteView, _ limits: DAGLimits) throws(IPLDError) {
        try limits.check(view)
        self.view = view
        isCanonical = limits.requiresCanonicalForm
        nestingMax = limits.nestingMax
    }

    mutating func next() throws(IPLDError) -> IPLDItem? {
        try skipSpace()
        guard let last = containers.indices.last else {
            guard !isComplete else {
                guard offset == view.count else { throw malformed("bytes after the block's value") }
                return nil
            }
            isComplete = true
            return try value()
        }
        let end = UInt8(ascii: containers[last].isMap ? "}" : "]")
        guard !containers[last].isAtValue else {
            containers[last].isAtValue = false
            return try value()
        }
        if peek == end {
            offset += 1
            containers.removeLast()
            return IPLDItem(kind: .end)
        }
        if containers[last].isBegun {
            try expect(",")
            try skipSpace()
        }
        containers[last].isBegun = true
        return containers[last].isMap ? try key() : try value()
    }

    private mutating func key() throws(IPLDError) -> IPLDItem {
        let last = containers.count - 1
        let item = IPLDItem(kind: .key, range: try string())
        let text = try unescaped(item.range)
        if isCanonical {
            if let before = containers[last].lastKey {
                guard before.lexicographicallyPrecedes(text) else {
                    throw malformed("the keys of a map are unordered or repeated")
                }
            }
            containers[last].lastKey = text
        } else {
            guard containers[last].keys.insert(text).inserted else {
                throw malformed("a key twice")
            }
        }
        containers[last].isAtValue = true
        try skipSpace()
        try expect(":")
        return item
    }

    private mutating func value() throws(IPLDError) -> IPLDItem {
        switch peek {
        case UInt8(ascii: "{"):
            offset += 1
            if let special = try special() { return special }
            return try begin(isMap: true)
        case UInt8(ascii: "["):
            offset += 1
            return try begin(isMap: false)
        case UInt8(ascii: "\""):
            let range = try string()
            _ = try unescaped(range)
            return IPLDItem(kind: .string, range: range)
        case UInt8(ascii: "t"): return try word("true", IPLDItem(kind: .bool, value: 1))
        case UInt8(ascii: "f"): return try word("false", IPLDItem(kind: .bool))
        case UInt8(ascii: "n"): return try word("null", IPLDItem(kind: .null))
        default: return try number()
        }
    }

    private mutating func begin(isMap: Bool) throws(IPLDError) -> IPLDItem {
        guard containers.count < nestingMax else {
            throw IPLDError(.limitExceeded, "a block nested deeper than \(nestingMax)")
        }
        containers.append(Container(isMap: isMap))
        return IPLDItem(kind: isMap ? .map : .list)
    }

    // MARK: Links and bytes

    /// Reads a link or bytes, whose brace has been read; nil if the map is an ordinary one.
    private mutating func special() throws(IPLDError) -> IPLDItem? {
        let start = offset
        try skipSpace()
        guard starts(with: "\"/\"") else {
            offset = start
            return nil
        }
        offset += 3
        try skipSpace()
        try expect(":")
        try skipSpace()
        let item: IPLDItem
        switch peek {
        case UInt8(ascii: "\""):
            item = IPLDItem(kind: .link, range: try string())
            _ = try cid(item.range)
        case UInt8(ascii: "{"):
            offset += 1
            try skipSpace()
            guard starts(with: "\"bytes\"") else { throw malformed("a map with the key \"/\"") }
            offset += 7
            try skipSpace()
            try expect(":")
            try skipSpace()
            item = IPLDItem(kind: .bytes, range: try string())
            try checkBase64(item.range)
            try skipSpace()
            try expect("}")
        default: throw malformed("a map with the key \"/\"")
        }
        try skipSpace()
        try expect("}")
        return item
    }

    private func cid(_ range: Range<Int>) throws(IPLDError) -> CID {
        guard range.count <= CID.textSizeMax else {
            throw IPLDError(.limitExceeded, "dag-json: the text of a CID has \(range.count) bytes")
        }
        let text = String(decoding: view[range].copied, as: UTF8.self)
        guard let cid = try? CID(text), !isCanonical || cid.description == text else {
            throw malformed("a link is no CID")
        }
        return cid
    }

    private func checkBase64(_ range: Range<Int>) throws(IPLDError) {
        for place in range {
            switch view[place] {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                continue
            default: throw malformed("bytes that are not base64")
            }
        }
        guard range.count % 4 != 1 else { throw malformed("bytes that are not base64") }
    }

    func withCID<R>(
        of link: IPLDItem,
        _ body: (ByteView) throws(IPLDError) -> R
    ) throws(IPLDError) -> R {
        let bytes = try cid(link.range).bytes
        return try bytes.withView { view throws(IPLDError) in try body(view) }
    }

    func key(_ key: IPLDItem, equals text: [UInt8]) throws(IPLDError) -> Bool {
        try unescaped(key.range) == text
    }

    // MARK: Text

    /// Reads a string with its quotes, and returns the place of what is between them.
    private mutating func string() throws(IPLDError) -> Range<Int> {
        guard peek == UInt8(ascii: "\"") else { throw malformed("a string is missing") }
        offset += 1
        let start = offset
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                return start..<offset - 1
            case UInt8(ascii: "\\"): offset += 2
            case 0..<0x20: throw malformed("a control character in a string")
            default: offset += 1
            }
        }
        throw malformed("a string is cut short")
    }

    /// Returns the bytes of a string, its escapes resolved; they are UTF-8.
    private func unescaped(_ range: Range<Int>) throws(IPLDError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        var place = range.lowerBound
        while place < range.upperBound {
            let byte = view[place]
            place += 1
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard place < range.upperBound else { throw malformed("an escape is cut short") }
            let kind = view[place]
            place += 1
            guard kind == UInt8(ascii: "u") else {
                bytes.append(try simpleEscape(kind))
                continue
            }
            let scalar = try unicodeEscape(at: &place, range.upperBound)
            bytes += Array(String(scalar).utf8)
        }
        guard bytes.isValidUTF8 else { throw malformed("a string that is not UTF-8") }
        return bytes
    }

    private func simpleEscape(_ kind: UInt8) throws(IPLDError) -> UInt8 {
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): kind
        case UInt8(ascii: "b"): 8
        case UInt8(ascii: "f"): 12
        case UInt8(ascii: "n"): 10
        case UInt8(ascii: "r"): 13
        case UInt8(ascii: "t"): 9
        default: throw malformed("an unknown escape")
        }
    }

    private func unicodeEscape(at place: inout Int, _ end: Int) throws(IPLDError) -> Unicode.Scalar
    {
        var code = try hexadecimal(at: &place, end)
        if 0xd800..<0xdc00 ~= code {
            guard place + 1 < end, view[place] == UInt8(ascii: "\\"),
                view[place + 1] == UInt8(ascii: "u")
            else { throw malformed("half of a surrogate pair") }
            place += 2
            let low = try hexadecimal(at: &place, end)
            guard 0xdc00..<0xe000 ~= low else { throw malformed("half of a surrogate pair") }
            code = 0x1_0000 + (code - 0xd800) << 10 + (low - 0xdc00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw malformed("half of a surrogate pair") }
        return scalar
    }

    private func hexadecimal(at place: inout Int, _ end: Int) throws(IPLDError) -> UInt32 {
        guard end - place >= 4 else { throw malformed("an escape is cut short") }
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(view[place])).hexDigitValue else {
                throw malformed("an escape without digits")
            }
            value = value << 4 | UInt32(digit)
            place += 1
        }
        return value
    }

    // MARK: Numbers and words

    private mutating func number() throws(IPLDError) -> IPLDItem {
        let start = offset
        let isNegative = peek == UInt8(ascii: "-")
        if isNegative { offset += 1 }
        let digits = offset
        let count = skipDigits()
        guard count > 0, count == 1 || view[digits] != UInt8(ascii: "0") else {
            throw malformed("a value that is none, or a number with zeros before it")
        }
        var isFloat = false
        if peek == UInt8(ascii: ".") {
            isFloat = true
            offset += 1
            guard skipDigits() > 0 else { throw malformed("a number without digits") }
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            isFloat = true
            offset += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { offset += 1 }
            guard skipDigits() > 0 else { throw malformed("a number without digits") }
        }
        let text = String(decoding: view[start..<offset].copied, as: UTF8.self)
        if isFloat {
            guard let number = Double(text), number.isFinite else {
                throw malformed("a number beyond 64 bits")
            }
            return IPLDItem(kind: .float, range: start..<offset, value: number.bitPattern)
        }
        return try integer(digits, isNegative)
    }

    private func integer(_ digits: Int, _ isNegative: Bool) throws(IPLDError) -> IPLDItem {
        var magnitude: UInt64 = 0
        for place in digits..<offset {
            let digit = UInt64(view[place] - UInt8(ascii: "0"))
            let (product, isOver) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, isOverAgain) = product.addingReportingOverflow(digit)
            guard !isOver, !isOverAgain else { throw malformed("a number beyond 64 bits") }
            magnitude = sum
        }
        guard isNegative, magnitude > 0 else { return IPLDItem(kind: .integer, value: magnitude) }
        return IPLDItem(kind: .integer, value: magnitude - 1, isNegative: true)
    }

    private mutating func skipDigits() -> Int {
        let start = offset
        while let byte = peek, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte { offset += 1 }
        return offset - start
    }

    private mutating func word(_ word: String, _ item: IPLDItem) throws(IPLDError) -> IPLDItem {
        guard starts(with: word) else { throw malformed("an unknown word") }
        offset += word.utf8.count
        return item
    }

    // MARK: Bytes

    private var peek: UInt8? { offset < view.count ? view[offset] : nil }

    private func starts(with text: String) -> Bool {
        let text = Array(text.utf8)
        guard text.count <= view.count - offset else { return false }
        return text.indices.allSatisfy { view[offset + $0] == text[$0] }
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(IPLDError) {
        guard peek == UInt8(ascii: character) else {
            throw malformed("\"\(character)\" is missing")
        }
        offset += 1
    }

    private mutating func skipSpace() throws(IPLDError) {
        while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 {
            guard !isCanonical else { throw malformed("white space") }
            offset += 1
        }
    }

    private func malformed(_ what: String) -> IPLDError {
        IPLDError(.malformedBlock, "dag-json: \(what), at byte \(offset)")
    }
}

extension [UInt8] {
    /// Whether the bytes are UTF-8.
    fileprivate var isValidUTF8: Bool { String(validating: self, as: UTF8.self) != nil }
}
