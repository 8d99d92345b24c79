internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage

#if Cluster
    internal import DAGCluster
#endif

/// `cluster nodes`: lists the nodes of a cluster.
struct ClusterNodes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodes",
        abstract: "List the nodes of the cluster, one a line."
    )

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        #if Cluster
            let database = try cluster.open()
            defer { database.close() }
            _ = try await database.facts()
            let nodes = try await database.nodes()
            let counts = try await database.placementCounts()
            try Output.run(format.format) { output in
                switch format.format {
                case .text:
                    var list = RowList([
                        .text("NAME"), .text("STATE"), .number("SHARDS"), .number("WANTED"),
                        .number("SILENT"), .text("URL"), .text("NODE"),
                    ])
                    let rows = nodes.map { node in
                        let own = counts[node.id] ?? [:]
                        return [
                            node.name.printable, node.condition, (own[.held] ?? 0).grouped,
                            (own[.wanted] ?? 0).grouped, node.silence.asTime, node.url.printable,
                            node.id.hexadecimal,
                        ]
                    }
                    for row in rows { list.table.measure(row) }
                    for row in rows { try output.row(row, of: &list) }
                case .json:
                    for node in nodes {
                        let own = counts[node.id] ?? [:]
                        try output.object { json in
                            json.member("node", node.id.hexadecimal)
                            json.member("name", node.name)
                            json.member("state", node.condition)
                            json.member("url", node.url)
                            json.member("capacity", node.capacity)
                            json.member("release", node.release)
                            json.member("secondsSilent", node.silence)
                            json.member("epoch", node.incarnation)
                            json.member("placements") { json in
                                for state in Placement.State.allCases {
                                    json.member(state.name, own[state] ?? 0)
                                }
                            }
                        }
                    }
                }
            }
        #else
            throw VerbNotBuiltIn.cluster
        #endif
    }
}
