#if Cluster && Node
    import DAGStorage
    import Foundation
    import SystemPackage
    import TestSupport
    import Testing

    @testable import DAGCluster

    /// Compares what clients heard with what is there, after the faults have ended.
    struct ClusterAudit {
        let scene: SoakScene
        /// The CARs by the URLs of their mounts.
        let cars: [String: SoakCAR]
        private(set) var shardCount = 0
        private(set) var blockCount = 0

        private var history: ClusterHistory { scene.history }

        init(_ scene: SoakScene, _ cars: [SoakCAR]) {
            self.scene = scene
            self.cars = Dictionary(uniqueKeysWithValues: cars.map { ($0.url, $0) })
        }

        /// Waits until the cluster is at rest, and looks for anything that does not hold.
        ///
        /// Afterwards all nodes are killed, because their stores are open for one process only.
        mutating func run() async throws {
            try await scene.settle()
            let placed = try await scene.allShards()
            shardCount = placed.count
            recordTruth(placed)
            for violation in HistoryChecker.violations(in: history.operations) {
                history.fault("\(violation)")
            }
            try await checkAnswers(placed)
            for node in scene.nodes { await node.kill() }
            try await checkStores(placed)
            try await checkBytes()
            try await merge()
            try await checkBytes()
            try await checkFinds(placed)
        }

        /// The last read of every key.
        private func recordTruth(_ placed: [PlacedShard]) {
            let moment = history.now()
            let truth = Dictionary(
                placed.map { ($0.shard.key.text, $0.shard.mountURL) },
                uniquingKeysWith: { first, second in
                    history.fault("one key has \(first) and \(second)")
                    return first
                }
            )
            let keys = Set(history.operations.map(\.key)).union(truth.keys)
            for key in keys.sorted() {
                history.record("audit", key, .read, since: moment, .found(truth[key]))
            }
            for shard in placed.map(\.shard) {
                let isSound = cars[shard.mountURL]?.blocks.isEmpty == false
                guard isSound != (shard.state == .available) else { continue }
                history.fault("\(shard.key) is \(shard.state): \(shard.error)")
            }
        }

        /// Every holder of a shard answers for every block.
        private mutating func checkAnswers(_ placed: [PlacedShard]) async throws {
            var urls: [[UInt8]: String] = [:]
            for node in scene.nodes {
                let number = try #require(Array(hexadecimal: try node.number(), count: 16))
                urls[number] = try #require(node.place).url
            }
            for shard in placed {
                for block in cars[shard.shard.mountURL]?.blocks ?? [] {
                    for holder in shard.holders {
                        let url = try #require(urls[holder])
                        let answer = try await scene.fetch(block.cid, from: url, by: scene.direct)
                        blockCount += 1
                        guard answer.status != 200 || answer.bytes != block.data else { continue }
                        history.fault(
                            "\(shard.shard.key): \(url) answered \(answer.status) for \(block.cid)"
                        )
                    }
                }
            }
        }

        /// Finds lead from every block to the shards that have it, and to no others.
        private func checkFinds(_ placed: [PlacedShard]) async throws {
            let finder = ClusterFinder(scene.facts, in: scene.database)
            let keys = Dictionary(grouping: placed) { $0.shard.mountURL }
                .mapValues { Set($0.map(\.shard.key.text)) }
            for car in cars.values {
                for block in car.blocks {
                    let found = try await finder.shards(containing: block.cid.multihash)
                    let names = Set(found.map(\.shard.key.text))
                    guard names != keys[car.url, default: []] else { continue }
                    history.fault("a find of \(block.cid) of \(car.url) led to \(names)")
                }
            }
        }

        /// The store of each node has the shards of its placements, whole, and no others.
        private func checkStores(_ placed: [PlacedShard]) async throws {
            for node in scene.nodes {
                let number = try #require(Array(hexadecimal: try node.number(), count: 16))
                let expected = placed.filter { $0.holders.contains(number) }
                    .map { "\($0.shard.key) \($0.shard.mountURL) \($0.shard.blockCount)" }
                let store = try DAGStore.open(at: FilePath(node.store))
                let present = try Self.shards(of: store)
                if Set(present) != Set(expected) || present.count != expected.count {
                    let wrong = Set(present).symmetricDifference(expected).sorted()
                    history.fault("the store of \(node.name) and its placements differ in \(wrong)")
                }
                let problems = try await store.check().problems
                if !problems.isEmpty { history.fault("the store of \(node.name): \(problems)") }
                await store.close()
            }
        }

        private static func shards(of store: DAGStore) throws -> [String] {
            var shards: [String] = []
            var statuses = store.statuses().makeIterator()
            while let status = try statuses.next() {
                shards.append("\(status.key) \(status.mountURL) \(status.blockCount)")
            }
            return shards
        }

        /// After a sweep, each blob has a name and all its bytes, and there are no other bytes.
        private func checkBytes() async throws {
            let bytes = DatabaseBytes(database: scene.database)
            let blobs = Blobs(database: scene.database, bytes: bytes)
            _ = try await Sweeper(blobs: blobs, grace: .milliseconds(-1)).sweep()
            let rules = [
                "blobs without a name": """
                SELECT count(*) FROM dagstore_blobs b
                WHERE NOT EXISTS (SELECT 1 FROM dagstore_shards s WHERE s.bundle = b.name)
                    AND NOT EXISTS (SELECT 1 FROM dagstore_runs r WHERE r.blob = b.name)
                """,
                "blobs that are not live": "SELECT count(*) FROM dagstore_blobs WHERE state <> 1",
                "parts without a blob": """
                SELECT count(*) FROM dagstore_blob_parts p
                WHERE NOT EXISTS (SELECT 1 FROM dagstore_blobs b
                    WHERE b.name = p.name AND b.incarnation = p.incarnation)
                """,
                "blobs that lack bytes": """
                SELECT count(*) FROM dagstore_blobs b
                WHERE b.size <> (SELECT coalesce(sum(length(p.bytes)), 0)
                    FROM dagstore_blob_parts p
                    WHERE p.name = b.name AND p.incarnation = b.incarnation)
                """,
                "shards without their bundle": """
                SELECT count(*) FROM dagstore_shards s WHERE s.state = 1
                    AND NOT EXISTS (SELECT 1 FROM dagstore_blobs b WHERE b.name = s.bundle)
                """,
                "runs without their bytes": """
                SELECT count(*) FROM dagstore_runs r
                WHERE NOT EXISTS (SELECT 1 FROM dagstore_blobs b WHERE b.name = r.blob)
                """,
                "placements of no shard": """
                SELECT count(*) FROM dagstore_placements p
                WHERE NOT EXISTS (SELECT 1 FROM dagstore_shards s WHERE s.number = p.shard)
                """,
                "jobs of no shard": "SELECT count(*) FROM dagstore_jobs WHERE kind = 1",
            ]
            for (name, sql) in rules.sorted(by: { $0.key < $1.key }) {
                let count = try scene.query(sql)
                if count != "0" { history.fault("\(count) \(name)") }
            }
        }

        /// Merges the runs of all shards.
        private func merge() async throws {
            let blobs = Blobs(
                database: scene.database,
                bytes: DatabaseBytes(database: scene.database)
            )
            let merger = RunMerger(blobs: blobs, partitionBits: scene.facts.partitionBits)
            let node = [UInt8](repeating: 7, count: 16)
            for part in 0..<Int64(1) << Int64(scene.facts.partitionBits) {
                try scene.query(
                    "UPDATE dagstore_jobs SET run_at = now(), lease_until = now() WHERE kind = 3"
                )
                let job = try #require(
                    try await scene.database.claim(.merge, of: part, for: node, lease: .seconds(60))
                )
                _ = try await merger.merge(job, isForced: true)
            }
            let left = try scene.query("SELECT count(*) FROM dagstore_runs WHERE part = -1")
            if left != "0" { history.fault("\(left) runs of single shards outlived the merges") }
        }
    }
#endif
