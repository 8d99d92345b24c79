/// A request as it goes out, without the headers that every request has.
struct RequestPlan: Sendable {
    /// The methods that this package sends.
    enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case put = "PUT"
        case post = "POST"
        case delete = "DELETE"

        /// Whether the request may be sent twice.
        ///
        /// Source: RFC 9110, section 9.2.2.
        var isIdempotent: Bool { self != .post }
    }

    /// The method.
    var method: Method
    /// The headers.
    var headers: [HeaderField] = []
    /// The body; nil if there is none.
    var body: [UInt8]?
}

/// The attempts of one request.
struct RequestRun {
    private let clock = ContinuousClock()
    private let allowance: Duration
    private var end: ContinuousClock.Instant?
    private var progress: UInt64 = 0
    /// The attempts since the last progress.
    private(set) var attempts = 0
    /// Whether the request may be sent again.
    private(set) var isIdempotent = true
    /// Whether the credentials were asked for again.
    var hasNewCredentials = false

    /// Creates a run whose time begins with its first attempt.
    init(_ allowance: Duration) { self.allowance = allowance }

    /// Begins an attempt, or the next hop of one.
    ///
    /// - Returns: The time that is left.
    mutating func begin(_ plan: RequestPlan) -> Duration {
        isIdempotent = plan.method.isIdempotent
        let end = end ?? clock.now + allowance
        self.end = end
        return clock.now.duration(to: end)
    }

    /// Counts an attempt that failed; after enough progress, attempts and time begin again.
    mutating func recordFailure(progress: UInt64, _ policy: RetryPolicy) {
        if progress >= self.progress + policy.progressSize {
            self.progress = progress
            attempts = 0
            end = clock.now + allowance
        }
        attempts += 1
    }

    /// Returns whether the time lasts longer than `pause`.
    func hasTime(for pause: Duration) -> Bool {
        guard let end else { return true }
        return clock.now + pause < end
    }
}
