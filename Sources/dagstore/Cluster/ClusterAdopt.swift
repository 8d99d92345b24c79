internal import AdminMessages
internal import ArgumentParser
internal import DAGHashing
internal import DAGStorage
internal import DAGSystem

#if Cluster
    internal import DAGCluster
#endif

/// `cluster adopt`: makes a store the first node of a cluster.
struct ClusterAdopt: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract: "Bring a store with all its shards into a cluster; no CAR is read again.",
        discussion: """
            Makes the cluster if the database has none. A cluster that exists must have this store's hash key, so \
            only one store can bring its shards. Afterwards 'dagstore serve --cluster' runs the store as a node. An \
            interrupted run may be repeated.
            """
    )

    @Option(
        help: ArgumentHelp(
            "The nodes that hold each shard, if this makes the cluster.",
            valueName: "n"
        )
    )
    var copies = 2

    @Option(
        help: ArgumentHelp(
            "The folder of an S3 bucket for bundles and runs, if this makes the cluster. Default: the database.",
            valueName: "url"
        )
    )
    var bytes: String?

    @Flag(
        help: "Other nodes reach the CARs at the same paths or URLs, so that they may hold copies."
    )
    var shared = false

    @Option(help: ArgumentHelp("The node's name. Default: the host's name.", valueName: "name"))
    var name: String?

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        #if Cluster
            let database = try cluster.open()
            defer { database.close() }
            let store = try self.store.openForWriting(isNewAllowed: false, asksNode: false)
            let result: Result<Int32?, any Error>
            do {
                result = .success(try await adopt(store, into: database))
            } catch {
                result = .failure(error)
            }
            await StoreOptions.close(store)
            if let status = try result.get() { throw ExitCode(status) }
        #else
            throw VerbNotBuiltIn.cluster
        #endif
    }

    #if Cluster
        /// Adopts the store.
        ///
        /// - Returns: The exit status of the first shard that stays outside; nil if all are inside.
        private func adopt(
            _ store: DAGStore,
            into database: ClusterDatabase
        ) async throws -> Int32? {
            if try await !database.hasCluster() {
                let facts = try ClusterFacts(
                    copies: copies,
                    objects: bytes ?? "",
                    hashKey: store.hashKey.bytes
                )
                try await database.create(facts)
            }
            let facts = try await database.facts()
            let number = try NodeNumber(in: self.store.directory, of: facts.id)
            let member = ClusterMember(
                NodeProfile(
                    id: number.node,
                    name: name ?? ThisProcess.hostName,
                    url: "",
                    release: Program.release
                ),
                of: facts.id,
                in: database,
                store: store
            )
            var status: Int32?
            var output = Output(format.format)
            var list = RowList([.text("KEY"), .text("STATE")])
            try await member.adopt(isShared: shared) { adopted in
                let state: String
                var error: DAGStoreError?
                switch adopted.outcome {
                case .published: state = "available"
                case .registered: state = "registered"
                case .skipped(let cause):
                    state = "skipped"
                    error = cause
                    status = status ?? cause.code.exitStatus
                }
                switch format.format {
                case .text:
                    let cause = error.map { " (\($0.code.name))" } ?? ""
                    try output.row([adopted.key.text, state + cause], of: &list)
                case .json:
                    try output.object { json in
                        json.member("key", adopted.key.text)
                        json.member("state", state)
                        json.member("error", error?.code.name)
                        json.member("errorMessage", error?.message)
                    }
                }
                try output.flush()
            }
            return status
        }
    #endif
}
