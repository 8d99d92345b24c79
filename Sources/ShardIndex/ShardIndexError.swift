/// Why a shard's index could not be read or built.
///
/// Two errors are equal when their codes are.
package struct ShardIndexError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong.
    package enum Code: String, Sendable {
        /// The bytes of a page, a root page or a locator segment are not what was written.
        case malformed
        /// More sections, larger offsets or larger digests than the format holds.
        case limitExceeded
        /// Whoever stores the index could not; see `underlying`.
        case storage
    }

    /// The kind of error.
    package let code: Code
    /// What was found, for people.
    package let detail: String
    /// The error of whoever stores the index.
    package let underlying: (any Error)?

    @inline(never)
    package init(_ code: Code, _ detail: String, underlying: (any Error)? = nil) {
        self.code = code
        self.detail = detail
        self.underlying = underlying
    }

    package static func == (one: Self, other: Self) -> Bool { one.code == other.code }
    package var description: String { "\(code.rawValue): \(detail)" }
}
