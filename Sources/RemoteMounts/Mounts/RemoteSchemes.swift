#if Node
    package import DAGMounts
#endif

/// The URL schemes of remote mounts.
package enum RemoteSchemes {
    /// All schemes, also in a build that has none of them.
    package static let names: Set = ["http", "https", "s3"]

    #if Node
        /// Registers templates of all schemes.
        ///
        /// The settings of S3 come from the environment; if they are malformed, an `s3` URL says so.
        ///
        /// - Parameters:
        ///   - mounts: The registry.
        ///   - options: The options of the templates.
        /// - Returns: The client of the templates, which counts their requests.
        /// - Throws: `MountError(.exists)` if a scheme has a template.
        @discardableResult
        package static func register(
            in mounts: inout MountRegistry,
            _ options: RemoteOptions
        ) throws -> RemoteClient {
            let remote = RemoteClient(options)
            for scheme in HTTPMount.schemes {
                try mounts.register(HTTPMount(remote), scheme: scheme)
            }
            let settings = Result { () throws(MountError) in try S3Settings.usual() }
            try mounts.register(S3Mount(settings, remote), scheme: S3Mount.scheme)
            return remote
        }
    #endif
}
