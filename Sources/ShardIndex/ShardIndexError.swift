/// Why a shard's index could not be read or built.
///
/// Two errors are equal when their codes are.
public struct ShardIndexError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong.
    public enum Code: String, Sendable {
        /// The bytes of a page, a root page or a locator segment are not what was written.
        case malformed
        /// A newer version of this program wrote them.
        case unsupportedVersion
        /// More sections, larger offsets or larger digests than the format holds.
        case limitExceeded
        /// Whoever stores the index could not; see `underlying`.
        case storage
    }

    /// The kind of error.
    public let code: Code
    /// What was found, for people.
    public let detail: String
    /// The error of whoever stores the index.
    public let underlying: (any Error)?

    /// An error with a code.
    @inline(never)
    public init(_ code: Code, _ detail: String, underlying: (any Error)? = nil) {
        self.code = code
        self.detail = detail
        self.underlying = underlying
    }

    /// Compares the codes.
    public static func == (one: Self, other: Self) -> Bool { one.code == other.code }
    /// The code and what was found.
    public var description: String { "\(code.rawValue): \(detail)" }
}
