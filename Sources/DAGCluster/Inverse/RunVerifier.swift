#if Cluster
    internal import DAGBytes
    internal import DAGStorage
    internal import ShardIndex

    /// Reads all bytes of runs, and compares them with their checksums.
    ///
    /// *Concurrency*: any task.
    struct RunVerifier: Sendable {
        let blobs: Blobs
        /// The bytes of one read.
        private static let readSize: UInt64 = 1 << 20

        /// Returns what is wrong with a run; nil if it is sound.
        ///
        /// *Cost*: reads all bytes of the run.
        ///
        /// - Throws: `catalogUnreachable`, and the errors of an object store.
        func fault(of run: ClusterRun) async throws -> String? {
            guard let blob = try await blobs.find(run.blob) else { return "its bytes are missing" }
            let directory = run.directory
            var chunk = directory.chunks.lowerBound
            while chunk < directory.chunks.upperBound {
                try Task.checkCancellation()
                let start = directory.byteRange(ofChunk: chunk).lowerBound
                var end = chunk + 1
                while end < directory.chunks.upperBound,
                    directory.byteRange(ofChunk: end).upperBound - start <= Self.readSize
                { end += 1 }
                let last = directory.byteRange(ofChunk: end - 1).upperBound
                let bytes: [UInt8]
                do {
                    bytes = try await blobs.bytes(start..<last, of: blob)
                } catch let error as DAGStoreError where error.code == .catalogCorrupt {
                    return error.message
                }
                if let fault = Self.fault(of: chunk..<end, bytes, directory) { return fault }
                chunk = end
            }
            return nil
        }

        private static func fault(
            of chunks: Range<Int>,
            _ bytes: [UInt8],
            _ directory: ChunkDirectory
        ) -> String? {
            let start = directory.byteRange(ofChunk: chunks.lowerBound).lowerBound
            do throws(ShardIndexError) {
                try bytes.withView { view throws(ShardIndexError) in
                    for chunk in chunks {
                        let range = directory.byteRange(ofChunk: chunk)
                        let part = Int(range.lowerBound - start)..<Int(range.upperBound - start)
                        try InverseChunk(reading: view[part], number: chunk, of: directory).check()
                    }
                }
                return nil
            } catch {
                return error.detail
            }
        }
    }
#endif
