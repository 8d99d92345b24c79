/// An option of a node: one entry of the table that flags, variables, files and documentation are made of.
///
/// A flag wins over an environment variable, and that over the file of `--config`.
package struct NodeOption: Sendable {
    /// The kinds of values.
    package enum Kind: Equatable, Sendable {
        /// `HOST:PORT`, with brackets around an IPv6 address.
        case address
        /// A path.
        case path
        /// A path, any number of times.
        case paths
        /// The name of a host, any number of times.
        case names
        /// `true` or `false`; the flag that means `false`, and its text.
        case flag(off: String, text: String)
        /// A whole number in a range.
        case count(ClosedRange<Int>)
        /// A number of bytes, with or without a unit; at least 1.
        case size
        /// As `size`, or `none`.
        case limit
        /// A number of seconds, or a number with a unit.
        case duration
        /// As `duration`, and more than zero.
        case timeout
        /// As `timeout`, or `none`.
        case pause
        /// One of these words.
        case choice([String])
        /// One line of text; the placeholder of its value.
        case text(String)
    }

    /// The name, as in `--name`, and the key in a file.
    package let name: String
    /// The kind of its values.
    package let kind: Kind
    /// The value if none is given, as a file has it; nil for no value.
    package let standard: String?
    /// What it does: a sentence, with the units of its value.
    package let text: String
    /// The name of its environment variable.
    package let variable: String
    /// Whether a file may have it.
    package let isInFile: Bool

    init(
        _ name: String,
        _ kind: Kind,
        _ standard: String?,
        _ text: String,
        variable: String? = nil,
        isInFile: Bool = true
    ) {
        self.name = name
        self.kind = kind
        self.standard = standard
        self.text = text
        self.variable =
            variable ?? "DAGSTORE_"
            + name.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
        self.isInFile = isInFile
    }

    /// Whether the option may be given several times.
    package var isList: Bool { kind == .paths || kind == .names }

    /// The placeholder of its value in help.
    package var placeholder: String {
        switch kind {
        case .address: "host:port"
        case .path: name == "store" ? "dir" : "file"
        case .paths: "dir"
        case .names: "name"
        case .flag: "true|false"
        case .count: "n"
        case .size: "size"
        case .limit: "size|none"
        case .duration, .timeout: "time"
        case .pause: "time|none"
        case .choice(let words): words.joined(separator: "|")
        case .text(let placeholder): placeholder
        }
    }

    /// The text with the default, for help.
    package var help: String {
        guard let standard else { return text }
        return "\(text) Default: \(standard)."
    }
}

extension NodeOption: Hashable {
    /// Compares the names, of which the table has each once.
    package static func == (one: NodeOption, other: NodeOption) -> Bool { one.name == other.name }

    /// Hashes the name.
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

// MARK: The table

extension NodeOption {
    /// Where to listen.
    package static let listen = NodeOption(
        "listen",
        .address,
        "127.0.0.1:8080",
        "The address to listen on; port 0 is a free port, and 0.0.0.0 or [::] is every interface."
    )
    /// Where the admin interface listens, beside its socket.
    package static let admin = NodeOption(
        "admin",
        .address,
        nil,
        "An address for the admin interface and its page, beside the socket in the store's folder."
    )
    /// Where the token of that address is.
    package static let adminToken = NodeOption(
        "admin-token",
        .path,
        nil,
        "The file with the token of --admin; default: admin.token in the store's folder, made if missing."
    )
    /// The names of that address.
    package static let adminHost = NodeOption(
        "admin-host",
        .names,
        nil,
        "A name by which clients reach --admin, beside its numbers and localhost; repeat it for several."
    )
    /// When a shard counts as stuck.
    package static let stuckAfter = NodeOption(
        "stuck-after",
        .timeout,
        "10min",
        "How long a fetch or an indexing may stand still before the node reports the shard as stuck."
    )
    /// The store.
    package static let store = NodeOption(
        "store",
        .path,
        "dagstore-data",
        "The store's directory.",
        variable: "DAGSTORE_PATH"
    )
    /// How long to wait for the store's lock.
    package static let wait = NodeOption(
        "wait",
        .duration,
        "0s",
        "How long to wait for another process that has the store open."
    )
    /// The file with options.
    package static let config = NodeOption(
        "config",
        .path,
        nil,
        "A file with options; flags and environment variables win over it.",
        isInFile: false
    )
    /// The folders with CARs.
    package static let mountDir = NodeOption(
        "mount-dir",
        .paths,
        nil,
        "A folder whose CARs become shards, now and whenever one appears; repeat it for several."
    )
    /// When shards of these folders are indexed.
    package static let lazy = NodeOption(
        "lazy",
        .flag(off: "eager", text: "Index the folder's CARs at once."),
        "false",
        "Index the folder's CARs at their first use by key; until then no CID finds their blocks."
    )
    /// When a file counts as whole.
    package static let settleTime = NodeOption(
        "settle-time",
        .duration,
        "2s",
        "How long a file must stay unchanged if no process was seen to close it."
    )
    /// How often folders are scanned.
    package static let rescanInterval = NodeOption(
        "rescan-interval",
        .pause,
        "none",
        "How often to scan the folders too, for network file systems, which report no changes."
    )
    /// The largest section of a CAR.
    package static let maxSection = NodeOption(
        "max-section",
        .size,
        "8MiB",
        "The largest section of a CAR to read."
    )
    /// The largest header of a CAR.
    package static let maxHeader = NodeOption(
        "max-header",
        .size,
        "32MiB",
        "The largest CAR header to read."
    )
    /// What stays here of shards behind URLs.
    package static let remote = NodeOption(
        "remote",
        .choice(["remote", "cache", "copy"]),
        "remote",
        "What stays here of shards behind URLs that have no policy of their own: nothing, ranges, or the CAR."
    )
    /// The size of the cache of ranges.
    package static let remoteCacheSize = NodeOption(
        "remote-cache-size",
        .size,
        "1GiB",
        "The bytes that the cache of ranges keeps in the store's directory."
    )
    /// Which networks these URLs may reach.
    package static let allowPrivate = NodeOption(
        "allow-private",
        .flag(off: "refuse-private", text: "Let URLs of shards reach public addresses only."),
        "false",
        "Let URLs of shards reach this machine and private networks."
    )
    /// The certificate.
    package static let tlsCert = NodeOption(
        "tls-cert",
        .path,
        nil,
        "A file with a certificate chain in PEM; with --tls-key, serves HTTPS and HTTP/2."
    )
    /// The certificate's key.
    package static let tlsKey = NodeOption(
        "tls-key",
        .path,
        nil,
        "A file with the certificate's private key in PEM."
    )
    /// The streams at once.
    package static let streamsMax = NodeOption(
        "streams-max",
        .count(1...1_000_000),
        "256",
        "The number of CARs and pieces to send at once; further requests get status 429."
    )
    /// The connections at once.
    package static let connectionsMax = NodeOption(
        "connections-max",
        .count(1...1_000_000),
        "16384",
        "The number of connections to keep at once; further ones wait."
    )
    /// The bytes of one answer.
    package static let requestBytesMax = NodeOption(
        "request-bytes-max",
        .limit,
        "none",
        "The bytes of content in one answer; a CAR ends early there, all else gets status 413."
    )
    /// The bytes of all answers.
    package static let totalBytesMax = NodeOption(
        "total-bytes-max",
        .limit,
        "none",
        "The bytes of content in all answers of a period; further requests get status 429."
    )
    /// The period of these bytes.
    package static let totalBytesPeriod = NodeOption(
        "total-bytes-period",
        .timeout,
        "1h",
        "The period of --total-bytes-max."
    )
    /// When to try again.
    package static let retryAfter = NodeOption(
        "retry-after",
        .timeout,
        "5s",
        "What a client is told to wait when too many CARs and pieces are sent."
    )
    /// The patience with readers.
    package static let slowClientTimeout = NodeOption(
        "slow-client-timeout",
        .timeout,
        "30s",
        "How long a client may take for 256 KiB of an answer before its connection is closed."
    )
    /// The patience with idle connections.
    package static let idleTimeout = NodeOption(
        "idle-timeout",
        .timeout,
        "75s",
        "How long a connection may be open without a request."
    )
    /// The patience with mounts.
    package static let fetchTimeout = NodeOption(
        "fetch-timeout",
        .timeout,
        "60s",
        "How long the store may take to fetch or index a shard for a request."
    )
    /// The size of a walk.
    package static let distinctBlocksMax = NodeOption(
        "distinct-blocks-max",
        .count(1...1 << 40),
        "4194304",
        "The number of distinct blocks in one CAR of a DAG; each takes up to 43 bytes of memory."
    )
    /// Whether blocks are hashed.
    package static let verify = NodeOption(
        "verify",
        .flag(off: "no-verify", text: "Send blocks as they are; clients hash them too."),
        "false",
        "Hash every block before it is sent."
    )
    /// The database of the cluster.
    package static let cluster = NodeOption(
        "cluster",
        .text("url"),
        nil,
        "The database of a cluster, such as postgresql://USER@HOST/NAME; the node then takes shards from it."
    )
    /// The name in the cluster.
    package static let clusterName = NodeOption(
        "cluster-name",
        .text("name"),
        nil,
        "The node's name in the cluster; default: the host's name."
    )
    /// Where clients reach the node.
    package static let clusterURL = NodeOption(
        "cluster-url",
        .text("url"),
        nil,
        "Where clients reach this node, such as https://node1.example; default: the address of --listen."
    )
    /// The share of shards.
    package static let clusterCapacity = NodeOption(
        "cluster-capacity",
        .count(1...1_000_000),
        "1",
        "The share of shards that this node takes, relative to the others."
    )
    /// What to do with a block that another node holds.
    package static let clusterMisses = NodeOption(
        "cluster-misses",
        .choice(["redirect", "read"]),
        "redirect",
        "A block that another node has: redirect sends the client there, read gets it from there and checks it."
    )
    /// The time for running answers at the end.
    package static let drain = NodeOption(
        "drain",
        .duration,
        "10s",
        "How long answers may go on after the signal that ends the node."
    )
    /// What is logged.
    package static let logLevel = NodeOption(
        "log-level",
        .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]),
        "info",
        "The least important log lines to write to standard error."
    )
    /// How it is logged.
    package static let logFormat = NodeOption(
        "log-format",
        .choice(["text", "json"]),
        "text",
        "The format of log lines: text for people, json for programs."
    )

    /// The table: every option, in the order of help, files and documentation.
    package static let all = [
        listen, admin, adminToken, adminHost, store, wait, config, mountDir, lazy, settleTime,
        rescanInterval, maxSection,
        maxHeader, stuckAfter, remote, remoteCacheSize, allowPrivate, tlsCert, tlsKey, streamsMax,
        connectionsMax, requestBytesMax, totalBytesMax,
        totalBytesPeriod, retryAfter, slowClientTimeout, idleTimeout, fetchTimeout,
        distinctBlocksMax, verify, cluster, clusterName, clusterURL, clusterCapacity,
        clusterMisses, drain,
        logLevel, logFormat,
    ]
}
