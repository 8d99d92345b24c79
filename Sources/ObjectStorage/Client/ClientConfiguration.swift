/// The limits of a client.
package struct ClientConfiguration: Sendable {
    /// The requests that run at once for each host; half of them can be of one class.
    package var connectionsPerHost = 16
    /// The redirects that a request follows.
    package var redirectsMax = 5
    /// The networks that the client may reach.
    package var targets: TargetPolicy = .global
    /// Whether the policy looks at names and addresses before it looks at connections; tests look at connections only.
    var checksNames = true
    /// When a request is repeated.
    package var retries = RetryPolicy()
    /// The time to make a connection.
    package var connectTimeout: Duration = .seconds(10)
    /// The longest time without a packet.
    package var silenceMax: Duration = .seconds(15)
    /// The time in which a body must bring `progressBytesMin`.
    package var progressWindow: Duration = .seconds(10)
    /// The least bytes of a body in each `progressWindow`.
    package var progressBytesMin = 8192

    /// Creates the usual limits.
    package init() {}
}
