internal import DAGBytes
internal import DAGHashing

/// What a transient is called on disk: never the key itself, which may hold `/` and `..`.
///
/// *Shape*: 32 lower-case hexadecimal digits, the first 16 bytes of the SHA-256 of the key; `-`; the
/// shard's number in lower-case hexadecimal without leading zeros; `.complete` for a whole copy. For one that is being
/// written `.`, 16 digits that name the opening of the store, and `.partial`; earlier programs left the opening out.
package struct TransientName: Hashable, Sendable, CustomStringConvertible {
    /// 32 hexadecimal digits.
    package let hash: String
    /// The shard's number.
    package let number: UInt32

    /// The name of the transient of a shard.
    ///
    /// - Parameters:
    ///   - key: The shard's key.
    ///   - number: The shard's number, which tells it from earlier shards of the same key.
    package init(key: String, number: UInt32) {
        let digest = Array(key.utf8).withView { BlockHash.digest(0x12, of: $0) ?? [] }
        hash = digest.withView { $0[0..<16].hexadecimal }
        self.number = number
    }

    private init(hash: String, number: UInt32) {
        self.hash = hash
        self.number = number
    }

    /// Digits that no other opening of a store has.
    package static func newOpening() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// What a file name says, if it is exactly one of ours.
    package static func parse(_ fileName: String) -> (name: TransientName, isComplete: Bool)? {
        let isComplete = fileName.hasSuffix(completeSuffix)
        let suffix = isComplete ? completeSuffix : partialSuffix
        guard fileName.hasSuffix(suffix) else { return nil }
        var stem = fileName.utf8.dropLast(suffix.utf8.count)
        if !isComplete, let dot = stem.lastIndex(of: UInt8(ascii: ".")) {
            let opening = stem[stem.index(after: dot)...]
            guard opening.count == 16, opening.allSatisfy(Self.isDigit) else { return nil }
            stem = stem[..<dot]
        }
        let parts = stem.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].count == 32 else { return nil }
        guard let hash = String(parts[0]), let number = String(parts[1]) else { return nil }
        guard hash.utf8.allSatisfy(Self.isDigit), let number = UInt32(number, radix: 16) else {
            return nil
        }
        let name = TransientName(hash: hash, number: number)
        // Leading zeros, signs and capitals are somebody else's.
        guard name.description.utf8.elementsEqual(stem) else { return nil }
        return (name, isComplete)
    }

    /// The name without what says whether it is whole.
    package var description: String { "\(hash)-\(String(number, radix: 16))" }

    /// The file's name, of a copy that is whole.
    package var fileName: String { description + Self.completeSuffix }

    /// The file's name while it is written.
    ///
    /// - Parameter opening: 16 lower-case hexadecimal digits, which no other opening of the store has.
    /// - Returns: The name.
    package func partialFileName(of opening: String) -> String {
        "\(description).\(opening)\(Self.partialSuffix)"
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        default: false
        }
    }

    private static let completeSuffix = ".complete"
    private static let partialSuffix = ".partial"
}
