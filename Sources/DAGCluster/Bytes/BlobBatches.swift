#if Cluster
    /// Cuts the bytes of a blob into batches, each of which is stored at once.
    ///
    /// *Shape*: each batch but the last begins and ends at a multiple of `ObjectFolder.partSize`, so that it is an
    /// object of its own in an object store. Its pieces follow each other, and fit into rows of the database.
    struct BlobBatches: Sendable {
        /// The pieces of the batch that is not full.
        private(set) var rest: [BlobPiece] = []
        /// The number of bytes so far.
        private(set) var size: UInt64 = 0

        /// Adds bytes after those so far.
        ///
        /// - Parameter bytes: At most `Blobs.pieceSizeMax` bytes.
        /// - Returns: A batch that is full now; nil if none is.
        mutating func add(_ bytes: [UInt8]) -> [BlobPiece]? {
            precondition(bytes.count <= Blobs.pieceSizeMax, "a piece of a blob is too large")
            let room = Int(ObjectFolder.partSize - size % ObjectFolder.partSize)
            append(Array(bytes.prefix(room)))
            guard bytes.count >= room else { return nil }
            defer {
                rest = []
                append(Array(bytes.dropFirst(room)))
            }
            return rest
        }

        private mutating func append(_ bytes: [UInt8]) {
            guard !bytes.isEmpty else { return }
            rest.append(BlobPiece(start: size, bytes: bytes))
            size += UInt64(bytes.count)
        }
    }
#endif
