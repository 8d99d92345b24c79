package import DAGStorage

extension ShardStatus {
    /// Writes the members that `list` and `status` share.
    ///
    /// - Parameters:
    ///   - json: The writer.
    ///   - error: The error of an attempt to read it; else the stored error.
    package func write(to json: inout JSONWriter, error: DAGStoreError? = nil) {
        json.member("key", key.text)
        json.member("state", state.rawValue)
        json.member("mount", mountURL)
        json.member("lazy", isLazy)
        json.member("blocks", blockCount)
        json.member("bytes", payloadSize)
        json.member("error", (error ?? self.error)?.code.name)
    }
}
