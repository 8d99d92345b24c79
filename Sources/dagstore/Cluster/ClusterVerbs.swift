internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage

#if Cluster
    internal import DAGCluster
#endif

/// The verbs about a cluster: many nodes with one catalog.
struct ClusterVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Make and look after a cluster: many nodes with one catalog in PostgreSQL.",
        discussion: """
            Every verb takes the address of the database: --cluster, or $DAGSTORE_CLUSTER. 'dagstore serve \
            --cluster' runs a node.
            """,
        subcommands: [
            ClusterInit.self, ClusterStatus.self, ClusterNodes.self, ClusterShards.self,
            ClusterFind.self, ClusterRegister.self, ClusterRelocate.self,
            ClusterRecover.self, ClusterDestroy.self, ClusterDrain.self, ClusterForget.self,
            ClusterAdopt.self, ClusterMigrate.self, ClusterCheck.self, ClusterSweep.self,
        ]
    )

    func run() throws { throw MissingVerb(help: Dagstore.helpMessage(for: Self.self)) }
}

/// `--cluster`: where the catalog of the cluster is.
struct ClusterOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The database of the cluster, such as postgresql://USER@HOST/NAME?sslmode=verify-full. "
                + "Default: $DAGSTORE_CLUSTER.",
            valueName: "url"
        )
    )
    var cluster: String?

    #if Cluster
        /// Opens the catalog.
        ///
        /// - Throws: `invalidArgument` if no address is given, or if it is malformed.
        func open() throws -> ClusterDatabase {
            guard let address = cluster ?? Console.variable("DAGSTORE_CLUSTER"), !address.isEmpty
            else {
                throw DAGStoreError(
                    .invalidArgument,
                    "no database is given",
                    advice: "name it with --cluster or $DAGSTORE_CLUSTER"
                )
            }
            return try ClusterDatabase(at: address)
        }

        /// Changes a shard of the cluster, and prints its new state.
        ///
        /// - Parameters:
        ///   - text: The shard's key.
        ///   - state: The word for the new state.
        ///   - format: The format of the output.
        ///   - body: Makes the change.
        /// - Throws: `invalidKey`, and the errors of `open` and `body`.
        func change(
            _ text: String,
            to state: String,
            _ format: OutputFormat,
            _ body: (ClusterDatabase, ShardKey) async throws -> Void
        ) async throws {
            let key = try ShardKey(text)
            let database = try open()
            defer { database.close() }
            _ = try await database.facts()
            try await body(database, key)
            try Output.run(format) { output in
                switch format {
                case .text: try output.line("\(key.text.printable)  \(state)")
                case .json:
                    try output.object { json in
                        json.member("key", key.text)
                        json.member("state", state)
                        json.member("error", nil as String?)
                    }
                }
            }
        }
    #endif
}

extension VerbNotBuiltIn {
    /// The error of the verbs of a cluster.
    static var cluster: VerbNotBuiltIn {
        VerbNotBuiltIn(
            message: "this program was built without the trait Cluster, so it knows no clusters",
            advice: "use a program built with 'make release' or 'swift build --traits Cluster'"
        )
    }
}

#if Cluster
    extension ClusterFacts {
        /// The URL of the folder that has the bytes; nil if the database has them.
        var bytesURL: String? { objects.isEmpty ? nil : objects }
    }

    extension [ClusterNode] {
        /// Returns the node with a name or a number.
        ///
        /// - Throws: `invalidArgument` if there is none, or several have the name.
        func node(named text: String) throws -> ClusterNode {
            let found = filter { $0.id.hexadecimal == text || $0.name == text }
            guard let node = found.first else {
                throw DAGStoreError(
                    .invalidArgument,
                    "the cluster has no node \(text)",
                    advice: "see 'dagstore cluster nodes'"
                )
            }
            guard found.count == 1 else {
                throw DAGStoreError(
                    .invalidArgument,
                    "\(found.count) nodes have the name \(text)",
                    advice: "give the number of one, as 'dagstore cluster nodes' prints it"
                )
            }
            return node
        }

        /// Warns if a verb is to wait for nodes, and none runs.
        func warnIfNoneIsAlive(_ format: OutputFormat) {
            guard allSatisfy({ $0.isDead(after: ClusterTimes.ofProcess.deadAfter) }) else { return }
            Warning(
                code: .noLivingNode,
                "no node of the cluster runs; this waits for one to start"
            ).write(format)
        }
    }
#endif
