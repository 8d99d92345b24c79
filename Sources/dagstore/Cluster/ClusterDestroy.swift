internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage

#if Cluster
    internal import DAGCluster
#endif

/// `cluster destroy`: removes a shard from a cluster.
struct ClusterDestroy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destroy",
        abstract: "Remove a shard from the cluster and from its nodes; the CAR stays."
    )

    @Argument(help: "The shard's key.")
    var key: String

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        #if Cluster
            let key = try ShardKey(key)
            let database = try cluster.open()
            defer { database.close() }
            _ = try await database.facts()
            try await database.destroy(key)
            try Output.run(format.format) { output in
                switch format.format {
                case .text: try output.line("\(key.text.printable)  destroyed")
                case .json:
                    try output.object { json in
                        json.member("key", key.text)
                        json.member("state", "destroyed")
                        json.member("error", nil as String?)
                    }
                }
            }
        #else
            throw VerbNotBuiltIn.cluster
        #endif
    }
}
