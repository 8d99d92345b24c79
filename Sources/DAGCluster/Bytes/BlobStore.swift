#if Cluster
    internal import DAGStorage
    internal import PostgreSQL

    /// Bytes that never change, named by their SHA-256: bundles, and runs of the inverse index.
    struct BlobName: Hashable, Sendable, CustomStringConvertible {
        /// The size of a name in bytes.
        static let size = 32
        /// The SHA-256 of the bytes.
        let bytes: [UInt8]

        /// Takes a name.
        ///
        /// - Throws: `catalogCorrupt` if it has another size.
        init(_ bytes: [UInt8]) throws(DAGStoreError) {
            guard bytes.count == Self.size else {
                throw DAGStoreError(.catalogCorrupt, "the name of a blob has \(bytes.count) bytes")
            }
            self.bytes = bytes
        }

        /// Parses the hexadecimal digits of `description`; nil for anything else.
        init?(hexadecimal digits: Substring.UTF8View) {
            let values = digits.prefix(2 * Self.size + 1)
                .map { Character(Unicode.Scalar($0)).hexDigitValue ?? 255 }
            guard values.count == 2 * Self.size, values.allSatisfy({ $0 < 16 }) else { return nil }
            bytes = stride(from: 0, to: values.count, by: 2).map {
                UInt8(values[$0] << 4 | values[$0 + 1])
            }
        }

        var description: String { bytes.hexadecimal }
    }

    /// Some bytes of a blob.
    struct BlobPiece: Sendable, Equatable {
        /// Their offset in the blob.
        let start: UInt64
        /// The bytes.
        let bytes: [UInt8]
    }

    /// Where the bytes of blobs lie.
    ///
    /// The database keeps a row for each blob, wherever the bytes are. So a program that publishes a blob and one that
    /// sweeps it meet in a transaction.
    ///
    /// *Concurrency*: any thread or task.
    protocol BlobBytes: Sendable {
        /// Stores pieces of a blob; a repeated call has no effect.
        ///
        /// - Parameters:
        ///   - pieces: The pieces of a batch, as `BlobBatches` makes it.
        ///   - blob: The blob.
        ///   - incarnation: The number of the upload, which is part of the name of the stored bytes.
        /// - Throws: `catalogUnreachable`, `catalogFull`, and the errors of an object store.
        func put(_ pieces: [BlobPiece], of blob: BlobName, _ incarnation: Int64) async throws

        /// Returns bytes of a blob: the piece that has the offset, from its beginning, and those after it.
        ///
        /// - Parameters:
        ///   - range: The offsets.
        ///   - blob: The blob.
        ///   - incarnation: The number of the upload.
        /// - Returns: The bytes of the range; fewer at the end of the blob.
        /// - Throws: `catalogUnreachable`, and the errors of an object store.
        func bytes(
            _ range: Range<UInt64>,
            of blob: BlobName,
            _ incarnation: Int64
        ) async throws -> [UInt8]

        /// Returns the number of bytes of an upload that are stored, from the beginning to the first gap.
        ///
        /// - Parameters:
        ///   - blob: The blob.
        ///   - incarnation: The number of the upload.
        /// - Returns: The number of bytes; 0 if there are none.
        /// - Throws: `catalogUnreachable`, and the errors of an object store.
        func size(of blob: BlobName, _ incarnation: Int64) async throws -> UInt64

        /// Looks for uploads that have old bytes.
        ///
        /// - Parameters:
        ///   - grace: The least age of the bytes; the database has the bytes of no young upload without a row.
        ///   - position: The `next` of the call before; nil for the first one.
        /// - Returns: Some of the uploads; those that a row names may be missing.
        /// - Throws: `catalogUnreachable`, and the errors of an object store.
        func uploads(
            olderThan grace: Duration,
            after position: String?
        ) async throws -> StoredUploads

        /// Deletes the bytes of an upload, or some of them.
        ///
        /// - Returns: Whether none are left.
        /// - Throws: `catalogUnreachable`, and the errors of an object store.
        func deleteSome(of blob: BlobName, _ incarnation: Int64) async throws -> Bool

        /// Returns what is wrong if this is another place than the one that the cluster was made with.
        ///
        /// - Throws: The errors of an object store.
        func placeFault() async throws -> DAGStoreError?
    }

    extension BlobBytes {
        func placeFault() async throws -> DAGStoreError? { nil }
    }

    /// Some of the uploads that have bytes.
    struct StoredUploads: Sendable {
        /// The uploads; `size` is that of the bytes that were seen.
        var uploads: [StoredBlob]
        /// The place at which the next call goes on; nil if there are no more.
        var next: String?

        /// Adds bytes of an upload; those of one upload follow each other.
        mutating func add(_ blob: BlobName, _ incarnation: Int64, size: UInt64) {
            var size = size
            if let last = uploads.last, last.name == blob, last.incarnation == incarnation {
                uploads.removeLast()
                size = last.size.addingReportingOverflow(size).partialValue
            }
            uploads.append(StoredBlob(name: blob, incarnation: incarnation, size: size))
        }
    }

    /// Bytes of blobs in the rows of the database.
    struct DatabaseBytes: BlobBytes {
        let database: ClusterDatabase

        func put(_ pieces: [BlobPiece], of blob: BlobName, _ incarnation: Int64) async throws {
            try await database.run(.repeatableRead) { transaction in
                for piece in pieces {
                    try transaction.run(
                        """
                        INSERT INTO dagstore_blob_parts (name, incarnation, start, bytes)
                        VALUES ($1, $2, $3, $4) ON CONFLICT (name, incarnation, start) DO NOTHING
                        """,
                        .bytes(blob.bytes),
                        .integer(incarnation),
                        .integer(Int64(piece.start)),
                        .bytes(piece.bytes)
                    )
                }
            }
        }

        func bytes(
            _ range: Range<UInt64>,
            of blob: BlobName,
            _ incarnation: Int64
        ) async throws -> [UInt8] {
            try await database.run(.repeatableRead) { transaction in
                let rows = try transaction.run(
                    """
                    SELECT start, bytes FROM dagstore_blob_parts
                    WHERE name = $1 AND incarnation = $2 AND start < $4 AND start >= (
                        SELECT coalesce(max(start), 0) FROM dagstore_blob_parts
                        WHERE name = $1 AND incarnation = $2 AND start <= $3)
                    ORDER BY start
                    """,
                    .bytes(blob.bytes),
                    .integer(incarnation),
                    .integer(Int64(clamping: range.lowerBound)),
                    .integer(Int64(clamping: range.upperBound))
                )
                var bytes: [UInt8] = []
                var next = range.lowerBound
                for row in 0..<rows.count {
                    let start = UInt64(try rows.count(row, 0))
                    let piece = try rows.bytes(row, 1)
                    // A gap ends the bytes: a row is gone.
                    guard start <= next, start + UInt64(piece.count) > next else { break }
                    let end = min(UInt64(piece.count), range.upperBound - start)
                    bytes += piece[Int(next - start)..<Int(end)]
                    next = start + end
                }
                return bytes
            }
        }

        func size(of blob: BlobName, _ incarnation: Int64) async throws -> UInt64 {
            var size: UInt64 = 0
            while true {
                let start = size
                let rows = try await ends(of: blob, incarnation, from: start)
                for row in rows {
                    // A gap ends the bytes: a row is gone.
                    guard row.lowerBound <= size else { return size }
                    size = max(size, row.upperBound)
                }
                guard size > start else { return size }
            }
        }

        /// Returns the ranges of a bounded number of rows.
        private func ends(
            of blob: BlobName,
            _ incarnation: Int64,
            from start: UInt64
        ) async throws -> [Range<UInt64>] {
            try await database.run(.repeatableRead) { transaction in
                let rows = try transaction.run(
                    """
                    SELECT start, length(bytes) FROM dagstore_blob_parts
                    WHERE name = $1 AND incarnation = $2 AND start >= $3
                    ORDER BY start LIMIT 4096
                    """,
                    .bytes(blob.bytes),
                    .integer(incarnation),
                    .integer(Int64(clamping: start))
                )
                return try (0..<rows.count).map { row in
                    let start = UInt64(try rows.count(row, 0))
                    return start..<start + UInt64(try rows.count(row, 1))
                }
            }
        }

        /// The most uploads that one call of `uploads` looks at.
        private static let uploadsMax = 256

        func uploads(
            olderThan grace: Duration,
            after position: String?
        ) async throws -> StoredUploads {
            let words = position?.split(separator: " ") ?? []
            let name = words.first.flatMap { BlobName(hexadecimal: $0.utf8) }?.bytes ?? []
            let incarnation = words.count == 2 ? Int64(words[1]) ?? 0 : 0
            return try await database.run(.repeatableRead) { transaction in
                var found = StoredUploads(uploads: [], next: nil)
                var last = (name: name, incarnation: incarnation)
                // Each statement reads one entry of the index, however many rows the upload has.
                for _ in 0..<Self.uploadsMax {
                    let rows = try transaction.run(
                        """
                        SELECT name, incarnation, EXISTS (SELECT 1 FROM dagstore_blobs b
                            WHERE b.name = p.name AND b.incarnation = p.incarnation)
                        FROM dagstore_blob_parts p
                        WHERE (name, incarnation) > ($1, $2)
                        ORDER BY name, incarnation LIMIT 1
                        """,
                        .bytes(last.name),
                        .integer(last.incarnation)
                    )
                    guard rows.count == 1 else { return found }
                    last = (try rows.bytes(0, 0), try rows.integer(0, 1))
                    // Bytes under a name that no program gives stay.
                    guard try !rows.truth(0, 2), let name = try? BlobName(last.name) else {
                        continue
                    }
                    found.add(name, last.incarnation, size: 0)
                }
                found.next = "\(last.name.hexadecimal) \(last.incarnation)"
                return found
            }
        }

        func deleteSome(of blob: BlobName, _ incarnation: Int64) async throws -> Bool {
            try await database.run { transaction in
                // 16 MiB a transaction.
                let count = try transaction.run(
                    """
                    DELETE FROM dagstore_blob_parts
                    WHERE name = $1 AND incarnation = $2 AND start IN (
                        SELECT start FROM dagstore_blob_parts
                        WHERE name = $1 AND incarnation = $2 ORDER BY start LIMIT 16)
                    """,
                    .bytes(blob.bytes),
                    .integer(incarnation)
                ).changeCount
                return count < 16
            }
        }
    }
#endif
