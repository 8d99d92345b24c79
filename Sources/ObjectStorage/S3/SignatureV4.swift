internal import DAGBytes

/// The signature of a request to a service of AWS, and to stores that speak S3.
///
/// Source: "AWS Signature Version 4 for API requests".
package struct SignatureV4: Sendable {
    /// The algorithm's name.
    package static let algorithm = "AWS4-HMAC-SHA256"

    /// The region, such as `us-east-1`.
    package let region: String
    /// The service, `s3`.
    package let service: String

    /// A request before it is signed.
    package struct Request: Sendable {
        /// The method, in upper case.
        package var method: String
        /// The escaped path.
        ///
        /// S3 signs it as it is; other services normalize and escape it again.
        package var path: String
        /// The escaped query; nil if there is none.
        package var query: String?
        /// All headers that are signed, `Host` among them.
        package var headers: [HeaderField]
        /// The SHA-256 of the body in hexadecimal digits, or `UNSIGNED-PAYLOAD`.
        package var payloadHash: String

        /// Creates a request.
        package init(
            method: String,
            path: String,
            query: String? = nil,
            headers: [HeaderField],
            payloadHash: String
        ) {
            self.method = method
            self.path = path
            self.query = query
            self.headers = headers
            self.payloadHash = payloadHash
        }
    }

    /// Creates a signer of requests to one service in one region.
    package init(region: String, service: String) {
        self.region = region
        self.service = service
    }

    /// Returns the value of the `Authorization` header.
    package func authorization(
        for request: Request,
        with credentials: S3Credentials,
        at time: UTCTime
    ) -> String {
        let scope = scope(at: time)
        let signature = signature(of: stringToSign(request, at: time), credentials, at: time)
        return "\(Self.algorithm) Credential=\(credentials.accessKey)/\(scope), "
            + "SignedHeaders=\(signedHeaders(of: request)), Signature=\(signature)"
    }

    // MARK: Steps

    func canonicalRequest(_ request: Request) -> String {
        let headers = canonicalHeaders(of: request).map { "\($0.name):\($0.value)\n" }
        return [
            request.method, request.path, Self.canonicalQuery(request.query), headers.joined(),
            signedHeaders(of: request), request.payloadHash,
        ].joined(separator: "\n")
    }

    func stringToSign(_ request: Request, at time: UTCTime) -> String {
        [
            Self.algorithm, time.basic, scope(at: time),
            SHA256.hexadecimal(canonicalRequest(request)),
        ].joined(separator: "\n")
    }

    private func signature(
        of text: String,
        _ credentials: S3Credentials,
        at time: UTCTime
    ) -> String {
        var key = Array("AWS4\(credentials.secretKey)".utf8)
        for part in [day(of: time), region, service, "aws4_request"] {
            key = SHA256.keyed(key, Array(part.utf8))
        }
        return SHA256.keyed(key, Array(text.utf8)).withView { $0.hexadecimal }
    }

    private func scope(at time: UTCTime) -> String {
        "\(day(of: time))/\(region)/\(service)/aws4_request"
    }

    private func day(of time: UTCTime) -> String {
        String(decoding: time.basic.utf8.prefix(8), as: UTF8.self)
    }

    private func signedHeaders(of request: Request) -> String {
        canonicalHeaders(of: request).map { $0.name }.joined(separator: ";")
    }

    /// Returns the headers by name in lower case; values of one name are joined in their order.
    private func canonicalHeaders(of request: Request) -> [HeaderField] {
        var values: [String: [String]] = [:]
        for header in request.headers {
            values[header.name.lowercased(), default: []].append(Self.trimmed(header.value))
        }
        return values.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { name in
            HeaderField(name, (values[name] ?? []).joined(separator: ","))
        }
    }

    /// Returns the value without blanks at its ends, and with single blanks inside.
    private static func trimmed(_ value: String) -> String {
        value.utf8.split { $0 == 0x20 || $0 == 0x09 }
            .map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    }

    /// Returns the query's fields in the order of their bytes; a field without `=` gets one.
    private static func canonicalQuery(_ query: String?) -> String {
        guard let query, !query.isEmpty else { return "" }
        let fields = query.utf8.split(separator: UInt8(ascii: "&")).map { field in
            let name = field.prefix { $0 != UInt8(ascii: "=") }
            let value = field[name.endIndex...].dropFirst()
            return (name: Array(name), value: Array(value))
        }
        let sorted = fields.sorted { one, other in
            if one.name != other.name { return one.name.lexicographicallyPrecedes(other.name) }
            return one.value.lexicographicallyPrecedes(other.value)
        }
        return sorted.map { field in
            String(decoding: field.name + [UInt8(ascii: "=")] + field.value, as: UTF8.self)
        }.joined(separator: "&")
    }
}
