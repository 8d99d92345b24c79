internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage

#if Cluster
    internal import DAGCluster
#endif

/// `cluster status`: prints the totals of a cluster.
struct ClusterStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Print how many nodes, shards and copies the cluster has."
    )

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        #if Cluster
            let database = try cluster.open()
            defer { database.close() }
            let facts = try await database.facts()
            let totals = try await database.totals()
            var nodes: [String: Int] = [:]
            for node in try await database.nodes() { nodes[node.condition, default: 0] += 1 }
            try Output.run(format.format) { output in
                switch format.format {
                case .text:
                    for (name, value) in Self.lines(facts, totals, nodes) {
                        try output.line(name.padded(to: 12) + value)
                    }
                case .json:
                    try output.object { json in
                        json.member("cluster", facts.id.hexadecimal)
                        json.member("copies", facts.copies)
                        json.member("bytesAt", facts.bytesURL)
                        json.member("nodes") { json in
                            for name in ClusterNode.conditions {
                                json.member(name, nodes[name] ?? 0)
                            }
                        }
                        json.member("shards") { json in
                            for state in ClusterShard.State.allCases {
                                json.member(state.name, totals.shards[state] ?? 0)
                            }
                        }
                        json.member("placements") { json in
                            for state in Placement.State.allCases {
                                json.member(state.name, totals.placements[state] ?? 0)
                            }
                        }
                        json.member("blocks", totals.blockCount)
                        json.member("bytes", totals.payloadSize)
                        json.member("indexBytes", totals.bundleSize)
                        json.member("jobs", totals.indexJobCount)
                    }
                }
            }
        #else
            throw VerbNotBuiltIn.cluster
        #endif
    }

    #if Cluster
        private static func lines(
            _ facts: ClusterFacts,
            _ totals: ClusterTotals,
            _ nodes: [String: Int]
        ) -> [(String, String)] {
            func list(_ parts: [(Int, String)]) -> String {
                let present = parts.filter { $0.0 > 0 }.map { "\($0.0.grouped) \($0.1)" }
                return present.isEmpty ? "none" : present.joined(separator: ", ")
            }
            return [
                ("cluster", facts.id.hexadecimal),
                ("copies", "\(facts.copies) of each shard"),
                ("bytes at", facts.bytesURL ?? "the database"),
                ("nodes", list(ClusterNode.conditions.map { (nodes[$0] ?? 0, $0) })),
                (
                    "shards",
                    list(ClusterShard.State.allCases.map { (totals.shards[$0] ?? 0, $0.name) })
                ),
                (
                    "placements",
                    list(Placement.State.allCases.map { (totals.placements[$0] ?? 0, $0.name) })
                ),
                ("blocks", "\(totals.blockCount.grouped) in \(totals.payloadSize.asSize)"),
                ("bundles", totals.bundleSize.asSize),
                ("jobs", list([(totals.indexJobCount, "to index")])),
            ]
        }
    #endif
}
