internal import AdminMessages
internal import ArgumentParser
internal import DAGMounts
internal import DAGStorage

#if Cluster
    internal import DAGCluster
#endif

/// `cluster relocate`: gives a shard of a cluster another mount.
struct ClusterRelocate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relocate",
        abstract: "Change the mount of a shard, and keep its index and its copies.",
        discussion: """
            A node compares the size of the CAR at the new mount and a sample of its sections with the index. If they \
            differ, the shard keeps its old mount. Else all nodes that hold the shard follow; each serves meanwhile. \
            A shard without an index gets the mount at once, and a node indexes it.
            """
    )

    @Argument(help: "The shard's key.")
    var key: String

    @Argument(
        help: ArgumentHelp(
            "A path, or a URL: file://, https://, http:// or s3://bucket/key.",
            valueName: "source"
        )
    )
    var source: String

    @Option(
        help: ArgumentHelp("The one node that reaches the CAR. Default: all.", valueName: "node")
    )
    var on: String?

    @Flag(help: "Do not wait for the comparison.")
    var noWait = false

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        #if Cluster
            let key = try ShardKey(key)
            let url = try Source(source).url.get()
            let database = try cluster.open()
            defer { database.close() }
            _ = try await database.facts()
            let nodes = try await database.nodes()
            let only = try on.map { try nodes.node(named: $0) }
            if !noWait { try only?.checkIsAlive() }
            let request = try await database.relocate(key, to: url, reach: only?.id)
            if !noWait { nodes.warnIfNoneIsAlive(format.format) }
            let placed = try await finished(key, request, for: url.text, only, in: database)
            try Output.run(format.format) { output in
                var list = RowList([
                    .text("KEY"), .number("BLOCKS"), .number("SIZE"), .text("STATE"),
                    .text("NODES"),
                    .text("MOUNT"),
                ])
                try output.print([placed], nodes, &list)
            }
            if let code = placed.shard.errorCode, !noWait {
                throw DAGStoreError(code, placed.shard.error, shard: key)
            }
        #else
            throw VerbNotBuiltIn.cluster
        #endif
    }

    #if Cluster
        /// Waits until the shard has the mount, or a node has refused it.
        ///
        /// - Throws: The reason of a refusal; `shardUnknown` if the shard is destroyed meanwhile; `shardInUse` if
        ///   another call gives the shard another mount; `mountUnreachable` if the node of `--on` ends.
        private func finished(
            _ key: ShardKey,
            _ request: [UInt8]?,
            for url: String,
            _ only: ClusterNode?,
            in database: ClusterDatabase
        ) async throws -> PlacedShard {
            while true {
                guard let placed = try await database.placedShard(key) else {
                    throw DAGStoreError(
                        .shardUnknown,
                        "another call destroyed the shard meanwhile",
                        shard: key
                    )
                }
                if noWait { return placed }
                if let request {
                    let move = try await database.move(of: placed.shard.number)
                    // The row goes when all nodes have followed.
                    guard move.map({ $0.request == request }) ?? (placed.shard.mountURL == url)
                    else {
                        throw DAGStoreError(
                            .shardInUse,
                            "another call gives the shard another mount",
                            shard: key
                        )
                    }
                    guard let move, move.state != .following else { return placed }
                    if var error = move.error {
                        error.advice = "check the new place: the shard keeps its old mount"
                        throw error
                    }
                } else if placed.shard.state != .registered {
                    return placed
                }
                try await only?.checkStaysAlive(in: database)
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    #endif
}

#if Cluster
    extension ClusterNode {
        /// Checks that the node runs, because a verb is to wait for it.
        ///
        /// - Throws: `mountUnreachable` if it has ended or is silent.
        func checkIsAlive() throws {
            guard isDead(after: ClusterTimes.ofProcess.deadAfter) else { return }
            throw DAGStoreError(
                .mountUnreachable,
                "node \(name), which alone reaches the CAR, does not run",
                advice: "start the node, or repeat with --no-wait"
            )
        }

        /// Checks that the node still runs.
        ///
        /// - Throws: `mountUnreachable` if it has ended, is silent, or was removed; `catalogUnreachable`.
        func checkStaysAlive(in database: ClusterDatabase) async throws {
            guard let node = try await database.nodes().first(where: { $0.id == id }) else {
                throw DAGStoreError(
                    .mountUnreachable,
                    "node \(name), which alone reaches the CAR, was removed from the cluster"
                )
            }
            try node.checkIsAlive()
        }
    }
#endif
