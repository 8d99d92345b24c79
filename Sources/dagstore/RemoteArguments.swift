internal import ArgumentParser
internal import DAGMounts
internal import DAGNode
internal import DAGStorage
internal import RemoteMounts
internal import SystemPackage

/// `--allow-private`, and the environment: how the program reads shards behind URLs.
struct RemoteArguments: ParsableArguments {
    #if Node
        @Flag(
            help:
                "Let URLs of shards reach this machine and private networks. Default: $DAGSTORE_ALLOW_PRIVATE."
        )
        var allowPrivate = false
    #else
        private var allowPrivate: Bool { false }
    #endif

    /// Whether the flag was given.
    var isPrivateAllowed: Bool { allowPrivate }

    /// Returns the settings of remote mounts for a store.
    ///
    /// - Parameter directory: The store's directory.
    /// - Returns: The settings.
    /// - Throws: `invalidConfiguration`.
    func settings(of directory: FilePath) throws -> RemoteSettings {
        var settings = RemoteSettings(store: directory)
        if let name = Kernel.variable("DAGSTORE_REMOTE") {
            guard let policy = MountPolicy(rawValue: name), policy != .automatic else {
                throw Self.malformed("DAGSTORE_REMOTE", name, "remote, cache or copy")
            }
            settings.policy = policy
        }
        if let text = Kernel.variable("DAGSTORE_REMOTE_CACHE_SIZE") {
            guard let size = NodeOption.bytes(text) else {
                throw Self.malformed("DAGSTORE_REMOTE_CACHE_SIZE", text, "a size such as 1GiB")
            }
            settings.cacheSizeMax = UInt64(size)
        }
        settings.allowsPrivate = allowPrivate
        if let text = Kernel.variable("DAGSTORE_ALLOW_PRIVATE"), !allowPrivate {
            guard text == "true" || text == "false" else {
                throw Self.malformed("DAGSTORE_ALLOW_PRIVATE", text, "true or false")
            }
            settings.allowsPrivate = text == "true"
        }
        return settings
    }

    private static func malformed(
        _ name: String,
        _ value: String,
        _ right: String
    ) -> DAGStoreError {
        DAGStoreError(
            .invalidConfiguration,
            "\(name) is \(value)",
            advice: "set it to \(right), or unset it"
        )
    }
}

/// `--remote`: what stays here of shards behind URLs.
struct PolicyArgument: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What stays here of a shard behind a URL: remote for nothing, cache for the ranges read, "
                + "copy for the CAR, or automatic for $DAGSTORE_REMOTE, else remote.",
            valueName: "policy"
        )
    )
    var remote: String?

    /// The policy that was given.
    var policy: MountPolicy? { remote.flatMap { MountPolicy(rawValue: $0) } }

    func validate() throws {
        guard remote == nil || policy != nil else {
            throw ValidationError("--remote takes remote, cache, copy or automatic")
        }
    }
}
