#if Node
    internal import DAGSystem
    internal import SystemPackage

    /// The endpoint and the credentials of an S3 store.
    package struct S3Settings: Sendable {
        /// The server.
        package let endpoint: S3Endpoint
        /// The credentials.
        package let chain: CredentialsChain

        /// Creates settings.
        package init(endpoint: S3Endpoint, chain: CredentialsChain) {
            self.endpoint = endpoint
            self.chain = chain
        }

        /// Reads the settings that AWS's own tools read.
        ///
        /// | variable                                          | default                      |
        /// |---------------------------------------------------|------------------------------|
        /// | `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`         | AWS in the region            |
        /// | `AWS_REGION`, `AWS_DEFAULT_REGION`                | the profile's, or `us-east-1`|
        /// | `AWS_PROFILE`                                     | `default`                    |
        /// | `AWS_SHARED_CREDENTIALS_FILE`, `AWS_CONFIG_FILE`  | `~/.aws/credentials`, `~/.aws/config` |
        /// | `AWS_EC2_METADATA_DISABLED`                       | `false`                      |
        /// | `AWS_EC2_METADATA_SERVICE_ENDPOINT`               | `http://169.254.169.254`     |
        ///
        /// - Parameter variable: Returns the value of an environment variable.
        /// - Returns: The settings; nothing is read of credentials before the first request.
        /// - Throws: `.malformedURL`, `.targetRefused` for a malformed endpoint or region; `.noCredentials` for a file
        ///   that cannot be read.
        package static func usual(
            _ variable: @escaping @Sendable (String) -> String? = ThisProcess.environmentVariable
        ) throws(ObjectStorageError) -> S3Settings {
            @Sendable func value(_ name: String) -> String? {
                variable(name).flatMap { $0.isEmpty ? nil : $0 }
            }
            let profile = value("AWS_PROFILE") ?? "default"
            let home = FilePath(value("HOME") ?? "/")
            let credentials = value("AWS_SHARED_CREDENTIALS_FILE").map { FilePath($0) }
            let config = value("AWS_CONFIG_FILE").map { FilePath($0) }
            let settings = try ProfileFile(at: config ?? home.appending(".aws/config"))
            let region =
                value("AWS_REGION") ?? value("AWS_DEFAULT_REGION")
                ?? settings?.value("region", ofProfile: profile) ?? "us-east-1"
            let endpoint =
                if let url = value("AWS_ENDPOINT_URL_S3") ?? value("AWS_ENDPOINT_URL") {
                    try S3Endpoint(url: url, region: region)
                } else {
                    try S3Endpoint(region: region)
                }
            var sources: [any S3CredentialsSource] = [
                EnvironmentCredentials(variable),
                ProfileCredentials(
                    credentials ?? home.appending(".aws/credentials"),
                    profile: profile
                ),
            ]
            if value("AWS_EC2_METADATA_DISABLED")?.lowercased() != "true" {
                let address = value("AWS_EC2_METADATA_SERVICE_ENDPOINT")
                sources.append(
                    try InstanceCredentials(
                        endpoint: address ?? InstanceCredentials.usualEndpoint
                    )
                )
            }
            return S3Settings(
                endpoint: endpoint,
                chain: CredentialsChain(sources, now: Self.now)
            )
        }

        /// The clock of the system.
        package static let now: @Sendable () -> UTCTime = {
            UTCTime(seconds: WallClock.seconds)
        }
    }
#endif
