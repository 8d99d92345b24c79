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
                ? "its source is not what was indexed: bring the old one back, or accept it with \(recover)"
                : "it is indexed, and its source is away: bring that back, and the shard is read again"
        case .registered where hasGivenIndex:
            return
                "its index came with it, and its CAR was not read yet: its first use reads it, or \(command("initialize"))"
        case .registered:
            return "not indexed yet: its first use indexes it, or \(command("initialize"))"
        case .initializing, .recovering:
            return isOwned
                ? "being fetched and indexed by the process that has the store open: wait for that"
                : "interrupted: go on with \(command("initialize"))"
        case .failed: return failure
        }
    }

    private func command(_ verb: String) -> String {
        "'\(Program.name) \(verb) \(key.text.asArgument)'"
    }

    private var recover: String { command("recover") }

    private var failure: String {
        guard let error else { return "it failed: \(recover) tries again" }
        switch (error.code, error.code.exitStatus) {
        case (.sourceChanged, _):
            return "its source is not what was indexed: bring the old one back or accept it, "
                + "then \(recover)"
        case (_, 4): return "its source cannot be read: mend that, then \(recover)"
        case (_, 5): return "its bytes are no CAR that can be read: replace them, then \(recover)"
        case (.catalogCorrupt, _): return "its index is damaged: \(recover) makes it anew"
        default: return "\(error.code.name): mend that, then \(recover)"
        }
    }
}
