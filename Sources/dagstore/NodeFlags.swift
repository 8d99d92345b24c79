internal import ArgumentParser
internal import DAGNode

/// The flags of `serve`: one for each entry of the table of options.
struct NodeFlags: ParsableArguments {
    @Option(.listen) var listen: String?
    @Option(.admin) var admin: String?
    @Option(.adminToken) var adminToken: String?
    @Option(.adminHost) var adminHost: [String] = []
    @Option(.store) var store: String?
    @Option(.wait) var wait: String?
    @Option(.config) var config: String?
    @Option(.mountDir) var mountDir: [String] = []
    @Flag(exclusivity: .chooseLast) var indexing: FolderIndexing?
    @Option(.settleTime) var settleTime: String?
    @Option(.rescanInterval) var rescanInterval: String?
    @Option(.maxSection) var maxSection: String?
    @Option(.maxHeader) var maxHeader: String?
    @Option(.stuckAfter) var stuckAfter: String?
    @Option(.remote) var remote: String?
    @Option(.remoteCacheSize) var remoteCacheSize: String?
    @Flag(exclusivity: .chooseLast) var networks: PrivateNetworks?
    @Option(.tlsCert) var tlsCert: String?
    @Option(.tlsKey) var tlsKey: String?
    @Option(.streamsMax) var streamsMax: String?
    @Option(.connectionsMax) var connectionsMax: String?
    @Option(.requestBytesMax) var requestBytesMax: String?
    @Option(.totalBytesMax) var totalBytesMax: String?
    @Option(.totalBytesPeriod) var totalBytesPeriod: String?
    @Option(.retryAfter) var retryAfter: String?
    @Option(.slowClientTimeout) var slowClientTimeout: String?
    @Option(.idleTimeout) var idleTimeout: String?
    @Option(.fetchTimeout) var fetchTimeout: String?
    @Option(.distinctBlocksMax) var distinctBlocksMax: String?
    @Flag(exclusivity: .chooseLast) var hashing: BlockHashing?
    @Option(.cluster) var cluster: String?
    @Option(.clusterName) var clusterName: String?
    @Option(.clusterURL) var clusterURL: String?
    @Option(.clusterCapacity) var clusterCapacity: String?
    @Option(.clusterMisses) var clusterMisses: String?
    @Option(.drain) var drain: String?
    @Option(.logLevel) var logLevel: String?
    @Option(.logFormat) var logFormat: String?

    /// The values that were given.
    var values: [NodeOption: [String]] {
        let single: [(NodeOption, String?)] = [
            (.listen, listen), (.admin, admin), (.adminToken, adminToken),
            (.stuckAfter, stuckAfter), (.store, store), (.wait, wait), (.config, config),
            (.lazy, indexing?.value), (.settleTime, settleTime), (.rescanInterval, rescanInterval),
            (.maxSection, maxSection), (.maxHeader, maxHeader), (.remote, remote),
            (.remoteCacheSize, remoteCacheSize), (.allowPrivate, networks?.value),
            (.tlsCert, tlsCert),
            (.tlsKey, tlsKey), (.streamsMax, streamsMax), (.connectionsMax, connectionsMax),
            (.requestBytesMax, requestBytesMax), (.totalBytesMax, totalBytesMax),
            (.totalBytesPeriod, totalBytesPeriod), (.retryAfter, retryAfter),
            (.slowClientTimeout, slowClientTimeout), (.idleTimeout, idleTimeout),
            (.fetchTimeout, fetchTimeout), (.distinctBlocksMax, distinctBlocksMax),
            (.verify, hashing?.value), (.cluster, cluster), (.clusterName, clusterName),
            (.clusterURL, clusterURL), (.clusterCapacity, clusterCapacity),
            (.clusterMisses, clusterMisses), (.drain, drain),
            (.logLevel, logLevel),
            (.logFormat, logFormat),
        ]
        var values: [NodeOption: [String]] = [:]
        for (option, value) in single { values[option] = value.map { [$0] } }
        if !mountDir.isEmpty { values[.mountDir] = mountDir }
        if !adminHost.isEmpty { values[.adminHost] = adminHost }
        return values
    }

    func validate() throws {
        for (option, values) in values.sorted(by: { $0.key.name < $1.key.name }) {
            for value in values {
                guard let fault = option.fault(in: value) else { continue }
                throw ValidationError("--\(option.name) \(fault)")
            }
        }
    }
}

/// A flag that turns an option on or off.
protocol SwitchFlag: EnumerableFlag {
    /// The option.
    static var option: NodeOption { get }
    /// The flag that turns it on.
    static var on: Self { get }
}

extension SwitchFlag {
    /// The value of the option.
    var value: String { self == Self.on ? "true" : "false" }

    static func name(for value: Self) -> NameSpecification {
        guard value != on, case .flag(let off, _) = option.kind else {
            return .customLong(option.name)
        }
        return .customLong(off)
    }

    static func help(for value: Self) -> ArgumentHelp? {
        guard value != on, case .flag(_, let text) = option.kind else {
            return ArgumentHelp(stringLiteral: option.text)
        }
        let isDefault = option.standard == "false"
        return ArgumentHelp(stringLiteral: isDefault ? "\(text) The default." : text)
    }
}

/// `--lazy` or `--eager`.
enum FolderIndexing: SwitchFlag {
    case lazy
    case eager
    static let option = NodeOption.lazy
    static let on = Self.lazy
}

/// `--verify` or `--no-verify`.
enum BlockHashing: SwitchFlag {
    case verify
    case noVerify
    static let option = NodeOption.verify
    static let on = Self.verify
}

/// `--allow-private` or `--refuse-private`.
enum PrivateNetworks: SwitchFlag {
    case allowPrivate
    case refusePrivate
    static let option = NodeOption.allowPrivate
    static let on = Self.allowPrivate
}

extension Option where Value == String? {
    /// Makes the flag of an option.
    fileprivate init(_ option: NodeOption) {
        self.init(name: .customLong(option.name), help: option.argumentHelp)
    }
}

extension Option where Value == [String] {
    /// Makes the flag of an option that has several values.
    fileprivate init(wrappedValue: Value, _ option: NodeOption) {
        self.init(
            wrappedValue: wrappedValue,
            name: .customLong(option.name),
            help: option.argumentHelp
        )
    }
}

extension NodeOption {
    fileprivate var argumentHelp: ArgumentHelp {
        ArgumentHelp(stringLiteral: help, valueName: placeholder)
    }
}

extension ArgumentHelp {
    fileprivate init(stringLiteral text: String, valueName: String) {
        self.init(stringLiteral: text)
        self.valueName = valueName
    }
}
