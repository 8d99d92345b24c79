internal import DAGStorage

extension ShardStatus {
    /// Why the shard is not available, and what to do about it; nil if it is available.
    ///
    /// - Parameters:
    ///   - isOwned: Whether some process has the store open for writing.
    ///   - error: Why it cannot be read now, if that was tried.
    /// - Returns: One sentence.
    func explanation(isOwned: Bool, _ error: DAGStoreError? = nil) -> String? {
        switch state {
        case .available, .serving:
            guard let error else { return nil }
            return error.code == .sourceChanged
                ? "its source is not what was indexed: bring the old one back, or accept it and `\(Program.name) recover` it"
                : "it is indexed, and its source is away: it is read again when that is back"
        case .registered:
            return "not indexed yet: its first use indexes it, or `\(Program.name) initialize`"
        case .initializing, .recovering:
            return isOwned
                ? "being fetched and indexed by the process that has the store open"
                : "interrupted; it is taken up when the store is opened for writing"
        case .failed: return failure
        }
    }

    private var failure: String {
        let recovery = "then `\(Program.name) recover` it"
        guard let error else { return "it failed; `\(Program.name) recover` tries again" }
        switch (error.code, error.code.exitStatus) {
        case (.sourceChanged, _):
            return "its source is not what was indexed: bring the old one back or accept it, "
                + recovery
        case (_, 4): return "its source cannot be read: mend that, " + recovery
        case (_, 5): return "its bytes are no CAR that can be read: replace them, " + recovery
        case (.catalogCorrupt, _):
            return "its index is damaged: `\(Program.name) recover` makes it anew"
        default: return "\(error.code.name): mend that, " + recovery
        }
    }
}
