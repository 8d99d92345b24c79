internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage

#if Cluster
    internal import DAGCluster
#endif

/// `cluster recover`: tries again to index a shard of a cluster.
struct ClusterRecover: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover",
        abstract: "Let a node try again to index a shard that failed."
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
            try await database.recover(key)
            try Output.run(format.format) { output in
                switch format.format {
                case .text: try output.line("\(key.text.printable)  registered")
                case .json:
                    try output.object { json in
                        json.member("key", key.text)
                        json.member("state", "registered")
                        json.member("error", nil as String?)
                    }
                }
            }
        #else
            throw VerbNotBuiltIn.cluster
        #endif
    }
}
