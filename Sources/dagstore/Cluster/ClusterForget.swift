internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage

#if Cluster
    internal import DAGCluster
#endif

/// `cluster forget`: removes a node that has ended for good.
struct ClusterForget: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Remove a node that has ended for good, with its placements.",
        discussion: """
            Refused while the node gives signs of life. Shards of '--on' that node fail, so without --force the verb \
            refuses, and names them. A node whose process comes back joins as a new one.
            """
    )

    @Argument(help: "The node's name or number.")
    var node: String

    @Flag(help: "Remove also a node that alone reaches CARs; their shards fail.")
    var force = false

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        #if Cluster
            let database = try cluster.open()
            defer { database.close() }
            _ = try await database.facts()
            let node = try await database.nodes().node(named: node)
            let failed = try await database.forget(
                node.id,
                deadAfter: ClusterTimes.ofProcess.deadAfter,
                isForced: force
            )
            try Output.run(format.format) { output in
                switch format.format {
                case .text:
                    let shards =
                        failed == 0
                        ? "" : "; " + failed.counted("shard fails", "shards fail")
                    try output.line("\(node.name)  forgotten\(shards)")
                case .json:
                    try output.object { json in
                        json.member("node", node.id.hexadecimal)
                        json.member("name", node.name)
                        json.member("state", "forgotten")
                        json.member("failed", failed)
                    }
                }
            }
        #else
            throw VerbNotBuiltIn.cluster
        #endif
    }
}
