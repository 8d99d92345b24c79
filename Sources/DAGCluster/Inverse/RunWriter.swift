#if Cluster
    internal import DAGStorage

    /// Uploads a run while a thread that may block writes its chunks.
    ///
    /// The name of a run is random, because its hash is known only at the end; each chunk has a checksum.
    ///
    /// *Memory*: 4 MiB. *Concurrency*: one thread.
    final class RunWriter {
        private let blobs: Blobs
        /// The name of the run.
        let name: BlobName
        private let incarnation: Int64
        private var batches = BlobBatches()
        /// The number of bytes so far.
        var size: UInt64 { batches.size }

        /// Begins an upload.
        ///
        /// - Throws: `catalogUnreachable`.
        init(_ blobs: Blobs) throws {
            self.blobs = blobs
            let name = try BlobName(Array(randomBytes: BlobName.size))
            self.name = name
            incarnation = try Blocking.wait { try await blobs.begin(name, 0) ?? 1 }
        }

        /// Adds a chunk.
        ///
        /// - Throws: `catalogUnreachable`, `catalogFull`.
        func append(_ chunk: [UInt8]) throws {
            if let batch = batches.add(chunk) { try put(batch) }
        }

        private func put(_ pieces: [BlobPiece]) throws {
            guard !pieces.isEmpty else { return }
            try Blocking.wait { [blobs, pieces, name, incarnation] in
                try await blobs.bytes.put(pieces, of: name, incarnation)
                try await blobs.touch(name, incarnation)
            }
        }

        /// Completes the upload.
        ///
        /// - Throws: `catalogUnreachable`, `catalogFull`.
        func finish() throws {
            try put(batches.rest)
            try Blocking.wait { [blobs, name, incarnation, size] in
                try await blobs.end(name, incarnation, size: size)
            }
        }
    }
#endif
