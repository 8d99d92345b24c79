package import DAGMounts
package import SystemPackage

/// The settings of remote mounts that a program or a library passes on.
package struct RemoteSettings: Sendable {
    /// The bytes that the cache on the disk keeps if nothing else is said.
    package static let cacheSizeUsual: UInt64 = 1 << 30
    /// The name of the cache's folder in the directory of a store.
    package static let cacheFolderName = "remote-cache"

    /// What stays on this machine of shards with the policy `automatic`.
    package var policy = MountPolicy.remote
    /// Whether URLs may reach this machine and private networks.
    package var allowsPrivate = false
    /// The most bytes in the cache on the disk.
    package var cacheSizeMax = RemoteSettings.cacheSizeUsual
    /// The folder of that cache; nil for none.
    package var cacheFolder: FilePath?

    /// Creates the usual settings of a store.
    ///
    /// - Parameter directory: The store's directory.
    package init(store directory: FilePath) {
        cacheFolder = directory.appending(Self.cacheFolderName)
    }
}
