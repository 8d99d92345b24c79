/// An access key and its secret.
///
/// Descriptions and mirrors show neither the secret nor the token.
package struct S3Credentials: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// The name of the key; it stands in each request.
    package let accessKey: String
    /// The secret; it never leaves the process.
    package let secretKey: String
    /// The token of temporary credentials; nil for lasting ones.
    package let sessionToken: String?
    /// The time from which on the token is refused; nil for lasting ones.
    package let expiration: UTCTime?

    /// Creates credentials.
    package init(
        accessKey: String,
        secretKey: String,
        sessionToken: String? = nil,
        expiration: UTCTime? = nil
    ) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
        self.expiration = expiration
    }

    /// The fixed text.
    package var description: String { "S3Credentials(...)" }
    /// No parts.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// A source of credentials.
package protocol S3CredentialsSource: Sendable {
    /// Returns credentials; nil if this source has none.
    ///
    /// - Throws: `.noCredentials` if there are some, but malformed; the errors of a request.
    func credentials() async throws -> S3Credentials?
}

/// Credentials that the caller gives.
package struct FixedCredentials: S3CredentialsSource {
    private let fixed: S3Credentials

    /// Creates a source of `credentials`.
    package init(_ credentials: S3Credentials) { fixed = credentials }

    /// Returns the credentials.
    package func credentials() async throws -> S3Credentials? { fixed }
}

/// The credentials of environment variables: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
package struct EnvironmentCredentials: S3CredentialsSource {
    private let variable: @Sendable (String) -> String?

    /// Creates a source.
    ///
    /// - Parameter variable: Returns the value of a variable.
    package init(_ variable: @escaping @Sendable (String) -> String?) { self.variable = variable }

    /// Returns the credentials; nil if both of key and secret are missing.
    ///
    /// - Throws: `.noCredentials` if only one of them is there.
    package func credentials() async throws -> S3Credentials? {
        let key = variable("AWS_ACCESS_KEY_ID") ?? ""
        let secret = variable("AWS_SECRET_ACCESS_KEY") ?? ""
        if key.isEmpty, secret.isEmpty { return nil }
        guard !key.isEmpty, !secret.isEmpty else {
            throw ObjectStorageError(
                .noCredentials,
                "sign: only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set; set both"
            )
        }
        let token = variable("AWS_SESSION_TOKEN") ?? ""
        return S3Credentials(
            accessKey: key,
            secretKey: secret,
            sessionToken: token.isEmpty ? nil : token
        )
    }
}

/// The first source that has credentials; temporary ones are asked for again before they expire.
///
/// *Concurrency*: any task. Tasks that come during a request wait for it.
package actor CredentialsChain {
    /// The time before the expiration at which the chain asks again, in seconds.
    static let marginInSeconds: Int64 = 300
    /// The time after a renewal in which the chain does not ask again, in seconds.
    static let renewalPauseInSeconds: Int64 = 10

    private let sources: [any S3CredentialsSource]
    private let now: @Sendable () -> UTCTime
    private var known: S3Credentials?
    private var isAsking = false
    private var waiters: [CheckedContinuation<Void, Never>] = []
    private var lastRenewal: (time: UTCTime, hasChanged: Bool)?

    /// Creates a chain.
    ///
    /// - Parameters:
    ///   - sources: The sources in their order.
    ///   - now: The clock.
    package init(
        _ sources: [any S3CredentialsSource],
        now: @escaping @Sendable () -> UTCTime
    ) {
        self.sources = sources
        self.now = now
    }

    /// Returns credentials that are valid now.
    ///
    /// If a source fails shortly before the expiration, the chain still returns the known credentials.
    ///
    /// - Throws: `.noCredentials` if no source has any; the errors of the sources.
    package func credentials() async throws -> S3Credentials {
        while true {
            if let known, !expires(known, within: Self.marginInSeconds) { return known }
            guard isAsking else { break }
            await withCheckedContinuation { waiters.append($0) }
            try Task.checkCancellation()
        }
        isAsking = true
        defer { endAsking() }
        do {
            let found = try await ask()
            known = found
            return found
        } catch {
            if let known, !expires(known, within: 0) { return known }
            throw error
        }
    }

    /// Forgets the known credentials, so that the next request asks the sources again.
    package func forgetAll() { known = nil }

    /// Asks the sources again after the service refused the known credentials, which someone may have replaced.
    ///
    /// *Cost*: asks at most once in ten seconds, however many requests are refused.
    ///
    /// - Returns: Whether the credentials are others now, or became so in the last ten seconds.
    package func renew() async -> Bool {
        while isAsking { await withCheckedContinuation { waiters.append($0) } }
        if let lastRenewal,
            (0..<Self.renewalPauseInSeconds).contains(now().seconds - lastRenewal.time.seconds)
        {
            return lastRenewal.hasChanged
        }
        isAsking = true
        defer { endAsking() }
        // Without an answer, as after a cancellation, the next request asks again.
        guard let found = try? await ask() else { return false }
        let hasChanged = found != known
        known = found
        lastRenewal = (now(), hasChanged)
        return hasChanged
    }

    private func endAsking() {
        isAsking = false
        for waiter in waiters { waiter.resume() }
        waiters = []
    }

    private func expires(_ credentials: S3Credentials, within seconds: Int64) -> Bool {
        guard let expiration = credentials.expiration else { return false }
        return now().seconds + seconds >= expiration.seconds
    }

    private func ask() async throws -> S3Credentials {
        for source in sources {
            if let found = try await source.credentials() { return found }
        }
        throw ObjectStorageError(
            .noCredentials,
            "sign: neither the environment nor the credentials file nor the instance has credentials; "
                + "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    }
}
