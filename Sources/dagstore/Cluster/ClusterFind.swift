internal import AdminMessages
internal import ArgumentParser
internal import DAGMultiformats
internal import DAGStorage

#if Cluster
    internal import DAGCluster
#endif

/// `cluster find`: prints the shards of a cluster that have a block.
struct ClusterFind: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "find",
        abstract:
            "Print the shards of the cluster that have a block, and the nodes that hold them.",
        discussion: """
            Searches the cluster's inverse index, which has 48 bits of each hash: in one of some million searches a \
            shard may turn out to lack the block.
            """
    )

    @Argument(help: BlockArguments.help)
    var cid: String

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        #if Cluster
            let block = try BlockArguments.readCID(cid)
            let database = try cluster.open()
            defer { database.close() }
            let facts = try await database.facts()
            let nodes = try await database.nodes()
            let found = try await ClusterFinder(facts, in: database)
                .shards(containing: block.multihash)
            guard !found.isEmpty else {
                throw DAGStoreError(
                    .blockNotFound,
                    block.isIdentity
                        ? "no shard has \(cid) as a section; its block is in the CID"
                        : "no shard of the cluster has \(cid)"
                )
            }
            try Output.run(format.format) { output in
                switch format.format {
                case .text:
                    var list = RowList([.text("KEY"), .text("NODES")])
                    let rows = found.map { placed in
                        let names = placed.holders.map { nodes.name(of: $0) }
                        return [
                            placed.shard.key.text.printable,
                            names.joined(separator: ", ").printable,
                        ]
                    }
                    for row in rows { list.table.measure(row) }
                    for row in rows { try output.row(row, of: &list) }
                case .json:
                    for placed in found {
                        try output.object { json in
                            json.member("key", placed.shard.key.text)
                            json.member("epoch", placed.shard.epoch)
                            json.member("placements", each: placed.holders) { json, node in
                                let known = nodes.first { $0.id == node }
                                json.member("node", node.hexadecimal)
                                json.member("name", nodes.name(of: node))
                                json.member("url", known?.url)
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
