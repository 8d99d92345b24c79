#if Cluster
    internal import DAGStorage
    internal import ShardIndex

    /// Reads the chunks of a run one after another; blocks the thread.
    ///
    /// *Concurrency*: one thread.
    final class RunReader {
        private let run: ClusterRun
        private let blobs: Blobs
        private let readSize: UInt64
        private let blob: StoredBlob
        private var bytes: [UInt8] = []
        private var start: UInt64 = 0

        /// Finds the bytes of a run.
        ///
        /// - Throws: `catalogCorrupt` if the cluster lacks them; `catalogUnreachable`.
        init(_ run: ClusterRun, _ blobs: Blobs, readSize: UInt64) throws {
            self.run = run
            self.blobs = blobs
            self.readSize = readSize
            let found = try Blocking.wait { try await blobs.find(run.blob) }
            guard let found else {
                throw DAGStoreError(.catalogCorrupt, "the cluster lacks the run \(run.blob)")
            }
            blob = found
        }

        /// Returns a chunk, and reads those after it too.
        ///
        /// - Throws: `catalogCorrupt`, `catalogUnreachable`.
        func chunk(_ number: Int) throws -> [UInt8] {
            let range = run.directory.byteRange(ofChunk: number)
            if range.lowerBound < start || range.upperBound > start + UInt64(bytes.count) {
                let end = max(
                    range.upperBound,
                    min(range.lowerBound + readSize, run.directory.totalSize)
                )
                bytes = try Blocking.wait { [blobs, blob] in
                    try await blobs.bytes(range.lowerBound..<end, of: blob)
                }
                start = range.lowerBound
            }
            return Array(bytes[Int(range.lowerBound - start)..<Int(range.upperBound - start)])
        }
    }
#endif
