#if Node
    package import DAGMounts
    package import ObjectStorage

    /// A mount of a CAR behind `http://` or `https://`.
    ///
    /// The record contains the URL alone; credentials and headers belong to the template. The URL may have a query, but
    /// neither a user name nor a signature.
    package struct HTTPMount: Mount {
        /// The URL schemes.
        package static let schemes = ["http", "https"]

        private var object: RemoteObject

        /// Creates a template, which names no object.
        ///
        /// - Throws: `MountError(.malformedURL)` never.
        package init(_ remote: RemoteClient) throws {
            try self.init("https://template.invalid/", remote)
        }

        /// Creates a mount.
        ///
        /// - Throws: `MountError(.malformedURL)`.
        package init(_ url: String, _ remote: RemoteClient) throws {
            let objectURL: ObjectURL
            do {
                objectURL = try ObjectURL(url)
            } catch {
                throw MountError(.malformedURL, error.detail)
            }
            guard !objectURL.isPresigned else {
                throw MountError(
                    .malformedURL,
                    "open: \(objectURL): the query contains a signature, which would stand in the record; "
                        + "give credentials to the mount's template"
                )
            }
            let mountURL = try MountURL(url)
            let fields = remote.options.hosts.first { $0.applies(to: objectURL.origin.host) }
            let target = ObjectTarget(
                objectURL,
                authorizer: fields.map { FixedFields($0.fields) },
                counters: remote.counters(of: mountURL)
            )
            let beside = ObjectTarget(
                ObjectURL(
                    origin: objectURL.origin,
                    path: objectURL.path + ".idx",
                    query: objectURL.query
                ),
                authorizer: target.authorizer,
                counters: target.counters
            )
            object = RemoteObject(url: mountURL, target: target, remote: remote, beside: beside)
        }

        /// The persisted URL.
        package var url: MountURL { object.url }

        /// `.sequential` if the policy is `copy` or the server sends no parts; else `.random`.
        package var access: MountAccess { object.access }

        /// The requests and bytes of this URL.
        package var counters: TransferCounters.Values { object.target.counters.values }

        /// Returns the mount for a URL, with this one's client and policy.
        ///
        /// - Throws: `MountError(.malformedURL)`.
        package func resolving(_ url: MountURL) throws -> HTTPMount {
            try HTTPMount(url.text, object.remote).applying(object.policy)
        }

        /// Returns the mount under a policy.
        package func applying(_ policy: MountPolicy) -> HTTPMount {
            var mount = self
            mount.object = object.applying(policy)
            return mount
        }

        /// Returns the mount, which counts its requests in `counter` too.
        package func counting(in counter: TrafficCounter) -> HTTPMount {
            var mount = self
            mount.object = object.counting(in: counter)
            return mount
        }

        /// Returns size and validator: the strong entity tag, or else the weak one or the time of the last change.
        ///
        /// - Throws: `MountError`, `CancellationError`.
        package func stat() async throws -> MountStat { try await object.stat() }

        /// Opens the version that is there now.
        ///
        /// - Throws: `MountError`, `CancellationError`.
        package func open() async throws -> MountSource { try await object.open() }
    }
#endif
