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
        /// - Throws: `catalogUnreachable`.
        package func sweep(grace: Duration) async throws -> SweepReport {
            let blobs = Blobs(database: self, bytes: DatabaseBytes(database: self))
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

        /// The longest time of a statement over all blobs.
        private static let patience = Duration.seconds(600)

        /// Sweeps once.
        ///
        /// - Throws: `catalogUnreachable`, and the errors of an object store.
        func sweep() async throws -> SweepReport {
            var report = SweepReport()
            report.requestCount = try await forgetRequests()
            try await markUnnamed()
            try await deleteOrphans()
            while let blob = try await nextDying() {
                while try await !blobs.bytes.deleteSome(of: blob.name, blob.incarnation) {
                    try Task.checkCancellation()
                }
                // The row stays if a new upload has begun.
                guard try await remove(blob) else { continue }
                report.blobCount += 1
                report.byteCount += blob.size
            }
            return report
        }

        /// Marks the blobs that no row names and that no upload has touched for a while.
        private func markUnnamed() async throws {
            try await blobs.database.run(within: Self.patience) { transaction in
                try transaction.run(
                    """
                    UPDATE dagstore_blobs SET state = 2
                    WHERE state < 2
                        AND touched_at < now() - CAST($1 AS bigint) * interval '1 millisecond'
                        AND NOT EXISTS (SELECT 1 FROM dagstore_shards s
                            WHERE s.bundle = dagstore_blobs.name)
                        AND NOT EXISTS (SELECT 1 FROM dagstore_runs r
                            WHERE r.blob = dagstore_blobs.name)
                    """,
                    .integer(grace.milliseconds)
                )
                return
            }
        }

        /// Deletes the bytes of uploads without a row: a slow program wrote them after a sweep.
        private func deleteOrphans() async throws {
            while true {
                let orphan = try await blobs.database.run(.repeatableRead, within: Self.patience) {
                    transaction -> StoredBlob? in
                    let rows = try transaction.run(
                        """
                        SELECT name, incarnation FROM dagstore_blob_parts p
                        WHERE NOT EXISTS (SELECT 1 FROM dagstore_blobs b
                            WHERE b.name = p.name AND b.incarnation = p.incarnation)
                        LIMIT 1
                        """
                    )
                    guard rows.count == 1 else { return nil }
                    return StoredBlob(
                        name: try BlobName(rows.bytes(0, 0)),
                        incarnation: try rows.integer(0, 1),
                        size: 0
                    )
                }
                guard let orphan else { return }
                while try await !blobs.bytes.deleteSome(of: orphan.name, orphan.incarnation) {
                    try Task.checkCancellation()
                }
            }
        }

        private func nextDying() async throws -> StoredBlob? {
            try await blobs.database.run { transaction in
                let rows = try transaction.run(
                    "SELECT name, incarnation, size FROM dagstore_blobs WHERE state = 2 LIMIT 1"
                )
                guard rows.count == 1 else { return nil }
                return StoredBlob(
                    name: try BlobName(rows.bytes(0, 0)),
                    incarnation: try rows.integer(0, 1),
                    size: UInt64(try rows.count(0, 2))
                )
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

        private func forgetRequests() async throws -> Int {
            try await blobs.database.run { transaction in
                try transaction.run(
                    """
                    DELETE FROM dagstore_requests
                    WHERE made_at < now() - CAST($1 AS bigint) * interval '1 millisecond'
                    """,
                    .integer(Self.requestTime.milliseconds)
                ).changeCount
            }
        }
    }
#endif
