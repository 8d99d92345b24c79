/// The parts of an HTTP request that a gateway looks at, as values.
///
/// Fields that a request repeats are joined with commas, as RFC 9110, section 5.3, says.
package struct GatewayRequest: Sendable, Equatable {
    /// The request methods that a gateway tells apart.
    package enum Method: Sendable, Equatable {
        case get, head, options
        /// Any other method.
        case other
    }

    /// The method.
    package var method: Method
    /// The request target: path and query as the client sent them, still percent-encoded.
    package var target: String
    /// The field `Accept`.
    package var accept: String?
    /// The field `Cache-Control`.
    package var cacheControl: String?
    /// The field `If-None-Match`.
    package var ifNoneMatch: String?
    /// The field `If-Range`.
    package var ifRange: String?
    /// The field `Range`.
    package var range: String?

    /// Creates a request.
    package init(
        _ method: Method,
        _ target: String,
        accept: String? = nil,
        cacheControl: String? = nil,
        ifNoneMatch: String? = nil,
        ifRange: String? = nil,
        range: String? = nil
    ) {
        self.method = method
        self.target = target
        self.accept = accept
        self.cacheControl = cacheControl
        self.ifNoneMatch = ifNoneMatch
        self.ifRange = ifRange
        self.range = range
    }
}
