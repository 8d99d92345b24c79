internal import DAGBytes
internal import DAGHashing

/// The name of one representation, for caches.
package struct EntityTag: Sendable, Equatable, CustomStringConvertible {
    /// Whether equal tags promise equal meaning only, not equal bytes.
    package var isWeak: Bool
    /// The text between the quotation marks.
    package var opaque: String

    /// Creates a tag.
    package init(_ opaque: String, isWeak: Bool = false) {
        self.opaque = opaque
        self.isWeak = isWeak
    }

    /// The tag as a field has it.
    package var description: String { isWeak ? "W/\"\(opaque)\"" : "\"\(opaque)\"" }

    /// Returns a short text that differs when `text` differs.
    ///
    /// The key is public and constant, so that the tags of two servers agree.
    static func digest(of text: String) -> String {
        let hash = Array(text.utf8).withView { KeyedHash(key: (0x6461_6773, 0x746f_7265)).hash($0) }
        return hexadecimal(hash.high) + hexadecimal(hash.low)
    }

    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// What an `If-None-Match` field says.
package enum TagCondition: Sendable, Equatable {
    /// `*`: the client has some representation.
    case any
    /// The tags that the client has, without their strength: the comparison is weak.
    case tags([String])

    /// The most tags that are read of one field.
    static let tagsMax = 256

    /// Reads the value of an `If-None-Match` field.
    ///
    /// - Returns: The condition; nil if the text is malformed, which makes the field void.
    package init?(field text: String) {
        let bytes = Array(text.utf8)
        var place = 0
        var tags: [String] = []
        func skipSpace() {
            while place < bytes.count, bytes[place] == 0x20 || bytes[place] == 0x09 { place += 1 }
        }
        skipSpace()
        if place < bytes.count, bytes[place] == UInt8(ascii: "*") {
            place += 1
            skipSpace()
            guard place == bytes.count else { return nil }
            self = .any
            return
        }
        while place < bytes.count, tags.count < Self.tagsMax {
            if bytes[place] == UInt8(ascii: ",") {
                place += 1
                skipSpace()
                continue
            }
            if bytes[place...].starts(with: Array("W/".utf8)) { place += 2 }
            guard place < bytes.count, bytes[place] == UInt8(ascii: "\"") else { return nil }
            let start = place + 1
            guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\"")) else { return nil }
            tags.append(String(decoding: bytes[start..<end], as: UTF8.self))
            place = end + 1
            skipSpace()
            guard place == bytes.count || bytes[place] == UInt8(ascii: ",") else { return nil }
        }
        guard !tags.isEmpty else { return nil }
        self = .tags(tags)
    }

    /// Whether the client has the representation of `tag`, which exists.
    package func includes(_ tag: EntityTag) -> Bool {
        switch self {
        case .any: true
        case .tags(let tags): tags.contains(tag.opaque)
        }
    }
}
