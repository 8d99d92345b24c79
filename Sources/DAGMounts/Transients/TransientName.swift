internal import DAGBytes
internal import DAGHashing

/// The file name of a transient.
///
/// It is never the key, which may have `/` and `..`.
///
/// *Shape*: 32 lower-case hexadecimal digits, the first 16 bytes of the key's SHA-256; `-`; the shard's number in
/// lower-case hexadecimal without leading zeros. A complete transient then has `.complete`. One that is being written
/// has `.`, 16 digits for the opening of the store, and `.partial`; earlier versions leave out the opening.
package struct TransientName: Hashable, Sendable, CustomStringConvertible {
    /// 32 hexadecimal digits.
    package let hash: String
    /// The shard's number.
    package let number: UInt32

    /// Creates the name of a shard's transient.
    ///
    /// - Parameters:
    ///   - key: The shard's key.
    ///   - number: The shard's number, which differs from those of earlier shards with the key.
    package init(key: String, number: UInt32) {
        let digest = Array(key.utf8).withView { BlockHash.digest(0x12, of: $0) ?? [] }
        hash = digest.withView { $0[0..<16].hexadecimal }
        self.number = number
    }

    private init(hash: String, number: UInt32) {
        self.hash = hash
        self.number = number
    }

    /// Returns random digits that identify an opening of a store.
    package static func newOpening() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Parses a file name; nil unless it has exactly this shape.
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
        // Names with leading zeros, signs or capitals do not belong to this store.
        guard name.description.utf8.elementsEqual(stem) else { return nil }
        return (name, isComplete)
    }

    /// The name without its suffix.
    package var description: String { "\(hash)-\(String(number, radix: 16))" }

    /// The file name of a complete transient.
    package var fileName: String { description + Self.completeSuffix }

    /// Returns the file name of a transient that is being written.
    ///
    /// - Parameter opening: 16 lower-case hexadecimal digits, unique to this opening of the store.
    /// - Returns: The file name.
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
