#if Cluster
    internal import DAGBytes
    internal import DAGHashing
    internal import DAGStorage
    internal import PostgreSQL

    /// The blobs of a cluster: their rows in the database, and their bytes where the cluster keeps them.
    ///
    /// A blob's row goes from `uploading` to `live`, and to `dying` when the sweeper finds no row that names it. Each
    /// upload is an incarnation of its own. So no sweeper deletes what a publication names, and bytes of two uploads
    /// never mix.
    ///
    /// *Concurrency*: any thread or task.
    struct Blobs: Sendable {
        /// The states of a blob's row.
        enum State: Int64, Sendable {
            /// Some program uploads the bytes.
            case uploading = 0
            /// All bytes are there.
            case live = 1
            /// The sweeper deletes the bytes.
            case dying = 2
        }

        /// The largest size of a piece in bytes: that of a row.
        static let pieceSizeMax = 1 << 20

        let database: ClusterDatabase
        let bytes: any BlobBytes
        /// Returns the number of a new upload.
        private let newIncarnation: @Sendable () -> Int64

        /// Creates blobs whose bytes lie in a place of their own.
        ///
        /// No two uploads have the same number, not even after a sweep removed the row of a blob: a sweeper that slept
        /// would delete the bytes of the later one.
        init(
            database: ClusterDatabase,
            bytes: any BlobBytes,
            newIncarnation: @escaping @Sendable () -> Int64 = { .random(in: 1...incarnationMax) }
        ) {
            self.database = database
            self.bytes = bytes
            self.newIncarnation = newIncarnation
        }

        /// The largest number of an upload.
        static let incarnationMax = Int64.max >> 1

        /// Creates the blobs of a cluster; no request is sent.
        ///
        /// - Throws: As `ClusterFacts.byteStore`.
        init(_ facts: ClusterFacts, in database: ClusterDatabase) throws {
            self.init(database: database, bytes: try facts.byteStore(database))
        }

        /// Uploads a blob, unless its bytes are there.
        ///
        /// - Parameters:
        ///   - name: The SHA-256 of the bytes.
        ///   - size: The number of bytes.
        ///   - pieces: Returns the pieces in order, each of at most `pieceSizeMax` bytes; nil at the end.
        /// - Throws: `catalogCorrupt` if the pieces have another hash or size; `catalogUnreachable`, `catalogFull`,
        ///   and the errors of `pieces`.
        func put(
            _ name: BlobName,
            size: UInt64,
            _ pieces: () async throws -> [UInt8]?
        ) async throws {
            guard let incarnation = try await begin(name, size) else { return }
            do {
                try await upload(name, size, incarnation, pieces)
            } catch {
                // The next upload need not wait for this one.
                try? await abandon(name, incarnation)
                throw error
            }
        }

        private func upload(
            _ name: BlobName,
            _ size: UInt64,
            _ incarnation: Int64,
            _ pieces: () async throws -> [UInt8]?
        ) async throws {
            var hash = SHA256Stream()
            var batches = BlobBatches()
            while let piece = try await pieces() {
                precondition(piece.count <= Self.pieceSizeMax, "a piece of a blob is too large")
                guard !piece.isEmpty else { continue }
                piece.withView { hash.update($0) }
                guard let batch = batches.add(piece) else { continue }
                try Task.checkCancellation()
                try await bytes.put(batch, of: name, incarnation)
                try await touch(name, incarnation)
            }
            try await bytes.put(batches.rest, of: name, incarnation)
            guard batches.size == size, hash.finish() == name.bytes else {
                throw DAGStoreError(
                    .catalogCorrupt,
                    "blob \(name): its bytes changed between hashing and upload"
                )
            }
            try await end(name, incarnation, size: size)
        }

        /// The time in seconds after which an upload without a sign of life counts as dead.
        private static let uploadTime: Int64 = 60

        /// Ends an upload that failed; the sweeper deletes its bytes.
        private func abandon(_ name: BlobName, _ incarnation: Int64) async throws {
            try await database.run { transaction in
                try transaction.run(
                    """
                    UPDATE dagstore_blobs SET state = 2
                    WHERE name = $1 AND incarnation = $2 AND state = 0
                    """,
                    .bytes(name.bytes),
                    .integer(incarnation)
                )
                return
            }
        }

        /// Gives a sign of life of an upload.
        ///
        /// - Throws: `catalogUnreachable`.
        func touch(_ name: BlobName, _ incarnation: Int64) async throws {
            try await database.run(.repeatableRead) { transaction in
                try transaction.run(
                    """
                    UPDATE dagstore_blobs SET touched_at = now() WHERE name = $1 AND incarnation = $2
                    """,
                    .bytes(name.bytes),
                    .integer(incarnation)
                )
                return
            }
        }

        /// Writes the row of an upload.
        ///
        /// - Returns: The incarnation to upload; nil if the bytes are there.
        func begin(_ name: BlobName, _ size: UInt64) async throws -> Int64? {
            // A second run without the outcome of the first would take the first one for another upload.
            let begun = try await database.change("upload") { [newIncarnation] transaction in
                let rows = try transaction.run(
                    """
                    SELECT incarnation, state, CAST(extract(epoch FROM now() - touched_at) AS bigint)
                    FROM dagstore_blobs WHERE name = $1
                    """,
                    .bytes(name.bytes)
                )
                let isKnown = rows.count == 1
                let state = isKnown ? State(rawValue: try rows.integer(0, 1)) : nil
                // Two uploads of the same bytes would take each other's place for ever.
                if state == .uploading, try rows.integer(0, 2) < Self.uploadTime {
                    throw DAGStoreError(
                        .quotaExceeded,
                        "another node uploads blob \(name); try again in a minute"
                    )
                }
                // An upload that stands still is a dead program's; this one takes its place.
                let incarnation = state == .live ? try rows.integer(0, 0) : newIncarnation()
                try transaction.run(
                    """
                    INSERT INTO dagstore_blobs (name, incarnation, state, size, touched_at)
                    VALUES ($1, $2, 0, $3, now())
                    ON CONFLICT (name) DO UPDATE SET incarnation = $2, touched_at = now(),
                        state = CASE WHEN dagstore_blobs.state = 1 THEN 1 ELSE 0 END
                    """,
                    .bytes(name.bytes),
                    .integer(incarnation),
                    .integer(Int64(clamping: size))
                )
                return state == .live ? 0 : incarnation
            }
            return begun == 0 ? nil : begun
        }

        /// Marks an upload as complete.
        ///
        /// - Throws: `catalogUnreachable`, also if another upload or a sweep took its place.
        func end(_ name: BlobName, _ incarnation: Int64, size: UInt64) async throws {
            try await database.run { transaction in
                let count = try transaction.run(
                    """
                    UPDATE dagstore_blobs SET state = 1, size = $3, touched_at = now()
                    WHERE name = $1 AND incarnation = $2 AND state < 2
                    """,
                    .bytes(name.bytes),
                    .integer(incarnation),
                    .integer(Int64(clamping: size))
                ).changeCount
                guard count == 1 else {
                    throw DAGStoreError(
                        .catalogUnreachable,
                        "blob \(name) was swept, or uploaded by another node, meanwhile; try again"
                    )
                }
            }
        }

        /// Checks inside a publishing transaction that a blob is complete, and protects it from the sweeper.
        ///
        /// - Throws: `catalogUnreachable` if it is not; the caller uploads it again.
        static func keep(_ name: BlobName, _ transaction: borrowing Transaction) throws {
            let count = try transaction.run(
                "UPDATE dagstore_blobs SET touched_at = now() WHERE name = $1 AND state = 1",
                .bytes(name.bytes)
            ).changeCount
            guard count == 1 else {
                throw DAGStoreError(
                    .catalogUnreachable,
                    "blob \(name) was swept before its publication; try again"
                )
            }
        }

        /// Returns a blob's incarnation and size; nil if it is not complete.
        ///
        /// - Throws: `catalogUnreachable`.
        func find(_ name: BlobName) async throws -> StoredBlob? {
            try await database.run(.repeatableRead) { transaction in
                let rows = try transaction.run(
                    "SELECT incarnation, size FROM dagstore_blobs WHERE name = $1 AND state = 1",
                    .bytes(name.bytes)
                )
                guard rows.count == 1 else { return nil }
                return StoredBlob(
                    name: name,
                    incarnation: try rows.integer(0, 0),
                    size: UInt64(try rows.count(0, 1))
                )
            }
        }

        /// Returns bytes of a blob.
        ///
        /// - Throws: `catalogCorrupt` if some are missing; as `BlobBytes.bytes`.
        func bytes(_ range: Range<UInt64>, of blob: StoredBlob) async throws -> [UInt8] {
            let found = try await bytes.bytes(range, of: blob.name, blob.incarnation)
            guard found.count == range.count else {
                throw DAGStoreError(
                    .catalogCorrupt,
                    "blob \(blob.name) has \(found.count) of the bytes \(range)"
                )
            }
            return found
        }
    }

    /// A complete blob.
    struct StoredBlob: Sendable, Equatable {
        /// The name.
        let name: BlobName
        /// The number of the upload.
        let incarnation: Int64
        /// The size in bytes.
        let size: UInt64
    }
#endif
