/// A source of the headers that prove who sends a request.
package protocol RequestAuthorizer: Sendable {
    /// Returns the headers to add to a request.
    ///
    /// - Parameters:
    ///   - method: The method, in upper case.
    ///   - url: The URL; on the server of the object itself, never behind a redirect to another one.
    ///   - headers: The other headers of the request.
    /// - Returns: The headers.
    /// - Throws: `.noCredentials`; the errors of a request for credentials.
    func fields(
        for method: String,
        _ url: ObjectURL,
        _ headers: [HeaderField]
    ) async throws -> [HeaderField]

    /// Forgets credentials that the service calls expired.
    func forgetCredentials() async

    /// Looks for other credentials than those that the service refused.
    ///
    /// - Returns: Whether there are others now.
    func renewCredentials() async -> Bool
}

/// The same headers for every request.
package struct FixedFields: RequestAuthorizer {
    private let fields: [HeaderField]

    /// Creates an authorizer.
    package init(_ fields: [HeaderField]) { self.fields = fields }

    /// Returns the headers.
    package func fields(
        for method: String,
        _ url: ObjectURL,
        _ headers: [HeaderField]
    ) async throws -> [HeaderField] { fields }

    /// Does nothing.
    package func forgetCredentials() async {}

    /// There are no others.
    package func renewCredentials() async -> Bool { false }
}

/// An object, and all that a request for it needs.
package struct ObjectTarget: Sendable {
    /// The URL.
    package let url: ObjectURL
    /// The source of the headers that prove who asks; nil for a public object.
    package let authorizer: (any RequestAuthorizer)?
    /// The counters of the requests and bytes.
    package var counters: TransferCounters
    /// The name in errors.
    package let name: String

    /// Creates a target.
    ///
    /// - Parameters:
    ///   - url: The URL.
    ///   - authorizer: The source of the headers that prove who asks.
    ///   - counters: The counters of the requests and bytes.
    ///   - name: The name in errors; nil for the URL without its query.
    package init(
        _ url: ObjectURL,
        authorizer: (any RequestAuthorizer)? = nil,
        counters: TransferCounters,
        name: String? = nil
    ) {
        self.url = url
        self.authorizer = authorizer
        self.counters = counters
        self.name = name ?? url.description
    }
}

/// The properties of an object that are known without reading it.
package struct ObjectStat: Hashable, Sendable {
    /// Whether a server sends parts of an object.
    package enum Ranges: Sendable {
        /// A response proved it.
        case proven
        /// A header says so, or says nothing.
        case unproven
        /// The server sends the whole object only.
        case refused
    }

    /// The size in bytes; nil if the server does not say.
    package let size: UInt64?
    /// The version.
    package let version: ObjectVersion
    /// Whether the server sends parts.
    package let ranges: Ranges

    /// Creates the properties.
    package init(size: UInt64?, version: ObjectVersion, ranges: Ranges) {
        self.size = size
        self.version = version
        self.ranges = ranges
    }
}
