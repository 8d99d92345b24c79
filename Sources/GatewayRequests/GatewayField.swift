/// One field of an answer's head.
package struct GatewayField: Sendable, Equatable {
    /// The field names that a gateway sends.
    package enum Name: String, Sendable, CaseIterable {
        case acceptRanges = "Accept-Ranges"
        case allow = "Allow"
        case allowHeaders = "Access-Control-Allow-Headers"
        case allowMethods = "Access-Control-Allow-Methods"
        case allowOrigin = "Access-Control-Allow-Origin"
        case cacheControl = "Cache-Control"
        case contentDisposition = "Content-Disposition"
        case contentLength = "Content-Length"
        case contentLocation = "Content-Location"
        case contentRange = "Content-Range"
        case contentType = "Content-Type"
        case contentTypeOptions = "X-Content-Type-Options"
        case entityTag = "Etag"
        case exposeHeaders = "Access-Control-Expose-Headers"
        case ipfsPath = "X-Ipfs-Path"
        case ipfsRoots = "X-Ipfs-Roots"
        case location = "Location"
        case maxAge = "Access-Control-Max-Age"
        case requestID = "X-Request-Id"
        case retryAfter = "Retry-After"
        case vary = "Vary"
    }

    /// The name.
    package var name: Name
    /// The value: visible ASCII characters and spaces.
    package var value: String

    /// Creates a field.
    package init(_ name: Name, _ value: String) {
        self.name = name
        self.value = value
    }

    /// The fields that every answer has: they let scripts of any origin read it.
    ///
    /// Source: gateway-conformance, `TestCors`.
    package static let always = [
        GatewayField(.allowOrigin, "*"),
        GatewayField(.allowMethods, "GET, HEAD, OPTIONS"),
        GatewayField(.allowHeaders, "Content-Type, Range, User-Agent, X-Requested-With"),
        GatewayField(
            .exposeHeaders,
            "Content-Range, Content-Length, X-Ipfs-Path, X-Ipfs-Roots, X-Chunked-Output, "
                + "X-Stream-Output, Ipfs-Uri"
        ),
        GatewayField(.contentTypeOptions, "nosniff"),
    ]

    /// The methods that a gateway answers.
    package static let methods = GatewayField(.allow, "GET, HEAD, OPTIONS")
    /// What an address with immutable content says to caches.
    package static let immutable = GatewayField(
        .cacheControl,
        "public, max-age=29030400, immutable"
    )
}
