/// The properties that tell one version of an object from another.
package struct ObjectVersion: Hashable, Sendable {
    /// The largest validator that is compared, in bytes; a server's longer one is ignored.
    package static let validatorSizeMax = 1024

    /// The strong entity tag, with its quotes; nil if there is none.
    package let tag: String?
    /// The weak entity tag, with `W/`; nil if there is none.
    package let weakTag: String?
    /// The value of `Last-Modified`; nil if there is none.
    package let lastModified: String?

    /// Creates a version from the headers of a response.
    package init(tag: String?, lastModified: String?) {
        let tag = tag.flatMap { Self.isTag($0) ? $0 : nil }
        let isWeak = tag?.utf8.starts(with: "W/".utf8) ?? false
        self.tag = isWeak ? nil : tag
        weakTag = isWeak ? tag : nil
        self.lastModified = lastModified.flatMap { UTCTime(httpDate: $0) == nil ? nil : $0 }
    }

    /// The text that a record keeps; nil if the server gives none.
    package var validator: String? { tag ?? weakTag ?? lastModified }

    /// Returns whether a response with these properties is of another version.
    ///
    /// Properties that one side lacks say nothing. A strong tag decides alone, because two copies of an object on two
    /// servers may differ in their times.
    package func contradicts(_ other: ObjectVersion) -> Bool {
        if let tag, let otherTag = other.tag { return tag != otherTag }
        if let weakTag, let otherTag = other.weakTag, weakTag != otherTag { return true }
        if let lastModified, let otherTime = other.lastModified { return lastModified != otherTime }
        return false
    }

    /// The headers that make a server refuse to send another version.
    package var conditions: [HeaderField] {
        if let tag { return [HeaderField("If-Match", tag)] }
        if let lastModified { return [HeaderField("If-Unmodified-Since", lastModified)] }
        return []
    }

    /// Returns whether `text` is a quoted string of visible characters, possibly behind `W/`.
    ///
    /// Source: RFC 9110, section 8.8.3.
    private static func isTag(_ text: String) -> Bool {
        var bytes = text.utf8[...]
        guard bytes.count <= validatorSizeMax else { return false }
        if bytes.starts(with: "W/".utf8) { bytes = bytes.dropFirst(2) }
        let quote = UInt8(ascii: "\"")
        guard bytes.count >= 2, bytes.first == quote, bytes.last == quote else { return false }
        return bytes.dropFirst().dropLast().allSatisfy { $0 > 0x20 && $0 != quote && $0 != 0x7f }
    }
}

/// A header of a request.
///
/// Its description hides the value, which may be a credential.
package struct HeaderField: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// The name.
    package let name: String
    /// The value.
    package let value: String

    /// Creates a header.
    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// The name.
    package var description: String { "\(name): ..." }
    /// The name, without the value.
    package var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}
