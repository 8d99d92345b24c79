internal import DAGCatalog
package import DAGMounts
internal import SharedReads

extension Shard {
    /// The size of the shard's CAR file in bytes: header, index and padding included.
    package var sourceSize: UInt64 { reader.sourceSize }

    /// A text that differs when the bytes of the CAR file differ, as far as its attributes show.
    package var sourceVersion: String {
        let reader = reader
        let file = reader.accepted.withLock { $0 }
        return "\(reader.record.generation).\(file.modified).\(file.inode)"
    }

    /// Opens the CAR file for reading from its first byte to its last.
    ///
    /// The source stays readable after the release of the lease.
    ///
    /// *Cost*: for a mapped shard, a system call and a descriptor.
    ///
    /// - Throws: `sourceChanged`, `mountGone`, `mountUnreachable`, `outOfResources`, `closed`.
    package func openSource() throws -> any ByteSource {
        try translating(for: key) { try reader.openReader() }
    }
}
