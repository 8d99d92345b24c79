#if Node
    package import ObjectStorage
    package import SystemPackage

    /// What stays on this machine of a remote shard.
    package enum RemotePolicy: String, CaseIterable, Sendable {
        /// The store reads ranges; the memory keeps what was read last.
        case remote
        /// The store reads ranges; a bounded cache on the disk keeps them.
        case cache
        /// The store copies the whole CAR to a transient, under the quota.
        case copy
    }

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
        /// What stays on this machine.
        package var policy = RemotePolicy.remote
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
        /// The folder of the cache of `cache`; nil for none.
        package var cacheFolder: FilePath?
        /// The most bytes in that folder.
        package var cacheSizeMax: UInt64 = 1 << 30

        /// Creates the usual options.
        package init() {}
    }
#endif
