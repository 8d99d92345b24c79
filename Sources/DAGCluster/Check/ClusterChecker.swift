#if Cluster
    package import DAGStorage
    internal import PostgreSQL

    /// Compares the database of a cluster with its bytes, its nodes, and a store; changes nothing.
    ///
    /// Each page of rows is one snapshot, so a check of a cluster at work finds no contradictions that do not exist.
    ///
    /// *Memory*: one page of rows, and one read of bytes.
    package struct ClusterChecker: Sendable {
        /// Asks a node, by its URL, whether it serves the shard with a key.
        package typealias Ask = @Sendable (_ url: String, _ key: ShardKey) async -> NodeAnswer

        let database: ClusterDatabase
        let facts: ClusterFacts
        let blobs: Blobs
        let times: ClusterTimes
        /// Whether to read all bytes of bundles and runs.
        package var readsBytes = false
        /// Asks nodes; nil to ask none.
        package var ask: Ask?
        /// A store to compare, and the number of its node.
        package var store: (store: DAGStore, node: [UInt8])?

        /// The rows of a page.
        static let pageSize: Int64 = 256

        /// Creates a check of the tables alone; no request is sent.
        ///
        /// - Throws: As `ClusterFacts.byteStore`.
        package init(_ facts: ClusterFacts, in database: ClusterDatabase) throws {
            self.facts = facts
            self.database = database
            times = .ofProcess
            blobs = try Blobs(facts, in: database)
        }

        /// Receives findings.
        typealias Report = (ClusterFinding) throws -> Void

        /// Checks.
        ///
        /// *Cost*: reads all rows but those with bytes; with `readsBytes` also all bytes.
        ///
        /// - Parameter report: Receives each finding.
        /// - Returns: The counts.
        /// - Throws: `catalogUnreachable`; the errors of the store and of `report`; `CancellationError`.
        package func run(
            _ report: (ClusterFinding) throws -> Void
        ) async throws -> ClusterCheckTotals {
            var totals = ClusterCheckTotals()
            // Apart from the totals, which the parts of the check change.
            var severities: [ClusterFinding.Severity: Int] = [:]
            func add(_ findings: [ClusterFinding]) throws {
                for finding in findings {
                    severities[finding.kind.severity, default: 0] += 1
                    try report(finding)
                }
            }
            let nodes = try await database.nodes()
            try add(silentNodes(nodes))
            var last: Int64 = -1
            while true {
                try Task.checkCancellation()
                let page = try await shards(after: last)
                guard let end = page.last else { break }
                last = end
                totals.shardCount += page.count
                try add(page.findings)
                for bundle in page.bundles {
                    try add(await check(bundle, &totals))
                }
            }
            try await placements(nodes, &totals, add)
            try add(await jobs(&totals))
            try await runs(&totals, add)
            try add(await unnamedBlobs(&totals))
            if let store { try await compare(store.store, of: store.node, &totals, add) }
            totals.findings = severities
            return totals
        }

        /// Runs a transaction that the server keeps from changing anything.
        func read<R: Sendable>(
            _ body: @escaping @Sendable (borrowing Transaction) throws -> R
        ) async throws -> R {
            try await database.run(.repeatableRead) { transaction in
                try transaction.run("SET TRANSACTION READ ONLY")
                return try body(transaction)
            }
        }

        // MARK: Counters

        /// The counters of the cluster.
        struct Counters: Sendable {
            var nextShard: Int64 = 0
            var nextRun: Int64 = 0
            /// For each partition the last publication that is merged.
            var mergedThrough: [Int64: Int64] = [:]
            /// The last publication of which each partition has a merged run.
            var newestRun: [Int64: Int64] = [:]
            /// The publications whose entries every partition has.
            var mergedEverywhere: Int64 { mergedThrough.values.min() ?? 0 }
        }

        /// Reads the counters of a page's moment: those of another one would contradict its rows.
        static func counters(_ transaction: borrowing Transaction) throws -> Counters {
            var counters = Counters()
            let row = try transaction.run(
                "SELECT next_shard, next_run FROM dagstore_cluster WHERE one = 1"
            )
            guard row.count == 1 else {
                throw DAGStoreError(.catalogCorrupt, "the cluster has no row")
            }
            counters.nextShard = try row.integer(0, 0)
            counters.nextRun = try row.integer(0, 1)
            let marks = try transaction.run(
                "SELECT part, merged_through FROM dagstore_partitions"
            )
            for row in 0..<marks.count {
                counters.mergedThrough[try marks.integer(row, 0)] = try marks.integer(row, 1)
            }
            let newest = try transaction.run(
                "SELECT part, max(number) FROM dagstore_runs WHERE part >= 0 GROUP BY part"
            )
            for row in 0..<newest.count {
                counters.newestRun[try newest.integer(row, 0)] = try newest.integer(row, 1)
            }
            return counters
        }

        // MARK: Nodes

        private func silentNodes(_ nodes: [ClusterNode]) -> [ClusterFinding] {
            nodes.filter { $0.state != .left && $0.isDead(after: times.deadAfter) }.map { node in
                ClusterFinding(
                    .nodeSilent,
                    "node \(node.name) is silent for \(node.silence.seconds) s; start it, or remove "
                        + "it with 'dagstore cluster forget'",
                    node: node.id
                )
            }
        }
    }

    extension Duration {
        /// The whole seconds.
        var seconds: Int64 { components.seconds }
    }
#endif
