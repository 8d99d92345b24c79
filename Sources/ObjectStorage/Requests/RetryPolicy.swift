/// When a client repeats a request that failed for a transient reason.
package struct RetryPolicy: Sendable {
    /// The attempts in a row without progress, the first included.
    package var attemptsMax = 6
    /// The pause before the second attempt; each later pause is twice as long.
    package var pauseMin: Duration = .milliseconds(100)
    /// The longest pause that the client chooses itself.
    package var pauseMax: Duration = .seconds(10)
    /// The time for all attempts, from the first request on.
    package var deadline: Duration = .seconds(60)
    /// The bytes after which a request counts as having made progress, so that its attempts and its time begin again.
    package var progressSize: UInt64 = 65_536

    /// Creates the usual policy.
    package init() {}

    /// Returns the pause after an attempt that failed.
    ///
    /// - Parameters:
    ///   - attempt: The attempt that failed, from 1.
    ///   - retryAfter: The time that the server asked for.
    ///   - jitter: A random number from 0 to 1. Half of the pause is random, so that clients do not return together.
    /// - Returns: The pause; at least `retryAfter`.
    package func pause(after attempt: Int, retryAfter: Duration?, jitter: Double) -> Duration {
        let doublings = min(max(attempt - 1, 0), 30)
        let whole = min(pauseMax, pauseMin * (1 << doublings))
        let pause = whole / 2 + whole / 2 * min(max(jitter, 0), 1)
        return max(pause, retryAfter ?? .zero)
    }

    /// Reads the value of a `Retry-After` header: seconds, or a date that counts from the response's own `Date`.
    ///
    /// - Returns: The time, at most a day; nil if the header is malformed.
    package static func retryAfter(_ value: String?, date: String?) -> Duration? {
        guard let value, value.utf8.count <= 64 else { return nil }
        let dayInSeconds: Int64 = 86_400
        if let seconds = ContentRange.number(value.utf8) {
            return .seconds(min(Int64(seconds), dayInSeconds))
        }
        guard let end = UTCTime(httpDate: value), let start = date.flatMap(UTCTime.init(httpDate:))
        else { return nil }
        return .seconds(min(max(end.seconds - start.seconds, 0), dayInSeconds))
    }
}
