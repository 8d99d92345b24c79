package import DAGMounts
package import SystemPackage

/// The options of a node, read and checked.
package struct NodeSettings: Equatable, Sendable {
    /// Where to listen.
    package var listen: NodeAddress
    /// Where the admin interface listens, beside its socket.
    package var admin: NodeAddress?
    /// The file with the token of that address; nil for the one in the store's folder.
    package var adminToken: FilePath?
    /// The names of that address.
    package var adminHosts: [String]
    /// When a shard counts as stuck.
    package var stuckAfter: Duration
    /// The store's directory.
    package var store: FilePath
    /// How long to wait for the store's lock.
    package var wait: Duration
    /// The folders to follow.
    package var mountFolders: [FilePath]
    /// Whether their shards are indexed at their first use.
    package var isLazy: Bool
    /// How long a file must stay unchanged.
    package var settleTime: Duration
    /// How often the folders are scanned; nil for never again.
    package var rescanInterval: Duration?
    /// The largest section in bytes.
    package var sectionSizeMax: UInt64
    /// The largest header in bytes.
    package var headerSizeMax: UInt64
    /// What stays on this machine of shards with the policy `automatic`.
    package var remotePolicy: MountPolicy
    /// The largest number of bytes in the cache of ranges.
    package var remoteCacheSize: UInt64
    /// Whether URLs of shards may reach this machine and private networks.
    package var allowsPrivate: Bool
    /// The certificate and its key, if the node serves HTTPS.
    package var tls: TLSFiles?
    /// The largest number of answers at once.
    package var streamsMax: Int
    /// The largest number of connections at once.
    package var connectionsMax: Int
    /// The largest number of bytes of one answer.
    package var requestBytesMax: UInt64?
    /// The largest number of bytes of all answers of a period.
    package var totalBytesMax: UInt64?
    /// The period of these bytes.
    package var totalBytesPeriod: Duration
    /// How long clients are told to wait.
    package var retryAfter: Duration
    /// How long a client may take for some bytes.
    package var slowClientTimeout: Duration
    /// How long a connection may be idle.
    package var idleTimeout: Duration
    /// How long the store may take to fetch a shard.
    package var fetchTimeout: Duration
    /// The largest number of distinct blocks in a CAR of a DAG.
    package var distinctBlocksMax: Int
    /// Whether blocks are hashed before they are sent.
    package var verifiesBlocks: Bool
    /// The database of the cluster; nil for a node by itself.
    package var cluster: String?
    /// The node's name in the cluster; nil for the host's name.
    package var clusterName: String?
    /// Where clients reach the node; nil for the address of the gateway.
    package var clusterURL: String?
    /// The share of shards that the node takes.
    package var clusterCapacity: Int
    /// Whether the node reads blocks that it lacks from other nodes, and sends no client there for them.
    package var readsMisses: Bool
    /// How long answers may go on after a signal.
    package var drain: Duration
    /// The least important level to log.
    package var logLevel: String
    /// Whether log lines are JSON.
    package var logsJSON: Bool

    /// The files of TLS.
    package struct TLSFiles: Equatable, Sendable {
        /// The certificate chain.
        package var certificate: FilePath
        /// The private key.
        package var key: FilePath
    }

    /// Makes settings of checked values.
    ///
    /// - Parameter values: The values of an option; empty for its default.
    /// - Throws: If options contradict each other.
    package init(_ values: @escaping (NodeOption) -> [String]) throws(OptionError) {
        let source = Source(values: values)
        listen = source.get(.listen) { NodeAddress($0) }
        admin = values(.admin).last.flatMap { NodeAddress($0) }
        adminToken = values(.adminToken).last.map { FilePath($0) }
        adminHosts = values(.adminHost)
        stuckAfter = source.get(.stuckAfter, NodeOption.duration)
        store = FilePath(source.text(.store))
        wait = source.get(.wait, NodeOption.duration)
        mountFolders = values(.mountDir).map { FilePath($0) }
        isLazy = source.text(.lazy) == "true"
        settleTime = source.get(.settleTime, NodeOption.duration)
        rescanInterval = NodeOption.duration(source.text(.rescanInterval))
        sectionSizeMax = UInt64(source.get(.maxSection, NodeOption.bytes))
        headerSizeMax = UInt64(source.get(.maxHeader, NodeOption.bytes))
        remotePolicy = source.get(.remote) { MountPolicy(rawValue: $0) }
        remoteCacheSize = UInt64(source.get(.remoteCacheSize, NodeOption.bytes))
        allowsPrivate = source.text(.allowPrivate) == "true"
        streamsMax = source.get(.streamsMax) { Int($0) }
        connectionsMax = source.get(.connectionsMax) { Int($0) }
        requestBytesMax = NodeOption.bytes(source.text(.requestBytesMax)).map { UInt64($0) }
        totalBytesMax = NodeOption.bytes(source.text(.totalBytesMax)).map { UInt64($0) }
        totalBytesPeriod = source.get(.totalBytesPeriod, NodeOption.duration)
        retryAfter = source.get(.retryAfter, NodeOption.duration)
        slowClientTimeout = source.get(.slowClientTimeout, NodeOption.duration)
        idleTimeout = source.get(.idleTimeout, NodeOption.duration)
        fetchTimeout = source.get(.fetchTimeout, NodeOption.duration)
        distinctBlocksMax = source.get(.distinctBlocksMax) { Int($0) }
        verifiesBlocks = source.text(.verify) == "true"
        cluster = values(.cluster).last
        clusterName = values(.clusterName).last
        clusterURL = values(.clusterURL).last
        clusterCapacity = source.get(.clusterCapacity) { Int($0) }
        readsMisses = source.text(.clusterMisses) == "read"
        drain = source.get(.drain, NodeOption.duration)
        logLevel = source.text(.logLevel)
        logsJSON = source.text(.logFormat) == "json"
        guard cluster == nil || mountFolders.isEmpty else {
            throw OptionError(
                "--cluster and --mount-dir",
                "exclude each other; register the CARs with 'dagstore cluster register --on NODE'"
            )
        }
        switch (values(.tlsCert).last, values(.tlsKey).last) {
        case (let certificate?, let key?):
            tls = TLSFiles(certificate: FilePath(certificate), key: FilePath(key))
        case (nil, nil): tls = nil
        default: throw OptionError("--tls-cert and --tls-key", "need each other")
        }
    }

    /// The values, which were checked.
    private struct Source {
        let values: (NodeOption) -> [String]

        func text(_ option: NodeOption) -> String {
            values(option).last ?? option.standard ?? ""
        }

        func get<Value>(_ option: NodeOption, _ read: (String) -> Value?) -> Value {
            guard let value = read(text(option)) else {
                preconditionFailure("the value of \(option.name) was not checked")
            }
            return value
        }
    }
}
