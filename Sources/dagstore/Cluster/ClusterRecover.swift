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
            try await cluster.change(key, to: "registered", format.format) {
                try await $0.recover($1)
            }
        #else
            throw VerbNotBuiltIn.cluster
        #endif
    }
}
