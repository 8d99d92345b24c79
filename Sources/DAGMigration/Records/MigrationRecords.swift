internal import DAGBytes
internal import SystemPackage

/// The records that say where a shard's multihashes are, read from a source.
protocol MigrationRecords {
    /// The file or folder that they are read from.
    var path: FilePath { get }

    /// Calls `body` with every record, in any order, the same at each call.
    ///
    /// - Parameter body: Receives the hash function if it is known, the digest, valid during the call, and
    ///   the section's offset.
    /// - Throws: `.malformedIndex`, `.sourceChanged`, `.sourceUnreadable`, and what `body` throws.
    func forEach(
        _ body: (_ hashCode: UInt64?, _ digest: ByteView, _ offset: UInt64) throws(MigrationError)
            -> Void
    ) throws(MigrationError)
}
