internal import DAGStorage

/// The next steps after errors of the verbs of a cluster.
extension Advice {
    /// Whether the command line has a verb of a cluster.
    static var isOfCluster: Bool { verb.hasPrefix("\(Program.name) cluster ") }

    /// The next step after an error of a verb of a cluster.
    ///
    /// - Parameters:
    ///   - code: The error's code.
    ///   - key: The key of the shard it is about, as an argument; nil if it is about none.
    /// - Returns: A clause without a full stop; nil if the usual step for the code applies.
    static func nextStepInCluster(after code: DAGStoreError.Code, _ key: String?) -> String? {
        switch code {
        case .invalidConfiguration: "check the user and the password of the database's address"
        case .shardUnknown: "run 'dagstore cluster shards' to see the keys"
        case .shardExists:
            "choose another key with --key, or remove that shard with "
                + "'dagstore cluster destroy \(key ?? "KEY")'"
        case .blockNotFound: "register a CAR that has it with 'dagstore cluster register'"
        case .catalogCorrupt:
            "run 'dagstore cluster check' to see what is damaged: nodes mend bundles and runs by "
                + "themselves; else restore a backup of the database"
        case .catalogFull: "free disk space of the database's server, then try again"
        case .catalogTooNew: "use the newer release of dagstore that the nodes run"
        default: key.flatMap { afterFailure(code, $0) }
        }
    }

    /// The next step after the failure of a shard, whose source or bytes are at fault.
    private static func afterFailure(_ code: DAGStoreError.Code, _ key: String) -> String? {
        guard [4, 5].contains(code.exitStatus) || code == .shardFailed else { return nil }
        return "mend the source, then run 'dagstore cluster recover \(key)'"
    }
}
