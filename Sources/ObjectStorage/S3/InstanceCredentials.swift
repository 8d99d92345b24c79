#if Node
    /// The credentials of the machine's role, from the metadata service of EC2.
    ///
    /// Source: "Use the Instance Metadata Service", version 2: a token first, and then requests with it.
    package struct InstanceCredentials: S3CredentialsSource {
        /// The address of the service.
        package static let usualEndpoint = "http://169.254.169.254"

        private static let folder = "/latest/meta-data/iam/security-credentials/"
        private static let textSizeMax = 65_536
        private static let tokenLifetimeInSeconds = 300

        private let origin: ObjectURL.Origin
        private let client: ObjectClient

        /// Creates a source.
        ///
        /// - Parameters:
        ///   - endpoint: The address of the service.
        ///   - deadline: How long all attempts together may take; a connection may take a fifth of it.
        /// - Throws: `.malformedURL`, `.targetRefused`.
        package init(
            endpoint: String = usualEndpoint,
            deadline: Duration = .seconds(5)
        ) throws(ObjectStorageError) {
            origin = try ObjectURL(endpoint).origin
            var configuration = ClientConfiguration()
            configuration.targets = .all
            configuration.redirectsMax = 0
            configuration.connectTimeout = deadline / 5
            configuration.silenceMax = deadline / 5 * 2
            configuration.retries.attemptsMax = 3
            configuration.retries.deadline = deadline
            client = ObjectClient(configuration)
        }

        /// Asks the service.
        ///
        /// - Returns: The credentials; nil if there is no service, or the machine has no role.
        /// - Throws: `.noCredentials` if the service's text is malformed; the errors of a request.
        package func credentials() async throws -> S3Credentials? {
            let lifetime = HeaderField(
                "X-aws-ec2-metadata-token-ttl-seconds",
                String(Self.tokenLifetimeInSeconds)
            )
            let token: String
            do {
                token = try await text("/latest/api/token", .put, lifetime)
            } catch let error as ObjectStorageError {
                // Most machines are no instances of EC2, so nothing answers at the address.
                let absent: Set<ObjectStorageError.Code> = [
                    .unreachable, .timedOut, .notFound, .rejected, .accessDenied,
                ]
                guard absent.contains(error.code) else { throw error }
                return nil
            }
            let proof = HeaderField("X-aws-ec2-metadata-token", token)
            let roles: String
            do {
                roles = try await text(Self.folder, .get, proof)
            } catch let error as ObjectStorageError where error.code == .notFound {
                return nil
            }
            guard let role = roles.split(separator: "\n").first else { return nil }
            return try credentials(await text(Self.folder + String(role), .get, proof))
        }

        private func credentials(_ text: String) throws(ObjectStorageError) -> S3Credentials {
            let fields = FlatJSON(Array(text.utf8))?.strings ?? [:]
            guard let key = fields["AccessKeyId"], let secret = fields["SecretAccessKey"],
                let token = fields["Token"],
                let expiration = fields["Expiration"].flatMap(UTCTime.init(isoDate:))
            else {
                throw ObjectStorageError(
                    .noCredentials,
                    "sign: the metadata service returns no key, secret, token and expiration"
                )
            }
            return S3Credentials(
                accessKey: key,
                secretKey: secret,
                sessionToken: token,
                expiration: expiration
            )
        }

        private func text(
            _ path: String,
            _ method: RequestPlan.Method,
            _ field: HeaderField
        ) async throws -> String {
            let (path, _) = try ObjectURL.pathAndQuery(Array(path.utf8)[...])
            let url = ObjectURL(origin: origin, path: path)
            let target = ObjectTarget(url, counters: client.counters)
            let plan = RequestPlan(method: method, headers: [field])
            let bytes = try await client.perform(target, .read, plan: { plan }) { answer in
                guard answer.status == 200 else { throw await answer.failure() }
                return try await answer.smallBody(limit: Self.textSizeMax)
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
#endif
