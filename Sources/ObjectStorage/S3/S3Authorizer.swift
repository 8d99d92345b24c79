/// The signer of requests to a bucket.
package struct S3Authorizer: RequestAuthorizer {
    private let signer: SignatureV4
    private let chain: CredentialsChain
    private let now: @Sendable () -> UTCTime

    /// Creates a signer.
    package init(
        region: String,
        chain: CredentialsChain,
        now: @escaping @Sendable () -> UTCTime
    ) {
        signer = SignatureV4(region: region, service: "s3")
        self.chain = chain
        self.now = now
    }

    /// The headers that a signature covers, besides `Host` and those of AWS; proxies may change others.
    private static let signedNames: Set = ["range", "if-match"]
    /// The header with the SHA-256 of the body; a request without it has no body.
    static let payloadHashName = "x-amz-content-sha256"

    /// Returns the time, the hash of the body, the session token, and the signature over them.
    package func fields(
        for method: String,
        _ url: ObjectURL,
        _ headers: [HeaderField]
    ) async throws -> [HeaderField] {
        let credentials = try await chain.credentials()
        let time = now()
        let known = headers.first { $0.name == Self.payloadHashName }
        let payload = known ?? HeaderField(Self.payloadHashName, SHA256.hexadecimal(""))
        // The request has the header of `known` already.
        var fields = known == nil ? [payload] : []
        fields.append(HeaderField("x-amz-date", time.basic))
        if let token = credentials.sessionToken {
            fields.append(HeaderField("x-amz-security-token", token))
        }
        let signed =
            headers.filter { Self.signedNames.contains($0.name.lowercased()) }
            + (known.map { [$0] } ?? [])
        let request = SignatureV4.Request(
            method: method,
            path: url.path,
            query: url.query,
            headers: [HeaderField("host", url.hostHeader)] + fields + signed,
            payloadHash: payload.value
        )
        let value = signer.authorization(for: request, with: credentials, at: time)
        return fields + [HeaderField("Authorization", value)]
    }

    /// Asks the sources again at the next request.
    package func forgetCredentials() async { await chain.forgetAll() }

    /// Asks the sources now, unless it did so in the last ten seconds.
    package func renewCredentials() async -> Bool { await chain.renew() }
}

/// The `Code` of an S3 error response.
enum S3ErrorCode {
    /// Finds the code in the XML of a body; nil if there is none.
    ///
    /// A code has at most 64 letters and digits, so that an error can quote it.
    static func find(in body: [UInt8]) -> String? {
        let start = Array("<Code>".utf8)
        guard body.count >= start.count else { return nil }
        for index in 0...(body.count - start.count) where body[index...].starts(with: start) {
            let code = body[(index + start.count)...].prefix { $0 != UInt8(ascii: "<") }
            guard (1...64).contains(code.count), code.allSatisfy({ $0.isLetterOrDigit }) else {
                return nil
            }
            return String(decoding: code, as: UTF8.self)
        }
        return nil
    }
}
