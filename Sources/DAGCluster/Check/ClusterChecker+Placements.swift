#if Cluster
    internal import DAGStorage
    internal import PostgreSQL

    /// Placements and jobs.
    extension ClusterChecker {
        /// A page of placements.
        private struct PlacementPage: Sendable {
            var count = 0
            var last: (shard: Int64, node: [UInt8])?
            var findings: [ClusterFinding] = []
            /// The copies that living nodes serve.
            var held: [Placement] = []
        }

        /// Checks all placements, and asks nodes about them.
        func placements(
            _ nodes: [ClusterNode],
            _ totals: inout ClusterCheckTotals,
            _ add: ([ClusterFinding]) throws -> Void
        ) async throws {
            var asker = ask.map { NodeAsker(nodes.filter { !isAway($0) }, $0) }
            var last: (shard: Int64, node: [UInt8]) = (-1, [])
            while true {
                try Task.checkCancellation()
                let page = try await placements(after: last)
                guard let end = page.last else { break }
                last = end
                totals.placementCount += page.count
                try add(page.findings)
                let answers = await asker?.ask(page.held) ?? []
                try add(try await confirmed(answers))
            }
            totals.answerCount = asker?.answerCount ?? 0
        }

        private func isAway(_ node: ClusterNode) -> Bool {
            node.state == .left || node.isDead(after: times.deadAfter)
        }

        private func placements(
            after last: (shard: Int64, node: [UInt8])
        ) async throws -> PlacementPage {
            try await read { [self] transaction in
                let known = Dictionary(
                    try ClusterDatabase.nodes(transaction).map { ($0.id, $0) },
                    uniquingKeysWith: { one, _ in one }
                )
                let rows = try transaction.run(
                    """
                    SELECT \(Placement.columns),
                        EXISTS (SELECT 1 FROM dagstore_shards s WHERE s.number = p.shard)
                    FROM dagstore_placements p WHERE (node, shard) > ($2, $1)
                    ORDER BY node, shard LIMIT $3
                    """,
                    .integer(last.shard),
                    .bytes(last.node),
                    .integer(Self.pageSize)
                )
                var page = PlacementPage(count: rows.count)
                for row in 0..<rows.count {
                    let place = (try rows.integer(row, 1), try rows.bytes(row, 0))
                    if let last = page.last, last == place {
                        page.findings.append(
                            ClusterFinding(
                                .duplicatePlacement,
                                "two rows place shard number \(place.0) on one node; rebuild the "
                                    + "indexes of the table dagstore_placements",
                                node: place.1
                            )
                        )
                    }
                    page.last = place
                    guard let placement = try? Placement(rows, row) else {
                        page.findings.append(
                            ClusterFinding(
                                .row,
                                "the placement of shard number \(place.0) cannot be read; delete the row",
                                node: place.1
                            )
                        )
                        continue
                    }
                    let hasShard = try rows.truth(row, 6)
                    let findings = check(placement, hasShard: hasShard, known[placement.node])
                    page.findings += findings
                    if findings.isEmpty, placement.state == .held { page.held.append(placement) }
                }
                return page
            }
        }

        /// Leaves out what a node lacks rightly, because the shard has moved since the page was read.
        private func confirmed(_ findings: [ClusterFinding]) async throws -> [ClusterFinding] {
            var confirmed: [ClusterFinding] = []
            for finding in findings {
                if finding.kind == .nodeLacks, let key = finding.key {
                    let placed = try await database.placedShard(key)
                    guard placed?.holders.contains(where: { $0 == finding.node }) == true else {
                        continue
                    }
                }
                confirmed.append(finding)
            }
            return confirmed
        }

        private func check(
            _ placement: Placement,
            hasShard: Bool,
            _ node: ClusterNode?
        ) -> [ClusterFinding] {
            func finding(_ kind: ClusterFinding.Kind, _ detail: String) -> [ClusterFinding] {
                [ClusterFinding(kind, detail, key: placement.key, node: placement.node)]
            }
            guard let node else {
                return finding(
                    .placementNode,
                    "the cluster does not know the node of the placement; delete the row"
                )
            }
            // The node first destroys its copy of a shard that is gone.
            guard hasShard || placement.state == .dropped else {
                return finding(
                    .placementShard,
                    "the shard of the placement does not exist; set its state to 2 (dropped)"
                )
            }
            if placement.state == .held, isAway(node) {
                return finding(
                    .holderAway,
                    "node \(node.name) holds the shard and has ended or is silent; start it, or "
                        + "remove it with 'dagstore cluster forget'"
                )
            }
            if placement.state != .dropped, !placement.error.isEmpty {
                return finding(
                    .copyFails,
                    "node \(node.name) cannot make or move its copy, and tries again: "
                        + placement.error
                )
            }
            return []
        }

        // MARK: Jobs

        /// The time after which a lease or a job counts as forgotten.
        private static let jobPatience = Duration.seconds(600)

        /// Checks all jobs.
        func jobs(_ totals: inout ClusterCheckTotals) async throws -> [ClusterFinding] {
            var findings: [ClusterFinding] = []
            var last: (kind: Int64, subject: Int64) = (-1, -1)
            while true {
                let (kind, subject) = last
                let page = try await read { transaction -> JobPage in
                    let rows = try transaction.run(
                        """
                        SELECT kind, subject, holder, attempts, CAST(extract(epoch FROM now()
                            - CASE WHEN lease_until > run_at THEN lease_until ELSE run_at END) AS bigint),
                            EXISTS (SELECT 1 FROM dagstore_shards s WHERE s.number = subject)
                        FROM dagstore_jobs WHERE (kind, subject) > ($1, $2)
                        ORDER BY kind, subject LIMIT $3
                        """,
                        .integer(kind),
                        .integer(subject),
                        .integer(Self.pageSize)
                    )
                    return try JobPage(rows, Self.jobPatience)
                }
                guard let end = page.last else { return findings }
                last = end
                totals.jobCount += page.count
                findings += page.findings
            }
        }
    }

    /// A page of jobs.
    private struct JobPage: Sendable {
        let count: Int
        var last: (kind: Int64, subject: Int64)?
        var findings: [ClusterFinding] = []

        init(_ rows: Rows, _ patience: Duration) throws {
            count = rows.count
            for row in 0..<rows.count {
                let (kind, subject) = (try rows.integer(row, 0), try rows.integer(row, 1))
                last = (kind, subject)
                guard let job = JobKind(rawValue: kind) else { continue }
                let isOfShard = JobKind.ofShards.contains(job)
                let name = isOfShard ? "\(job) of shard number \(subject)" : "\(job) \(subject)"
                if isOfShard, try !rows.truth(row, 5) {
                    findings.append(
                        ClusterFinding(
                            .jobShard,
                            "the job \(name) is about a shard that does not exist; the next claim "
                                + "removes it"
                        )
                    )
                } else if try rows.integer(row, 4) > patience.seconds {
                    findings.append(
                        ClusterFinding(
                            .jobStuck,
                            "no node takes the job \(name), which is due for "
                                + "\(try rows.integer(row, 4)) s; start a node that reaches the mount",
                            node: try rows.optionalBytes(row, 2)
                        )
                    )
                }
            }
        }
    }
#endif
