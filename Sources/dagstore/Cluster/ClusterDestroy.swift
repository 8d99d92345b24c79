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
            try await cluster.change(key, to: "destroyed", format.format) {
                try await $0.destroy($1)
            }
        #else
            throw VerbNotBuiltIn.cluster
        #endif
    }
}
