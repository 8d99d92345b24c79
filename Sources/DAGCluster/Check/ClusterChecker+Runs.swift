#if Cluster
    internal import DAGStorage
    internal import PostgreSQL
    internal import ShardIndex

    /// The runs of the inverse index.
    extension ClusterChecker {
        /// The runs of a page; each has a directory of up to 1 MiB.
        private static let runsOfPage: Int64 = 32

        /// A page of runs.
        private struct RunPage: Sendable {
            var count = 0
            var last: RunNumber?
            var findings: [ClusterFinding] = []
            var runs: [(run: ClusterRun, blob: StoredBlob)] = []
            var damagedCounts: [Int64: Int] = [:]
        }

        /// Checks all runs.
        func runs(
            _ totals: inout ClusterCheckTotals,
            _ add: ([ClusterFinding]) throws -> Void
        ) async throws {
            try add(partitions(try await read { try Self.counters($0) }))
            var last = RunNumber(part: -2, number: 0)
            var counts: [Int64: Int] = [:]
            while true {
                try Task.checkCancellation()
                let page = try await runs(after: last)
                guard let end = page.last else { break }
                last = end
                totals.runCount += page.count
                try add(page.findings)
                for (run, blob) in page.runs {
                    counts[run.number.part, default: 0] += 1
                    try add(await check(run, blob, &totals))
                }
            }
            try add(crowds(counts))
        }

        private func partitions(_ counters: Counters) -> [ClusterFinding] {
            let expected = Set((0..<1 << facts.partitionBits).map { Int64($0) })
            guard Set(counters.mergedThrough.keys) != expected else { return [] }
            return [
                ClusterFinding(
                    .partition,
                    "the table dagstore_partitions has other partitions than 0 to "
                        + "\(expected.count - 1); restore a backup of the database"
                )
            ]
        }

        private func crowds(_ counts: [Int64: Int]) -> [ClusterFinding] {
            counts.sorted { $0.key < $1.key }.compactMap { part, count in
                if part < 0 {
                    guard count > Int(ClusterDatabase.unmergedMax) else { return nil }
                    return ClusterFinding(
                        .manyWaiting,
                        "\(count) runs wait for a merge, and publications wait for them; see the logs "
                            + "of the nodes for merges that fail"
                    )
                }
                guard count > ClusterMergePolicy.mergedMax else { return nil }
                return ClusterFinding(
                    .manyRuns,
                    "partition \(part) has \(count) merged runs; the next merges lessen them"
                )
            }
        }

        private func runs(after last: RunNumber) async throws -> RunPage {
            let bits = facts.partitionBits
            return try await read { transaction in
                let rows = try transaction.run(
                    """
                    SELECT \(ClusterRun.columns) FROM dagstore_runs
                    WHERE (part, number) > ($1, $2)
                    ORDER BY part, number LIMIT $3
                    """,
                    .integer(last.part),
                    .integer(last.number),
                    .integer(Self.runsOfPage)
                )
                let counters = try Self.counters(transaction)
                var page = RunPage(count: rows.count)
                for row in 0..<rows.count {
                    try Self.read(rows, row, into: &page, bits, counters, transaction)
                }
                return page
            }
        }

        /// Reads a run into a page, with what its row alone shows.
        private static func read(
            _ rows: Rows,
            _ row: Int,
            into page: inout RunPage,
            _ bits: Int,
            _ counters: Counters,
            _ transaction: borrowing Transaction
        ) throws {
            let number = RunNumber(
                part: try rows.integer(row, 0),
                number: try rows.integer(row, 1)
            )
            page.last = number
            let name = "run \(number.number) of partition \(number.part)"
            func add(_ kind: ClusterFinding.Kind, _ detail: String, _ blob: [UInt8]? = nil) {
                page.findings.append(ClusterFinding(kind, detail, blob: blob))
            }
            if number.part >= 1 << Int64(bits) {
                add(
                    .partition,
                    "\(name) is of a partition that the cluster does not have; delete the row"
                )
            }
            if number.number >= counters.nextRun {
                add(
                    .numbers,
                    "the number of \(name) will be given away again; the row of the cluster is "
                        + "older than the runs: restore the whole database"
                )
            }
            guard try rows.integer(row, 7) == 0 else {
                return add(
                    .runRebuilding,
                    "\(name) is damaged, and nodes write its entries again; start the nodes that "
                        + "hold its shards"
                )
            }
            let advice = "the next merge or look-up of it lets nodes write its entries again"
            do {
                let run = try ClusterRun(rows, row)
                guard let blob = try blob(of: run, transaction) else {
                    return add(
                        .runMissing,
                        "the cluster lacks the bytes of \(name); \(advice)",
                        run.blob.bytes
                    )
                }
                page.runs.append((run, blob))
            } catch let error as DAGStoreError {
                add(.row, "\(name): \(error.message); \(advice)")
            }
        }

        private static func blob(
            of run: ClusterRun,
            _ transaction: borrowing Transaction
        ) throws -> StoredBlob? {
            let rows = try transaction.run(
                "SELECT incarnation, size FROM dagstore_blobs WHERE name = $1 AND state = 1",
                .bytes(run.blob.bytes)
            )
            guard rows.count == 1 else { return nil }
            return StoredBlob(
                name: run.blob,
                incarnation: try rows.integer(0, 0),
                size: UInt64(try rows.count(0, 1))
            )
        }

        /// Checks that a run has all its bytes, and, if asked, their checksums.
        private func check(
            _ run: ClusterRun,
            _ blob: StoredBlob,
            _ totals: inout ClusterCheckTotals
        ) async throws -> [ClusterFinding] {
            let name = "run \(run.number.number) of partition \(run.number.part)"
            let advice = "; the next merge or look-up of it lets nodes write its entries again"
            let size = try await blobs.bytes.size(of: blob.name, blob.incarnation)
            let fault: (ClusterFinding.Kind, String)?
            if size < run.directory.totalSize {
                fault = (
                    .runShort, "\(size) of \(run.directory.totalSize) bytes of \(name) are stored"
                )
            } else if readsBytes {
                totals.readSize += run.directory.totalSize
                fault = try await RunVerifier(blobs: blobs).fault(of: run)
                    .map { (.runDamaged, "\(name): \($0)") }
            } else {
                fault = nil
            }
            guard let fault, try await isPresent(run) else { return [] }
            return [ClusterFinding(fault.0, fault.1 + advice, blob: run.blob.bytes)]
        }

        /// Whether a merge has not replaced a run meanwhile.
        private func isPresent(_ run: ClusterRun) async throws -> Bool {
            try await read { transaction in
                try transaction.run(
                    """
                    SELECT 1 FROM dagstore_runs
                    WHERE part = $1 AND number = $2 AND blob = $3 AND damaged = 0
                    """,
                    .integer(run.number.part),
                    .integer(run.number.number),
                    .bytes(run.blob.bytes)
                ).count == 1
            }
        }
    }
#endif
