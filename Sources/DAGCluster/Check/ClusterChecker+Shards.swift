#if Cluster
    internal import DAGStorage
    internal import PostgreSQL

    /// Shards, and what belongs to each.
    extension ClusterChecker {
        /// A page of shards.
        struct ShardPage: Sendable {
            var count = 0
            /// The number of the last shard; nil if there are no more.
            var last: Int64?
            var findings: [ClusterFinding] = []
            /// The bundles whose bytes are to be looked at.
            var bundles: [NamedBundle] = []
        }

        /// A bundle and the first shard of the page that names it.
        struct NamedBundle: Sendable {
            let shard: ClusterShard
            let blob: StoredBlob
        }

        /// Checks the rows of some shards against the placements, jobs, bundles and runs.
        func shards(after last: Int64) async throws -> ShardPage {
            try await read { [self] transaction in
                let nodes = try ClusterDatabase.nodes(transaction)
                let counters = try Self.counters(transaction)
                let living = Set(nodes.filter { !$0.isDead(after: times.deadAfter) }.map(\.id))
                let active = Set(nodes.filter { $0.state == .active }.map(\.id))
                    .intersection(living)
                let rows = try transaction.run(
                    """
                    SELECT \(ClusterShard.columns), published FROM dagstore_shards
                    WHERE number > $1 ORDER BY number LIMIT $2
                    """,
                    .integer(last),
                    .integer(Self.pageSize)
                )
                var page = ShardPage(count: rows.count)
                guard rows.count > 0 else { return page }
                page.last = try rows.integer(rows.count - 1, 0)
                var shards: [ClusterShard] = []
                var published: [UInt32: Int64] = [:]
                for row in 0..<rows.count {
                    do {
                        let shard = try ClusterShard(rows, row)
                        shards.append(shard)
                        published[shard.number] = try rows.integer(row, 15)
                    } catch let error as DAGStoreError {
                        let number = try rows.integer(row, 0)
                        page.findings.append(
                            ClusterFinding(
                                .row,
                                "shard number \(number): \(error.message); restore a backup of the "
                                    + "database, or delete the row"
                            )
                        )
                    }
                }
                let facts = try ShardFacts(shards, transaction)
                for shard in shards {
                    page.findings += copies(of: shard, facts, living, active)
                    page.findings += work(on: shard, facts, counters)
                    page.findings += entries(
                        of: shard,
                        published: published[shard.number] ?? 0,
                        facts,
                        counters
                    )
                    page.findings += bundle(of: shard, facts, &page.bundles)
                }
                return page
            }
        }

        /// Checks the copies of a shard.
        private func copies(
            of shard: ClusterShard,
            _ facts: ShardFacts,
            _ living: Set<[UInt8]>,
            _ active: Set<[UInt8]>
        ) -> [ClusterFinding] {
            guard shard.state == .available else { return [] }
            let placements = facts.placements[shard.number] ?? []
            guard placements.contains(where: { $0.state != .dropped }) else {
                return [
                    ClusterFinding(
                        .unplaced,
                        "no node holds the shard or shall hold it; start a node that reaches its mount",
                        key: shard.key
                    )
                ]
            }
            let able = shard.reach.map { only in active.filter { $0 == only } } ?? active
            let wanted = min(shard.reach == nil ? self.facts.copies : 1, max(1, able.count))
            let held = placements.filter { $0.state == .held && living.contains($0.node) }.count
            guard held < wanted else { return [] }
            return [
                ClusterFinding(
                    .fewCopies,
                    "\(held) living nodes hold the shard, and the cluster wants \(wanted); wait for "
                        + "the imports, or see the errors of its placements",
                    key: shard.key
                )
            ]
        }

        /// Checks the state of a shard and its job.
        private func work(
            on shard: ClusterShard,
            _ facts: ShardFacts,
            _ counters: Counters
        ) -> [ClusterFinding] {
            var findings: [ClusterFinding] = []
            if Int64(shard.number) >= counters.nextShard {
                findings.append(
                    ClusterFinding(
                        .numbers,
                        "the shard's number \(shard.number) will be given away again; the row of the "
                            + "cluster is older than the shards: restore the whole database",
                        key: shard.key
                    )
                )
            }
            switch shard.state {
            case .registered where !facts.indexed.contains(shard.number):
                findings.append(
                    ClusterFinding(
                        .jobMissing,
                        "no job indexes the registered shard; destroy it and register it again",
                        key: shard.key
                    )
                )
            case .failed:
                findings.append(
                    ClusterFinding(
                        .shardFailed,
                        "no node could index the shard: \(shard.error); mend the source, then run "
                            + "'dagstore cluster recover'",
                        key: shard.key
                    )
                )
            case .registered, .available: break
            }
            return findings
        }

        /// Checks that runs have the entries of a shard.
        private func entries(
            of shard: ClusterShard,
            published: Int64,
            _ facts: ShardFacts,
            _ counters: Counters
        ) -> [ClusterFinding] {
            guard shard.state == .available, shard.multihashCount > 0 else { return [] }
            if published >= counters.nextRun {
                return [
                    ClusterFinding(
                        .numbers,
                        "publication \(published) of the shard will be given away again; the row of "
                            + "the cluster is older than the shards: restore the whole database",
                        key: shard.key
                    )
                ]
            }
            // 0: several publications have the entries, or an older program wrote them.
            guard published > 0, facts.levelZero[published] != shard.number else { return [] }
            let partitions = UInt64(1) << UInt64(self.facts.partitionBits)
            let isUnmerged = published > counters.mergedEverywhere
            // A partition may have none of a few entries, but not of many.
            let isGone =
                shard.multihashCount >= 100 * partitions
                && counters.mergedThrough.keys.contains {
                    counters.newestRun[$0] ?? 0 < published
                }
            guard isUnmerged || isGone else { return [] }
            return [
                ClusterFinding(
                    .entriesMissing,
                    "no run has the shard's entries of the inverse index, so look-ups miss it; "
                        + "destroy the shard and register it again",
                    key: shard.key
                )
            ]
        }

        /// Checks the row of a shard's bundle.
        private func bundle(
            of shard: ClusterShard,
            _ facts: ShardFacts,
            _ bundles: inout [NamedBundle]
        ) -> [ClusterFinding] {
            guard shard.state == .available else { return [] }
            guard let name = shard.bundle, let blobName = try? BlobName(name) else {
                return [
                    ClusterFinding(
                        .row,
                        "the available shard names no bundle; destroy it and register it again",
                        key: shard.key
                    )
                ]
            }
            guard let blob = facts.blobs[name] else {
                return [
                    ClusterFinding(
                        .bundleMissing,
                        "the cluster lacks the shard's bundle; the next import lets a node make it "
                            + "again",
                        key: shard.key,
                        blob: name
                    )
                ]
            }
            guard blob.size == shard.bundleSize else {
                return [
                    ClusterFinding(
                        .bundleMismatch,
                        "the bundle has \(blob.size) bytes, and \(shard.bundleSize) by the shard; "
                            + "destroy the shard and register it again",
                        key: shard.key,
                        blob: name
                    )
                ]
            }
            if !bundles.contains(where: { $0.blob.name == blobName }) {
                bundles.append(NamedBundle(shard: shard, blob: blob))
            }
            return []
        }
    }

    /// What belongs to the shards of a page.
    private struct ShardFacts: Sendable {
        var placements: [UInt32: [Placement]] = [:]
        /// The shards with a job that indexes them.
        var indexed: Set<UInt32> = []
        /// The live bundles.
        var blobs: [[UInt8]: StoredBlob] = [:]
        /// The shards of the runs that wait for merges, by publication.
        var levelZero: [Int64: UInt32] = [:]

        init(_ shards: [ClusterShard], _ transaction: borrowing Transaction) throws {
            let numbers = SQLValue.integers(shards.map { Int64($0.number) })
            let places = try transaction.run(
                "SELECT \(Placement.columns) FROM dagstore_placements WHERE shard = ANY ($1)",
                numbers
            )
            for row in 0..<places.count {
                guard let placement = try? Placement(places, row) else { continue }
                placements[placement.shard, default: []].append(placement)
            }
            let jobs = try transaction.run(
                "SELECT subject FROM dagstore_jobs WHERE kind = $1 AND subject = ANY ($2)",
                .integer(JobKind.index.rawValue),
                numbers
            )
            for row in 0..<jobs.count { indexed.insert(UInt32(try jobs.count(row, 0))) }
            let runs = try transaction.run(
                "SELECT number, shard FROM dagstore_runs WHERE part = -1 AND shard = ANY ($1)",
                numbers
            )
            for row in 0..<runs.count {
                levelZero[try runs.integer(row, 0)] = UInt32(clamping: try runs.integer(row, 1))
            }
            let found = try transaction.run(
                """
                SELECT name, incarnation, size FROM dagstore_blobs
                WHERE name = ANY ($1) AND state = 1
                """,
                .byteStrings(shards.compactMap(\.bundle))
            )
            for row in 0..<found.count {
                guard let name = try? BlobName(found.bytes(row, 0)) else { continue }
                blobs[name.bytes] = StoredBlob(
                    name: name,
                    incarnation: try found.integer(row, 1),
                    size: UInt64(try found.count(row, 2))
                )
            }
        }
    }
#endif
