package import DAGMounts

#if Node
    internal import ObjectStorage
#endif

/// The URL schemes of remote mounts.
package enum RemoteSchemes {
    /// All schemes, also in a build that has none of them.
    package static let names: Set = ["http", "https", "s3"]

    /// Adds templates of all schemes to a registry; a scheme that has a template keeps it.
    ///
    /// The settings of S3 come from the environment when the first `s3` URL is resolved; if they are malformed, that
    /// URL says so. In a build without the trait Node, the templates refuse every URL with `.unknownScheme`, and name
    /// the trait.
    ///
    /// *Cost*: no I/O.
    ///
    /// - Parameters:
    ///   - mounts: The registry.
    ///   - settings: The settings of the templates.
    /// - Throws: `MountError(.malformedURL)` never.
    package static func add(to mounts: inout MountRegistry, _ settings: RemoteSettings) throws {
        #if Node
            let remote = RemoteClient(RemoteOptions(settings))
            let source = S3SettingsSource { () throws(MountError) in
                do throws(ObjectStorageError) {
                    return try S3Settings.usual()
                } catch {
                    throw MountError(error)
                }
            }
            let http = try HTTPMount(remote)
            let templates: [String: any Mount] = [
                "http": http, "https": http, S3Mount.scheme: try S3Mount(source, remote),
            ]
        #else
            let absent = AbsentMount(url: try MountURL("https://absent/"))
            let templates = Dictionary(uniqueKeysWithValues: names.map { ($0, absent) })
        #endif
        for (scheme, template) in templates where !mounts.contains(scheme: scheme) {
            try mounts.register(template, scheme: scheme)
        }
    }
}

#if !Node
    /// A template of a scheme that this build lacks.
    struct AbsentMount: Mount {
        let url: MountURL
        var access: MountAccess { .random }

        func resolving(_ url: MountURL) throws -> AbsentMount {
            throw MountError(
                .unknownScheme,
                "\(url.scheme)://: only a build of dagstore or libdagstore with the trait Node reads it"
            )
        }

        func stat() async throws -> MountStat { throw MountError(.unknownScheme, "\(url)") }
        func open() async throws -> MountSource { throw MountError(.unknownScheme, "\(url)") }
    }
#endif
