internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage

#if Cluster
    internal import DAGCluster
#endif

/// `cluster init`: makes a cluster.
struct ClusterInit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a cluster in a database that has none."
    )

    @Option(help: ArgumentHelp("The nodes that hold each shard.", valueName: "n"))
    var copies = 2

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        #if Cluster
            let database = try cluster.open()
            defer { database.close() }
            let facts = try ClusterFacts(copies: copies)
            try await database.create(facts)
            try Output.run(format.format) { output in
                switch format.format {
                case .text:
                    try output.line(
                        "made the cluster \(facts.id.hexadecimal) in \(database.address)"
                    )
                case .json:
                    try output.object { json in
                        json.member("cluster", facts.id.hexadecimal)
                        json.member("copies", facts.copies)
                        json.member("database", database.address)
                    }
                }
            }
        #else
            throw VerbNotBuiltIn.cluster
        #endif
    }
}
