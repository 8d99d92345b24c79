internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage

#if Cluster
    internal import DAGCluster
#endif

/// `cluster shards`: lists the shards of a cluster.
struct ClusterShards: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shards",
        abstract: "List the shards of the cluster and the nodes that hold them, one a line."
    )

    @Option(help: ArgumentHelp("Only the shard with this key.", valueName: "key"))
    var key: String?

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        #if Cluster
            let wanted = try key.map { try ShardKey($0) }
            let database = try cluster.open()
            defer { database.close() }
            _ = try await database.facts()
            let nodes = try await database.nodes()
            var list = RowList([
                .text("KEY"), .number("BLOCKS"), .number("SIZE"), .text("STATE"), .text("NODES"),
                .text("MOUNT"),
            ])
            var output = Output(format.format)
            if let wanted {
                guard let placed = try await database.placedShard(wanted) else {
                    throw DAGStoreError(
                        .shardUnknown,
                        "the cluster has no such shard",
                        shard: wanted,
                        advice: "see 'dagstore cluster shards'"
                    )
                }
                try output.print([placed], nodes, &list)
            } else {
                var last: UInt32?
                while true {
                    let some = try await database.shards(after: last)
                    guard let end = some.last else { break }
                    last = end.shard.number
                    try output.print(some, nodes, &list)
                }
            }
            try output.flush()
        #else
            throw VerbNotBuiltIn.cluster
        #endif
    }
}

#if Cluster
    extension Output {
        /// Prints some shards of a cluster.
        mutating func print(
            _ shards: [PlacedShard],
            _ nodes: [ClusterNode],
            _ list: inout RowList
        ) throws(OutputError) {
            switch format {
            case .text:
                let rows = shards.map { $0.row(nodes) }
                for row in rows { list.table.measure(row) }
                for row in rows { try self.row(row, of: &list) }
            case .json:
                for placed in shards { try object { json in placed.write(to: &json, nodes) } }
            }
        }
    }

    extension PlacedShard {
        /// The columns of a line for people.
        func row(_ nodes: [ClusterNode]) -> [String] {
            let cause = shard.errorCode.map { " (\($0.name))" } ?? ""
            let names = placements.filter { $0.state != .dropped }.map { placement in
                nodes.name(of: placement.node) + (placement.state == .held ? "" : " (wanted)")
            }
            return [
                shard.key.text.printable, shard.blockCount.grouped, shard.payloadSize.asSize,
                shard.state.name + cause, names.joined(separator: ", ").printable,
                shard.mountURL.printable,
            ]
        }

        /// Writes the members of a shard's object.
        func write(to json: inout JSONWriter, _ nodes: [ClusterNode]) {
            json.member("key", shard.key.text)
            json.member("state", shard.state.name)
            json.member("mount", shard.mountURL)
            json.member("remote", shard.policy.rawValue)
            json.member("node", shard.reach?.hexadecimal)
            json.member("blocks", shard.blockCount)
            json.member("bytes", shard.payloadSize)
            json.member("indexBytes", shard.bundleSize)
            json.member("epoch", shard.epoch)
            json.member("error", shard.errorCode?.name)
            json.member("errorMessage", shard.errorCode == nil ? nil : shard.error)
            json.member("placements", each: placements) { json, placement in
                json.member("node", placement.node.hexadecimal)
                json.member("name", nodes.name(of: placement.node))
                json.member("state", placement.state.name)
                json.member("errorMessage", placement.error.isEmpty ? nil : placement.error)
            }
        }
    }
#endif
