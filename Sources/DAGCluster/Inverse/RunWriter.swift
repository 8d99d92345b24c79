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
        private var pieces: [BlobPiece] = []
        private var pendingSize = 0
        /// The number of bytes so far.
        private(set) var size: UInt64 = 0

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
            pieces.append(BlobPiece(start: size, bytes: chunk))
            size += UInt64(chunk.count)
            pendingSize += chunk.count
            if pendingSize >= Blobs.batchSize { try flush() }
        }

        private func flush() throws {
            guard !pieces.isEmpty else { return }
            try Blocking.wait { [blobs, pieces, name, incarnation] in
                try await blobs.bytes.put(pieces, of: name, incarnation)
                try await blobs.touch(name, incarnation)
            }
            pieces = []
            pendingSize = 0
        }

        /// Completes the upload.
        ///
        /// - Throws: `catalogUnreachable`, `catalogFull`.
        func finish() throws {
            try flush()
            try Blocking.wait { [blobs, name, incarnation, size] in
                try await blobs.end(name, incarnation, size: size)
            }
        }
    }
#endif
