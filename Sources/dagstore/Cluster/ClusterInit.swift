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
        abstract: "Make a cluster in a database that has none.",
        discussion: """
            The place of the bytes never changes. With --bytes, the verb first writes, reads and deletes an object \
            there. The server and the credentials come from the environment, as those of s3 URLs do: \
            AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID and so on. Each node and verb needs them.
            """
    )

    @Option(help: ArgumentHelp("The nodes that hold each shard.", valueName: "n"))
    var copies = 2

    @Option(
        help: ArgumentHelp(
            "The folder of an S3 bucket for bundles and runs, such as s3://BUCKET/PREFIX. Default: the database.",
            valueName: "url"
        )
    )
    var bytes: String?

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        #if Cluster
            let database = try cluster.open()
            defer { database.close() }
            let facts = try ClusterFacts(copies: copies, objects: bytes ?? "")
            try await database.create(facts)
            try Output.run(format.format) { output in
                switch format.format {
                case .text:
                    try output.line(
                        "made the cluster \(facts.id.hexadecimal) in \(database.address)"
                            + (facts.objects.isEmpty ? "" : ", with its bytes in \(facts.objects)")
                    )
                case .json:
                    try output.object { json in
                        json.member("cluster", facts.id.hexadecimal)
                        json.member("copies", facts.copies)
                        json.member("bytesAt", facts.bytesURL)
                        json.member("database", database.address)
                    }
                }
            }
        #else
            throw VerbNotBuiltIn.cluster
        #endif
    }
}
