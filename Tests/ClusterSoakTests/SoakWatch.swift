#if Cluster && Node
    import DAGStorage
    import PostgreSQL
    import TestSupport
    import Testing

    @testable import DAGCluster

    /// Asks each node for blocks that only it holds, all the time.
    struct SoakReader {
        let scene: SoakScene
        let node: SoakNode
        /// CARs of shards that only this node reaches, so that they never move.
        let cars: [SoakCAR]
        var generator: SplitMix64

        /// Reads; a failure counts unless a fault of the node itself explains it.
        mutating func run(until end: ContinuousClock.Instant) async {
            while .now < end {
                guard let place = node.place,
                    let block = cars.randomElement(using: &generator)?.blocks
                        .randomElement(using: &generator)
                else {
                    await untilMoment(.now + .milliseconds(5))
                    continue
                }
                var answer: (status: UInt, bytes: [UInt8])?
                var failure = ""
                do {
                    answer = try await scene.fetch(block.cid, from: place.url, by: scene.direct)
                } catch {
                    failure = "\(error)"
                }
                if let answer, answer.status == 200, answer.bytes == block.data {
                    scene.history.count("local reads")
                } else if node.place?.generation == place.generation {
                    let status = answer.map { "status \($0.status)" } ?? failure
                    scene.history.fault("\(node.name) did not answer for \(block.cid): \(status)")
                    scene.history.count("local reads that failed")
                }
                await untilMoment(.now + .milliseconds(2))
            }
        }
    }

    /// Looks at the tables all the time: what only rises must not fall.
    struct SoakWatch {
        let scene: SoakScene
        /// The largest number so far, by name.
        private var numbers: [String: Int64] = [:]
        /// The shard of each number, also after its end.
        private var shards: [Int64: String] = [:]
        private var gone: Set<Int64> = []

        init(_ scene: SoakScene) { self.scene = scene }

        mutating func run(until end: ContinuousClock.Instant) async throws {
            while .now < end {
                do {
                    try await look()
                } catch let error as DAGStoreError where error.code == .catalogUnreachable {
                    // The next look sees what this one missed.
                }
                await untilMoment(.now + .milliseconds(50))
            }
        }

        /// Numbers that only rise, with their names.
        private static let counters = """
            SELECT 'next_shard', next_shard FROM dagstore_cluster
            UNION ALL SELECT 'next_run', next_run FROM dagstore_cluster
            UNION ALL SELECT 'runs_version', runs_version FROM dagstore_cluster
            UNION ALL SELECT 'incarnation of ' || name, incarnation FROM dagstore_nodes
            UNION ALL SELECT 'epoch of job ' || kind || '/' || subject, epoch
                FROM dagstore_jobs WHERE kind > 1
            UNION ALL SELECT 'merged part ' || part, merged_through FROM dagstore_partitions
            UNION ALL SELECT 'epoch of shard ' || number, epoch FROM dagstore_shards
            """

        private mutating func look() async throws {
            let (counters, present) = try await scene.database.run(.repeatableRead) { transaction in
                let rows = try transaction.run(Self.counters)
                let counters = try (0..<rows.count).map { row in
                    (try rows.text(row, 0), try rows.integer(row, 1))
                }
                let shards = try transaction.run("SELECT number, key, mount FROM dagstore_shards")
                let present = try (0..<shards.count).map { row in
                    (
                        try shards.integer(row, 0),
                        "\(try shards.text(row, 1)) of \(try shards.text(row, 2))"
                    )
                }
                return (counters, present)
            }
            for (name, number) in counters {
                if let last = numbers[name], number < last {
                    scene.history.fault("the \(name) went from \(last) back to \(number)")
                }
                numbers[name] = number
            }
            for (number, shard) in present {
                let known = shards[number, default: shard]
                if known != shard || gone.contains(number) {
                    scene.history.fault("shard \(number) was \(known), and is \(shard)")
                }
                shards[number] = shard
            }
            gone = Set(shards.keys).subtracting(present.map(\.0))
            scene.history.count("looks at the tables")
        }
    }
#endif
