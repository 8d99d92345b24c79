/// The persisted form of a mount: a scheme, and all that the mount's type needs to create it again.
///
/// *Shape*: `scheme://rest`. The scheme is a lower-case ASCII letter, and then lower-case letters, digits, `+`, `-`
/// and `.`. The rest belongs to the scheme, and may be empty. At most `sizeMax` bytes of UTF-8, none of them zero.
///
/// Two URLs are equal when their bytes are equal: composed and decomposed letters differ.
public struct MountURL: Hashable, Sendable, CustomStringConvertible {
    /// The largest size in bytes, because the record contains the URL.
    public static let sizeMax = 65_536

    /// The whole URL.
    public let text: String
    private let schemeSize: Int

    /// Creates a URL from text.
    ///
    /// - Throws: `.malformedURL`.
    public init(_ text: String) throws(MountError) {
        guard (1...Self.sizeMax).contains(text.utf8.count) else {
            throw MountError(
                .malformedURL,
                "a mount URL has 1 to \(Self.sizeMax) bytes, this one \(text.utf8.count)"
            )
        }
        guard !text.utf8.contains(0) else {
            throw MountError(.malformedURL, "a mount URL with a zero byte")
        }
        guard let separator = Self.separator(in: text) else {
            throw MountError(.malformedURL, "\(text): not a mount URL")
        }
        let scheme = text[..<separator]
        guard Self.isScheme(scheme) else {
            throw MountError(.malformedURL, "\(text): not a valid scheme")
        }
        self.text = text
        schemeSize = scheme.utf8.count
    }

    /// Returns the index of the first `://`.
    ///
    /// Written by hand, because the standard library's search links its whole regular expression engine.
    static func separator(in text: String) -> String.Index? {
        text.utf8.indices.first { text.utf8[$0...].starts(with: "://".utf8) }
    }

    /// Creates a URL from `scheme` and the escaped bytes of `rest`.
    ///
    /// A long `rest` can exceed `sizeMax`; the store then refuses the URL.
    init(scheme: String, escaping rest: [UInt8]) {
        precondition(Self.isScheme(scheme[...]))
        text = scheme + "://" + PercentEscapes.escaped(rest)
        schemeSize = scheme.utf8.count
    }

    /// The scheme, without `://`.
    public var scheme: String { String(decoding: text.utf8.prefix(schemeSize), as: UTF8.self) }

    /// The bytes after `://`.
    package var rest: Substring.UTF8View { text[...].utf8.dropFirst(schemeSize + 3) }

    /// Returns whether `text` is a valid scheme.
    package static func isScheme(_ text: Substring) -> Bool {
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        guard let first = text.utf8.first, letters.contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case letters, UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"),
                UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }

    /// Compares the bytes.
    public static func == (one: Self, other: Self) -> Bool {
        one.text.utf8.elementsEqual(other.text.utf8)
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
    }

    /// The whole URL.
    public var description: String { text }
}
