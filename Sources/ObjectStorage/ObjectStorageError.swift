/// An error of an object store, or of the way to it.
///
/// The text names the object without its query, and holds neither credentials, headers nor signatures. Two errors are
/// equal when their codes are equal.
///
/// | code                 | cause                                               | retried |
/// |----------------------|-----------------------------------------------------|---------|
/// | `malformedURL`       | the text is no URL of an object                     | no      |
/// | `targetRefused`      | the policy refuses the address, or the redirect     | no      |
/// | `tooManyRedirects`   | the redirects exceed the limit                      | no      |
/// | `notFound`           | 404 or 410                                          | no      |
/// | `accessDenied`       | 401 or 403                                          | no      |
/// | `credentialsExpired` | the service says that the session token has expired | once    |
/// | `throttled`          | 429, or 503 with `SlowDown`                         | yes     |
/// | `unavailable`        | 500, 502, 503 or 504                                | yes     |
/// | `unreachable`        | the connection failed                               | yes     |
/// | `timedOut`           | the server was too slow                             | yes     |
/// | `truncated`          | the body ended before the announced size            | yes     |
/// | `overlong`           | the body exceeded the announced size                | no      |
/// | `sourceChanged`      | a validator or the size differs                     | no      |
/// | `rangeRefused`       | the server sent the whole object                    | no      |
/// | `malformedResponse`  | the response contradicts HTTP                       | no      |
/// | `rejected`           | any other status                                    | no      |
/// | `limitExceeded`      | too many requests wait                              | no      |
/// | `noCredentials`      | no source has credentials, or they are malformed    | no      |
/// | `noBucket`           | 404 with `NoSuchBucket`                             | no      |
/// | `full`               | 507, or a quota is used up                          | no      |
package struct ObjectStorageError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of error.
    package enum Code: String, CaseIterable, Sendable {
        case malformedURL, targetRefused, tooManyRedirects, notFound, accessDenied
        case credentialsExpired, throttled, unavailable, unreachable, timedOut, truncated
        case overlong, sourceChanged, rangeRefused, malformedResponse, rejected, limitExceeded
        case noCredentials, noBucket, full
    }

    /// The kind of error.
    package let code: Code
    /// The sentence for people.
    package let detail: String
    /// The time that the server asks the client to wait; nil if it does not ask.
    package let retryAfter: Duration?

    /// Creates an error.
    package init(_ code: Code, _ detail: String, retryAfter: Duration? = nil) {
        self.code = code
        self.detail = detail
        self.retryAfter = retryAfter
    }

    /// Whether the same request may succeed later.
    package var isTransient: Bool {
        switch code {
        case .throttled, .unavailable, .unreachable, .timedOut, .truncated: true
        default: false
        }
    }

    /// Compares the codes.
    package static func == (one: Self, other: Self) -> Bool { one.code == other.code }
    /// The sentence for people.
    package var description: String { detail }
}
