#if Cluster
    internal import DAGStorage
    internal import PostgreSQL

    /// The deletions of a sweep.
    package struct SweepReport: Sendable, Equatable {
        /// The number of blobs without a name in any row.
        package var blobCount = 0
        /// Their size in bytes.
        package var byteCount: UInt64 = 0
        /// The number of answered requests that no retry asks for any more.
        package var requestCount = 0
    }

    extension ClusterDatabase {
        /// Deletes bytes that no row names.
        ///
        /// - Parameter grace: The time that an upload has until its publication.
        /// - Returns: What was deleted.
        /// - Throws: `catalogUnreachable`; `invalidConfiguration` if the object store of the cluster refuses requests.
        package func sweep(grace: Duration) async throws -> SweepReport {
            let blobs = try Blobs(try await facts(), in: self)
            return try await Sweeper(blobs: blobs, grace: grace).sweep()
        }
    }

    /// Deletes what no row names.
    struct Sweeper: Sendable {
        let blobs: Blobs
        /// The time that an upload has until its publication.
        let grace: Duration

        /// The time for which answers of requests are kept; a retry comes within seconds.
        private static let requestTime = Duration.seconds(86_400)

        /// Sweeps once.
        ///
        /// - Throws: `catalogUnreachable`, and the errors of an object store.
        func sweep() async throws -> SweepReport {
            var report = SweepReport()
            report.requestCount = try await forgetRequests()
            try await markUnnamed()
            try await deleteOrphans(&report)
            var last: [UInt8]? = []
            while let start = last {
                let page = try await dying(after: start)
                for blob in page.blobs {
                    while try await !blobs.bytes.deleteSome(of: blob.name, blob.incarnation) {
                        try Task.checkCancellation()
                    }
                    // The row stays if a new upload has begun.
                    guard try await remove(blob) else { continue }
                    report.blobCount += 1
                    report.byteCount += blob.size
                }
                last = page.last
            }
            return report
        }

        /// The blobs that one statement looks at, and the requests that it deletes.
        private static let pageSize: Int64 = 1024

        /// Marks the blobs that no row names and that no upload has touched for a while, page by page.
        private func markUnnamed() async throws {
            var last: [UInt8]? = []
            while let start = last {
                try Task.checkCancellation()
                last = try await markUnnamed(after: start)
            }
        }

        /// Marks blobs of one page.
        ///
        /// - Returns: The last name of the page; nil if there are no more.
        private func markUnnamed(after start: [UInt8]) async throws -> [UInt8]? {
            try await blobs.database.run { transaction in
                let names = try transaction.run(
                    "SELECT name FROM dagstore_blobs WHERE name > $1 ORDER BY name LIMIT $2",
                    .bytes(start),
                    .integer(Self.pageSize)
                )
                guard names.count > 0 else { return nil }
                let end = try names.bytes(names.count - 1, 0)
                try transaction.run(
                    """
                    UPDATE dagstore_blobs SET state = 2, touched_at = now()
                    WHERE name > $2 AND name <= $3 AND state < 2
                        AND touched_at < now() - CAST($1 AS bigint) * interval '1 millisecond'
                        AND NOT EXISTS (SELECT 1 FROM dagstore_shards s
                            WHERE s.bundle = dagstore_blobs.name)
                        AND NOT EXISTS (SELECT 1 FROM dagstore_runs r
                            WHERE r.blob = dagstore_blobs.name)
                    """,
                    .integer(grace.milliseconds),
                    .bytes(start),
                    .bytes(end)
                )
                return end
            }
        }

        /// Deletes the bytes of uploads without a row.
        ///
        /// A slow program wrote them after a sweep, or the database is an older one that was restored. No later upload
        /// has their number.
        private func deleteOrphans(_ report: inout SweepReport) async throws {
            var position: String?
            repeat {
                let found = try await blobs.bytes.uploads(olderThan: grace, after: position)
                for (orphan, isBlobKnown) in try await unnamed(found.uploads) {
                    try Task.checkCancellation()
                    while try await !blobs.bytes.deleteSome(of: orphan.name, orphan.incarnation) {
                        try Task.checkCancellation()
                    }
                    // The blob has a later upload.
                    if isBlobKnown { continue }
                    report.blobCount += 1
                    report.byteCount += orphan.size
                }
                position = found.next
            } while position != nil
        }

        /// Returns the uploads that no row names, and whether their blobs have rows.
        private func unnamed(
            _ uploads: [StoredBlob]
        ) async throws -> [(upload: StoredBlob, isBlobKnown: Bool)] {
            let names = uploads.map(\.name.bytes)
            guard let first = names.min(by: { $0.lexicographicallyPrecedes($1) }),
                let last = names.max(by: { $0.lexicographicallyPrecedes($1) })
            else { return [] }
            let known = try await blobs.database.run(.repeatableRead) {
                transaction in
                let rows = try transaction.run(
                    """
                    SELECT name, incarnation FROM dagstore_blobs WHERE name >= $1 AND name <= $2
                    """,
                    .bytes(first),
                    .bytes(last)
                )
                return try (0..<rows.count).reduce(into: [[UInt8]: Int64]()) { known, row in
                    known[try rows.bytes(row, 0)] = try rows.integer(row, 1)
                }
            }
            return uploads.filter { known[$0.name.bytes] != $0.incarnation }
                .map { ($0, known[$0.name.bytes] != nil) }
        }

        /// Returns some dying blobs after a name, and the last name of the page; nil if there are no more.
        ///
        /// A row that cannot be read stays.
        private func dying(after start: [UInt8]) async throws -> (
            blobs: [StoredBlob], last: [UInt8]?
        ) {
            try await blobs.database.run(.repeatableRead) { transaction in
                let rows = try transaction.run(
                    """
                    SELECT name, incarnation, size FROM dagstore_blobs
                    WHERE name > $1 AND state = 2 ORDER BY name LIMIT $2
                    """,
                    .bytes(start),
                    .integer(Self.pageSize)
                )
                let found = try (0..<rows.count).compactMap { row -> StoredBlob? in
                    guard let name = try? BlobName(rows.bytes(row, 0)) else { return nil }
                    return StoredBlob(
                        name: name,
                        incarnation: try rows.integer(row, 1),
                        size: UInt64(clamping: try rows.integer(row, 2))
                    )
                }
                return (found, rows.count > 0 ? try rows.bytes(rows.count - 1, 0) : nil)
            }
        }

        /// Removes the row of a blob whose bytes are deleted.
        ///
        /// - Returns: Whether the row was still the same.
        private func remove(_ blob: StoredBlob) async throws -> Bool {
            try await blobs.database.change("sweep") { transaction in
                Int64(
                    try transaction.run(
                        """
                        DELETE FROM dagstore_blobs WHERE name = $1 AND incarnation = $2 AND state = 2
                        """,
                        .bytes(blob.name.bytes),
                        .integer(blob.incarnation)
                    ).changeCount
                )
            } == 1
        }

        /// Deletes what later programs need no more: answered requests, and moves that all nodes have followed.
        ///
        /// - Returns: The number of requests.
        private func forgetRequests() async throws -> Int {
            try await blobs.database.run { transaction in
                try ClusterDatabase.removeFollowedMoves(transaction)
            }
            var total = 0
            while true {
                try Task.checkCancellation()
                let count = try await blobs.database.run { transaction in
                    try transaction.run(
                        """
                        DELETE FROM dagstore_requests WHERE id IN (
                            SELECT id FROM dagstore_requests
                            WHERE made_at < now() - CAST($1 AS bigint) * interval '1 millisecond'
                            ORDER BY made_at LIMIT $2)
                        """,
                        .integer(Self.requestTime.milliseconds),
                        .integer(Self.pageSize)
                    ).changeCount
                }
                total += count
                guard count == Int(Self.pageSize) else { return total }
            }
        }
    }
#endif
