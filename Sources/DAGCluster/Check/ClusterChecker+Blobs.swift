#if Cluster
    internal import DAGStorage
    internal import PostgreSQL

    /// Bytes that no row names.
    extension ClusterChecker {
        /// The time after which a sweep should have deleted dying bytes: nodes sweep every hour.
        private static let dyingPatience = Duration.seconds(3 * 3600)

        /// A page of blobs.
        private struct BlobPage: Sendable {
            var count = 0
            var last: [UInt8]?
            var findings: [ClusterFinding] = []
            var unnamedCount = 0
            var unnamedSize: UInt64 = 0
        }

        /// Counts the blobs that no row names, and finds those that no sweep deletes.
        func unnamedBlobs(_ totals: inout ClusterCheckTotals) async throws -> [ClusterFinding] {
            var findings: [ClusterFinding] = []
            var last: [UInt8] = []
            var count = 0
            var size: UInt64 = 0
            while true {
                try Task.checkCancellation()
                let page = try await blobPage(after: last)
                guard let end = page.last else { break }
                last = end
                totals.blobCount += page.count
                findings += page.findings
                count += page.unnamedCount
                size += page.unnamedSize
            }
            guard count > 0 else { return findings }
            return findings + [
                ClusterFinding(
                    .unnamed,
                    "no row names \(count) blobs of \(size) bytes; a sweep deletes them an hour after "
                        + "their last use"
                )
            ]
        }

        private func blobPage(after last: [UInt8]) async throws -> BlobPage {
            try await read { transaction in
                let rows = try transaction.run(
                    """
                    SELECT name, state, size, CAST(extract(epoch FROM now() - touched_at) AS bigint),
                        EXISTS (SELECT 1 FROM dagstore_shards s WHERE s.bundle = b.name)
                        OR EXISTS (SELECT 1 FROM dagstore_runs r WHERE r.blob = b.name)
                    FROM dagstore_blobs b WHERE name > $1 ORDER BY name LIMIT $2
                    """,
                    .bytes(last),
                    .integer(Self.pageSize)
                )
                var page = BlobPage(count: rows.count)
                for row in 0..<rows.count {
                    let name = try rows.bytes(row, 0)
                    page.last = name
                    let isNamed = try rows.truth(row, 4)
                    guard name.count == BlobName.size, try rows.integer(row, 2) >= 0 else {
                        page.findings.append(
                            ClusterFinding(
                                .row,
                                "the row of a blob has an impossible name or size; delete the row",
                                blob: name
                            )
                        )
                        continue
                    }
                    switch Blobs.State(rawValue: try rows.integer(row, 1)) {
                    case .live, .uploading:
                        guard !isNamed else { continue }
                        page.unnamedCount += 1
                        page.unnamedSize += UInt64(clamping: try rows.integer(row, 2))
                    case .dying where try rows.integer(row, 3) > Self.dyingPatience.seconds:
                        page.findings.append(
                            ClusterFinding(
                                .dying,
                                "the bytes were to be deleted hours ago; run 'dagstore cluster sweep'",
                                blob: name
                            )
                        )
                    case .dying: break
                    case nil:
                        page.findings.append(
                            ClusterFinding(
                                .row,
                                "the row of a blob has an impossible state; delete the row",
                                blob: name
                            )
                        )
                    }
                }
                return page
            }
        }
    }
#endif
