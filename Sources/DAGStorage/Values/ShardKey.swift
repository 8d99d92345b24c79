internal import DAGCatalog

/// The name of a shard: 1 to 480 bytes of UTF-8 without NUL.
///
/// Keys are compared byte by byte, and the store never makes paths of them: `../x`, `a/b`, spaces and newlines are
/// valid keys.
public struct ShardKey: Hashable, Sendable, CustomStringConvertible {
    /// The longest key in bytes.
    public static let sizeMax = ShardRecord.keySizeMax

    /// The text.
    public let text: String

    /// Creates a key.
    ///
    /// - Throws: `invalidKey`.
    public init(_ text: String) throws {
        guard !text.isEmpty else { throw DAGStoreError(.invalidKey, "a key is empty") }
        guard text.utf8.count <= Self.sizeMax else {
            throw DAGStoreError(
                .invalidKey,
                "a key of \(text.utf8.count) bytes; at most \(Self.sizeMax) are possible"
            )
        }
        guard !Self.hasNUL(text) else { throw DAGStoreError(.invalidKey, "a key with a NUL") }
        self.text = text
    }

    private static func hasNUL(_ text: String) -> Bool {
        let bytes = text.utf8.span
        for index in bytes.indices where bytes[index] == 0 { return true }
        return false
    }

    /// Creates a key from the catalog, which has only valid keys.
    init(stored text: String) { self.text = text }

    /// Compares the bytes; Unicode's canonical equivalence does not make two keys one.
    public static func == (one: ShardKey, other: ShardKey) -> Bool {
        let mine = one.text.utf8.span
        let its = other.text.utf8.span
        guard mine.count == its.count else { return false }
        for index in mine.indices where mine[index] != its[index] { return false }
        return true
    }

    /// Hashes the text; keys with equal bytes have equal texts.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(text)
    }

    /// The text.
    public var description: String { text }
}
