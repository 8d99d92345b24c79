/// Reads the elements of an XML answer whose texts lie in its innermost elements.
///
/// *Shape*: elements, text with the five named entities and numbers of characters, comments and processing
/// instructions. Attributes are skipped, and so are prefixes of names. Document types and CDATA are refused.
///
/// *Limits*: `depthMax` elements inside each other, names of `nameSizeMax` bytes, texts of `textSizeMax` bytes.
struct FlatXML {
    /// An element that has ended.
    struct Element: Equatable {
        /// The names from the root to the element.
        let path: [String]
        /// The text after the last inner element.
        let text: String
    }

    static let depthMax = 16
    static let nameSizeMax = 128
    static let textSizeMax = 8192

    private let bytes: [UInt8]
    private var offset = 0
    private var path: [String] = []
    private var text: [UInt8] = []
    private var hasRoot = false

    /// Creates a reader.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func malformed(_ problem: String) -> ObjectStorageError {
        ObjectStorageError(
            .malformedResponse,
            "request: the XML of the answer is malformed: \(problem)"
        )
    }

    /// Reads on to the end of the next element.
    ///
    /// - Returns: The element; nil at the end of the bytes.
    /// - Throws: `.malformedResponse`.
    mutating func next() throws(ObjectStorageError) -> Element? {
        while offset < bytes.count {
            guard bytes[offset] == UInt8(ascii: "<") else {
                try readText()
                continue
            }
            if isAt("<?") {
                try skip(through: "?>")
            } else if isAt("<!--") {
                try skip(through: "-->")
            } else if isAt("</") {
                offset += 2
                let name = try readName()
                guard name == path.last else { throw Self.malformed("another element ends") }
                try skip(through: ">")
                return ended()
            } else if try begin() {
                return ended()
            }
        }
        guard path.isEmpty, hasRoot else { throw Self.malformed("it ends early") }
        return nil
    }

    private mutating func ended() -> Element {
        defer {
            path.removeLast()
            text = []
        }
        return Element(path: path, text: String(decoding: text, as: UTF8.self))
    }

    /// Reads the beginning of an element.
    ///
    /// - Returns: Whether the element is empty, and so ends.
    private mutating func begin() throws(ObjectStorageError) -> Bool {
        offset += 1
        let name = try readName()
        guard path.count < Self.depthMax, !(path.isEmpty && hasRoot) else {
            throw Self.malformed(
                "it has too many elements inside each other, or more than one root"
            )
        }
        let start = offset
        try skip(through: ">")
        hasRoot = true
        path.append(name)
        text = []
        return offset - 2 >= start && bytes[offset - 2] == UInt8(ascii: "/")
    }

    /// Reads a name without its prefix.
    private mutating func readName() throws(ObjectStorageError) -> String {
        let rest = bytes[offset...].prefix(Self.nameSizeMax)
        let name = rest.prefix { $0.isLetterOrDigit || "-._:".utf8.contains($0) }
        guard !name.isEmpty, name.count < Self.nameSizeMax else {
            throw Self.malformed("an element has no name")
        }
        offset += name.count
        let local = name.split(separator: UInt8(ascii: ":")).last ?? []
        return String(decoding: local, as: UTF8.self)
    }

    private func isAt(_ mark: String) -> Bool { bytes[offset...].starts(with: mark.utf8) }

    private mutating func skip(through mark: String) throws(ObjectStorageError) {
        while offset < bytes.count {
            if isAt(mark) {
                offset += mark.utf8.count
                return
            }
            offset += 1
        }
        throw Self.malformed("it ends early")
    }

    // MARK: Text

    private mutating func readText() throws(ObjectStorageError) {
        while offset < bytes.count, bytes[offset] != UInt8(ascii: "<") {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "&") {
                try readEntity()
            } else {
                offset += 1
                text.append(byte)
            }
            guard text.count <= Self.textSizeMax else { throw Self.malformed("a text is too long") }
        }
    }

    private static let entities: [String: UInt8] = [
        "amp": UInt8(ascii: "&"), "lt": UInt8(ascii: "<"), "gt": UInt8(ascii: ">"),
        "quot": UInt8(ascii: "\""), "apos": UInt8(ascii: "'"),
    ]

    private mutating func readEntity() throws(ObjectStorageError) {
        let name = bytes[(offset + 1)...].prefix(10).prefix { $0 != UInt8(ascii: ";") }
        let end = offset + 1 + name.count
        guard end < bytes.count, bytes[end] == UInt8(ascii: ";") else {
            throw Self.malformed("an entity does not end")
        }
        offset = end + 1
        let word = String(decoding: name, as: UTF8.self)
        if let byte = Self.entities[word] { return text.append(byte) }
        let number: UInt32? =
            if word.hasPrefix("#x") {
                UInt32(word.dropFirst(2), radix: 16)
            } else if word.hasPrefix("#") {
                UInt32(word.dropFirst(), radix: 10)
            } else {
                nil
            }
        guard let scalar = number.flatMap(Unicode.Scalar.init) else {
            throw Self.malformed("an entity is unknown")
        }
        text += Array(String(Character(scalar)).utf8)
    }
}
