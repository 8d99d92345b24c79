internal import AdminMessages
internal import ArgumentParser
internal import DAGMounts
internal import DAGStorage

#if Cluster
    internal import DAGCluster
#endif

/// `cluster register`: registers shards in a cluster.
struct ClusterRegister: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "register",
        abstract: "Register CARs in the cluster, and wait until a node has indexed them.",
        discussion: """
            Nodes read the CARs: a path must name the same file on all of them, unless --on names the one node \
            that has it. No other node can hold a copy then.
            """
    )

    @Argument(help: "CAR files, or URLs of mounts.")
    var sources: [String]

    @Option(help: "The shard's key. Default: the last part of the path, without .car.")
    var key: String?

    @Option(help: ArgumentHelp("The one node that reaches the CARs.", valueName: "node"))
    var on: String?

    @Flag(help: "Do not wait until the CARs are indexed.")
    var noWait = false

    @OptionGroup var policy: PolicyArgument
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var format: FormatOptions

    func validate() throws {
        guard key == nil || sources.count == 1 else {
            throw ValidationError("--key is for one source, not \(sources.count)")
        }
    }

    func run() async throws {
        #if Cluster
            let database = try cluster.open()
            defer { database.close() }
            _ = try await database.facts()
            let nodes = try await database.nodes()
            let only = try on.map { try nodes.node(named: $0) }
            if !noWait { try only?.checkIsAlive() }
            var status: Int32?
            var list = RowList([
                .text("KEY"), .number("BLOCKS"), .number("SIZE"), .text("STATE"), .text("NODES"),
                .text("MOUNT"),
            ])
            var output = Output(format.format)
            var registered: [ShardKey] = []
            for text in sources {
                do {
                    let source = Source(text)
                    let key = try ShardKey(self.key ?? source.key)
                    _ = try await database.register(
                        key,
                        from: try source.url.get(),
                        policy: policy.policy ?? .automatic,
                        reach: only?.id
                    )
                    registered.append(key)
                } catch {
                    let report = ErrorReport(error)
                    report.write(format.format)
                    status = status ?? report.exitStatus
                }
            }
            if !noWait, !registered.isEmpty { nodes.warnIfNoneIsAlive(format.format) }
            for key in registered {
                guard let placed = try await finished(key, only, in: database) else {
                    let error = DAGStoreError(
                        .shardUnknown,
                        "another call destroyed the shard meanwhile",
                        shard: key
                    )
                    ErrorReport(error).write(format.format)
                    status = status ?? error.code.exitStatus
                    continue
                }
                try output.print([placed], nodes, &list)
                try output.flush()
                if let code = placed.shard.errorCode {
                    let error = DAGStoreError(code, placed.shard.error, shard: key)
                    ErrorReport(error).write(format.format)
                    status = status ?? code.exitStatus
                }
            }
            try output.flush()
            if let status { throw ExitCode(status) }
        #else
            throw VerbNotBuiltIn.cluster
        #endif
    }

    #if Cluster
        /// Waits until a shard is indexed or has failed; nil if it was destroyed.
        ///
        /// - Throws: `mountUnreachable` if the node of `--on` ends; the shard then waits for its return.
        private func finished(
            _ key: ShardKey,
            _ only: ClusterNode?,
            in database: ClusterDatabase
        ) async throws -> PlacedShard? {
            while true {
                let placed = try await database.placedShard(key)
                guard let placed, placed.shard.state == .registered, !noWait else { return placed }
                try await only?.checkStaysAlive(in: database)
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    #endif
}
