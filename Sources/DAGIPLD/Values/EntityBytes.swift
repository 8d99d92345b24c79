/// A range of a file's bytes, as a gateway's `entity-bytes` and `dagstore export --bytes` give it.
///
/// ```
/// FROM:TO     both inclusive; negative: from the end; TO may be `*`, the end
/// 0:*         the whole file
/// -1024:*     the last 1,024 bytes
/// 499:-1000   from byte 499 to the one that is 1,000 bytes before the end
/// ```
///
/// Source: IPFS specifications, "Trustless Gateway", `entity-bytes`.
public struct EntityBytes: Hashable, Sendable, CustomStringConvertible {
    /// The first byte; negative numbers count from the end.
    public var from: Int64
    /// The last byte; negative numbers count from the end; nil is the end.
    public var to: Int64?

    /// Creates a range.
    public init(from: Int64, to: Int64? = nil) {
        self.from = from
        self.to = to
    }

    /// Reads `FROM:TO`.
    ///
    /// - Returns: Nil if a number is missing, malformed or beyond 64 bits, or if the range ends before it begins
    ///   whatever the file's size is.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let from = Self.number(parts[0]) else { return nil }
        self.init(from: from)
        guard parts[1] != "*" else { return }
        guard let to = Self.number(parts[1]) else { return nil }
        self.to = to
        guard (from < 0) != (to < 0) || from <= to else { return nil }
    }

    private static func number(_ text: Substring) -> Int64? {
        guard text.first != "+" else { return nil }
        return Int64(text)
    }

    /// Returns the bytes of a file that the range names.
    ///
    /// - Parameter size: The file's size in bytes.
    /// - Returns: The part of the range inside the file; nil if there is none.
    public func range(inFileOf size: UInt64) -> Range<UInt64>? {
        let first = from < 0 ? size - min(size, from.magnitude) : UInt64(from)
        let end: UInt64
        switch to {
        case nil: end = size
        case let last? where last < 0:
            guard last.magnitude <= size else { return nil }
            end = size - last.magnitude + 1
        case let last?: end = min(size, UInt64(last) + 1)
        }
        guard first < end else { return nil }
        return first..<end
    }

    /// The range as `FROM:TO`.
    public var description: String { "\(from):" + (to.map { "\($0)" } ?? "*") }
}
