internal import DAGBytes

/// The secret key of a store's keyed hash.
///
/// Stores that exchange indexes have the same key, because an index is ordered by the keyed hash.
///
/// *Concurrency*: a value; any thread.
package struct HashKey: Equatable, Sendable {
    /// The size of a key in bytes.
    package static let size = 16
    /// The size of an identifier in bytes.
    package static let idSize = 16
    /// The text that `id` hashes before the key, so that no other digest equals the identifier.
    private static let idPrefix = "dagstore hash key\n"

    private let first: UInt64
    private let second: UInt64

    /// Creates a key from its first and second eight bytes, each little-endian.
    package init(words: (UInt64, UInt64)) {
        first = words.0
        second = words.1
    }

    /// Creates a key from 16 bytes.
    ///
    /// - Returns: The key; nil if `bytes` has another size.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size else { return nil }
        self.init(words: bytes.withView { ($0.loadUInt64(at: 0), $0.loadUInt64(at: 8)) })
    }

    /// Creates the key of a hash.
    package init(of hash: KeyedHash) { self.init(words: hash.key) }

    /// Returns a new key from the system's random numbers.
    package static func random() -> HashKey {
        HashKey(words: (.random(in: 0...UInt64.max), .random(in: 0...UInt64.max)))
    }

    /// The first and the second eight bytes, each little-endian.
    package var words: (UInt64, UInt64) { (first, second) }

    /// The 16 bytes of the key.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: first)
        bytes.append(littleEndian: second)
        return bytes
    }

    /// The identifier of the key: the first 16 bytes of the SHA-256 of a fixed text and the key.
    ///
    /// Equal identifiers mean equal keys, and an identifier does not reveal its key.
    package var id: [UInt8] {
        var hash = SHA256Stream()
        Array(Self.idPrefix.utf8).withView { hash.update($0) }
        bytes.withView { hash.update($0) }
        return Array(hash.finish().prefix(Self.idSize))
    }
}
