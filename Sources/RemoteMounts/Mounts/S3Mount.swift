#if Node
    package import DAGMounts
    package import ObjectStorage
    internal import SharedReads

    /// The settings of S3 mounts, read when the first mount needs them.
    ///
    /// *Concurrency*: any thread. A failure is not kept: the next mount reads the settings again.
    package final class S3SettingsSource: Sendable {
        private let read: @Sendable () throws(MountError) -> S3Settings
        private let settings = Lock<S3Settings?>(nil)

        /// Creates a source of the settings that `read` returns.
        package init(_ read: @escaping @Sendable () throws(MountError) -> S3Settings) {
            self.read = read
        }

        /// Creates a source of fixed settings.
        package convenience init(_ settings: S3Settings) {
            self.init { () throws(MountError) in settings }
        }

        /// The settings.
        ///
        /// - Throws: The error of the reading.
        package var value: S3Settings {
            get throws(MountError) {
                if let known = settings.withLock({ $0 }) { return known }
                let value = try read()
                settings.withLock { $0 = value }
                return value
            }
        }
    }

    /// A mount of a CAR in a bucket: `s3://bucket/key`.
    ///
    /// The record contains the URL alone; endpoint and credentials belong to the template.
    package struct S3Mount: Mount {
        /// The URL scheme.
        package static let scheme = "s3"

        private var object: RemoteObject
        private let settings: S3SettingsSource

        /// Creates a template, which names no object.
        ///
        /// - Parameters:
        ///   - settings: The settings, which the template reads when it first resolves a URL.
        ///   - remote: The client.
        /// - Throws: `MountError(.malformedURL)` never.
        package init(_ settings: S3SettingsSource, _ remote: RemoteClient) throws {
            let url = try MountURL("s3://template/none")
            let target = ObjectTarget(
                try ObjectURL("https://template.invalid/"),
                counters: remote.counters(of: url)
            )
            object = RemoteObject(url: url, target: target, remote: remote)
            self.settings = settings
        }

        /// Creates a mount.
        ///
        /// - Throws: `MountError(.malformedURL)`; the errors of reading the settings.
        package init(
            _ url: String,
            _ settings: S3SettingsSource,
            _ remote: RemoteClient
        ) throws {
            let location: S3Location
            do {
                location = try S3Location(url)
            } catch {
                throw MountError(.malformedURL, error.detail)
            }
            self.settings = settings
            let settings = try settings.value
            let mountURL = try MountURL(url)
            func target(of location: S3Location) -> ObjectTarget {
                ObjectTarget(
                    settings.endpoint.url(of: location),
                    authorizer: S3Authorizer(
                        region: settings.endpoint.region,
                        chain: settings.chain,
                        now: S3Settings.now
                    ),
                    counters: remote.counters(of: mountURL),
                    name: "\(location)"
                )
            }
            object = RemoteObject(
                url: mountURL,
                target: target(of: location),
                remote: remote,
                // A key of the largest size has no neighbor.
                beside: (try? S3Location(url + ".idx")).map(target)
            )
        }

        /// Creates a mount with fixed settings.
        ///
        /// - Throws: `MountError(.malformedURL)`.
        package init(_ url: String, _ settings: S3Settings, _ remote: RemoteClient) throws {
            try self.init(url, S3SettingsSource(settings), remote)
        }

        /// The persisted URL.
        package var url: MountURL { object.url }

        /// `.sequential` if the policy is `copy` or the server sends no parts; else `.random`.
        package var access: MountAccess { object.access }

        /// The requests and bytes of this URL.
        package var counters: TransferCounters.Values { object.target.counters.values }

        /// Returns the mount for a URL, with this one's client, settings and policy.
        ///
        /// - Throws: `MountError(.malformedURL)`.
        package func resolving(_ url: MountURL) throws -> S3Mount {
            try S3Mount(url.text, settings, object.remote).applying(object.policy)
        }

        /// Returns the mount under a policy.
        package func applying(_ policy: MountPolicy) -> S3Mount {
            var mount = self
            mount.object = object.applying(policy)
            return mount
        }

        /// Returns the mount, which counts its requests in `counter` too.
        package func counting(in counter: TrafficCounter) -> S3Mount {
            var mount = self
            mount.object = object.counting(in: counter)
            return mount
        }

        /// Returns size and validator: the entity tag.
        ///
        /// - Throws: `MountError`, `CancellationError`.
        package func stat() async throws -> MountStat { try await object.stat() }

        /// Opens the version that is there now.
        ///
        /// - Throws: `MountError`, `CancellationError`.
        package func open() async throws -> MountSource { try await object.open() }
    }
#endif
