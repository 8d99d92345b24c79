internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage

#if Cluster
    internal import DAGCluster
#endif

/// `cluster sweep`: deletes bytes that no shard names.
struct ClusterSweep: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Delete the cluster's bytes that no shard names; nodes do so every hour.",
        discussion:
            "A sweep leaves bytes that are younger than an hour, because their publication may be on its way."
    )

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        #if Cluster
            let database = try cluster.open()
            defer { database.close() }
            _ = try await database.facts()
            let report = try await database.sweep(grace: ClusterTimes.ofProcess.grace)
            try Output.run(format.format) { output in
                switch format.format {
                case .text:
                    try output.line(
                        "deleted \(report.blobCount.grouped) blobs of "
                            + report.byteCount.asSize
                    )
                case .json:
                    try output.object { json in
                        json.member("blobs", report.blobCount)
                        json.member("bytes", report.byteCount)
                        json.member("requests", report.requestCount)
                    }
                }
            }
        #else
            throw VerbNotBuiltIn.cluster
        #endif
    }
}
