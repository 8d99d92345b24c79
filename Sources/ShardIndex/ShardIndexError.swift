/// An error in reading or building a shard's index.
///
/// Two errors are equal when their codes are.
public struct ShardIndexError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of error.
    public enum Code: String, Sendable {
        /// The bytes of a page, a root page or a segment are damaged.
        case malformed
        /// A newer version of this program wrote the bytes.
        case unsupportedVersion
        /// The shard has more sections, larger offsets or larger digests than the format can hold.
        case limitExceeded
        /// The sink could not store the index; see `underlying`.
        case storage
    }

    /// The kind of error.
    public let code: Code
    /// A detail for people.
    public let detail: String
    /// The error of the sink.
    public let underlying: (any Error)?

    /// Creates an error with a code.
    @inline(never)
    public init(_ code: Code, _ detail: String, underlying: (any Error)? = nil) {
        self.code = code
        self.detail = detail
        self.underlying = underlying
    }

    /// Compares the codes.
    public static func == (one: Self, other: Self) -> Bool { one.code == other.code }
    /// The code and the detail.
    public var description: String { "\(code.rawValue): \(detail)" }
}
