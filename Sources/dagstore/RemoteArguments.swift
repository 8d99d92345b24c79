internal import ArgumentParser
internal import DAGMounts
internal import DAGStorage
internal import ObjectStorage
internal import RemoteMounts
internal import SystemPackage

/// `--remote` and `--allow-private`: how the program reads shards behind URLs.
struct RemoteArguments: ParsableArguments {
    #if Node
        @Option(
            help: ArgumentHelp(
                "What stays here of remote shards: remote for nothing, cache for the ranges read, "
                    + "copy for the CAR. Default: $DAGSTORE_REMOTE, else remote.",
                valueName: "policy"
            )
        )
        var remote: String?

        @Flag(
            help:
                "Let URLs of shards reach this machine and private networks. Default: $DAGSTORE_ALLOW_PRIVATE."
        )
        var allowPrivate = false

        func validate() throws {
            guard remote.map({ RemotePolicy(rawValue: $0) != nil }) ?? true else {
                throw ValidationError("--remote takes remote, cache or copy")
            }
        }
    #endif

    /// Returns the registry of mounts for a store.
    ///
    /// - Parameter directory: The store's folder; the cache of ranges is in it.
    /// - Returns: The registry.
    /// - Throws: `invalidConfiguration`.
    func mounts(of directory: FilePath) throws -> MountRegistry {
        var mounts = MountRegistry.standard
        #if Node
            try RemoteSchemes.register(in: &mounts, options(directory))
        #endif
        return mounts
    }

    #if Node
        private func options(_ directory: FilePath) throws -> RemoteOptions {
            var options = RemoteOptions()
            let name = remote ?? Kernel.variable("DAGSTORE_REMOTE") ?? RemotePolicy.remote.rawValue
            guard let policy = RemotePolicy(rawValue: name) else {
                throw DAGStoreError(
                    .invalidConfiguration,
                    "DAGSTORE_REMOTE is not a policy: \(name)",
                    advice: "set it to remote, cache or copy, or unset it"
                )
            }
            options.policy = policy
            options.cacheFolder = directory.appending("remote-cache")
            if allowPrivate || Kernel.variable("DAGSTORE_ALLOW_PRIVATE") == "1" {
                options.client.targets = .local
            }
            return options
        }
    #endif
}
