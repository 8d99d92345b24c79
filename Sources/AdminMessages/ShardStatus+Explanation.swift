package import DAGStorage

extension ShardStatus {
    /// Explains why the shard cannot be read, and what to do; `nil` if it can be read.
    ///
    /// - Parameters:
    ///   - isOwned: Whether a process has the store open for writing.
    ///   - error: The error of an attempt to read it.
    /// - Returns: One sentence.
    package func explanation(isOwned: Bool, _ error: DAGStoreError? = nil) -> String? {
        switch state {
        case .available, .serving:
            guard let error else { return nil }
            return error.code == .sourceChanged
                ? "its source has other bytes than the index: restore the old file, or run \(recover)"
                : "its source is away: restore the source, and the shard can be read again"
        case .registered where hasGivenIndex:
            return "its index came with it, and its CAR was not read yet: "
                + "the first use reads it, or run \(command("initialize"))"
        case .registered:
            return
                "it is not indexed yet: the first use indexes it, or run \(command("initialize"))"
        case .initializing, .recovering:
            return isOwned
                ? "the process that has the store open is fetching and indexing it: wait for that"
                : "its indexing was interrupted: run \(command("initialize"))"
        case .failed: return failure
        }
    }

    private func command(_ verb: String) -> String {
        "'dagstore \(verb) \(key.text.asArgument)'"
    }

    private var recover: String { command("recover") }

    private var failure: String {
        guard let error else { return "it failed: run \(recover)" }
        switch (error.code, error.code.exitStatus) {
        case (.sourceChanged, _):
            return
                "its source has other bytes than the index: restore the old file or keep the new one, "
                + "then run \(recover)"
        case (_, 4): return "its source cannot be read: repair that, then run \(recover)"
        case (_, 5): return "its bytes are not a valid CAR: replace the file, then run \(recover)"
        case (.catalogCorrupt, _): return "its index is damaged: run \(recover) to index it again"
        default: return "\(error.code.name): repair that, then run \(recover)"
        }
    }
}
