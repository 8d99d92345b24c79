#if Node
    package import DAGMounts
    package import ObjectStorage
    package import SystemPackage

    /// Headers for the requests to one host, such as `Authorization`.
    package struct HostFields: Sendable {
        /// The host in lower case, or `*.` and a domain for all hosts below it.
        package let host: String
        /// The headers.
        package let fields: [HeaderField]

        /// Creates headers for a host.
        package init(host: String, fields: [HeaderField]) {
            self.host = host
            self.fields = fields
        }

        /// Returns whether the headers are for `host`.
        func applies(to host: String) -> Bool {
            guard self.host.hasPrefix("*.") else { return self.host == host }
            return host.hasSuffix(self.host.dropFirst())
        }
    }

    /// The parts of remote mounts that no record contains.
    package struct RemoteOptions: Sendable {
        /// The limits of the client.
        package var client = ClientConfiguration()
        /// What stays on this machine of shards with the policy `automatic`; `automatic` itself counts as `remote`.
        package var policy = MountPolicy.remote
        /// The headers by host; the first that applies is sent.
        package var hosts: [HostFields] = []
        /// The bytes that the memory keeps.
        package var memorySizeMax = 32 << 20
        /// The largest window that is read ahead, in bytes.
        package var readAheadMax: UInt64 = 4 << 20
        /// The largest request that several reads share, in bytes.
        package var sharedReadMax: UInt64 = 1 << 20
        /// The most bytes between two ranges that one request reads.
        package var gapMax: UInt64 = 8 << 10
        /// The measures that decide how a CAR is scanned; nil to measure each scan's connection.
        package var scanMeasures: ScanMeasures?
        /// The folder of the cache of shards with the policy `cache`; nil for none.
        package var cacheFolder: FilePath?
        /// The most bytes in that folder.
        package var cacheSizeMax = RemoteSettings.cacheSizeUsual

        /// Creates the usual options.
        package init() {}

        /// Creates options with settings.
        package init(_ settings: RemoteSettings) {
            policy = settings.policy
            if settings.allowsPrivate { client.targets = .local }
            cacheFolder = settings.cacheFolder
            cacheSizeMax = settings.cacheSizeMax
        }
    }
#endif
