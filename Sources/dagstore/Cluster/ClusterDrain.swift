internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage

#if Cluster
    internal import DAGCluster
#endif

/// `cluster drain`: moves the shards of a node to others.
struct ClusterDrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Move the shards of a node to the others; the node serves until then."
    )

    @Argument(help: "The node's name or number.")
    var node: String

    @Flag(help: "Let the node take shards again.")
    var undo = false

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        #if Cluster
            let database = try cluster.open()
            defer { database.close() }
            _ = try await database.facts()
            let node = try await database.nodes().node(named: node)
            guard node.state != .left else {
                throw DAGStoreError(
                    .invalidArgument,
                    "node \(node.name) has left the cluster",
                    advice: "start it with 'dagstore serve --cluster'"
                )
            }
            let state: ClusterNode.State = undo ? .active : .draining
            try await database.setState(state, of: node.id)
            try Output.run(format.format) { output in
                switch format.format {
                case .text: try output.line("\(node.name.printable)  \(state.name)")
                case .json:
                    try output.object { json in
                        json.member("node", node.id.hexadecimal)
                        json.member("name", node.name)
                        json.member("state", state.name)
                    }
                }
            }
        #else
            throw VerbNotBuiltIn.cluster
        #endif
    }
}
