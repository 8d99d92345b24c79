internal import AdminMessages
internal import ArgumentParser
internal import DAGMounts
internal import DAGStorage

#if Cluster
    internal import DAGCluster
#endif

/// `cluster migrate`: registers the pieces of Boost's tables.
struct ClusterMigrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Register the pieces that Boost's tables in YugabyteDB or PostgreSQL name.",
        discussion: """
            Each piece becomes a shard, with the piece's CID as its key. Boost keeps its indexes in CQL, which this \
            verb does not read: nodes index the CARs. Nothing in Boost's database changes. The verb waits for no \
            index; an interrupted run may be repeated.
            """
    )

    @Argument(
        help: ArgumentHelp(
            "Boost's database, such as postgresql://USER@HOST:5433/yugabyte.",
            valueName: "url"
        )
    )
    var boost: String

    @Option(
        help: ArgumentHelp(
            "Where a piece is: a path or URL with {piece}, and {miner} if needed, such as "
                + "https://boost.example:7777/piece/{piece}.",
            valueName: "template"
        )
    )
    var mount: String

    @Option(
        help: ArgumentHelp(
            "Only the pieces of this provider, such as f01234.",
            valueName: "address"
        )
    )
    var miner: String?

    @Option(help: ArgumentHelp("The one node that reaches the CARs.", valueName: "node"))
    var on: String?

    @Flag(help: "Print what would be registered, and register nothing.")
    var plan = false

    @OptionGroup var policy: PolicyArgument
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var format: FormatOptions

    func validate() throws {
        guard mount.contains("{piece}") else {
            throw ValidationError("--mount has no {piece}, so all pieces would be one CAR")
        }
    }

    func run() async throws {
        #if Cluster
            let database = try cluster.open()
            defer { database.close() }
            _ = try await database.facts()
            let reach = try await nodeNumber(in: database)
            let source = try ClusterDatabase(at: boost)
            defer { source.close() }
            let tables = try await BoostTables(in: source)
            var output = Output(format.format)
            var list = RowList([.text("KEY"), .text("STATE"), .text("MOUNT")])
            var place: BoostPiece.Place?
            var status: Int32?
            while true {
                let pieces = try await tables.pieces(after: place, of: miner)
                guard let last = pieces.last else { break }
                for piece in pieces {
                    let row = try await migrated(piece, reach, in: database)
                    status = status ?? row.fault?.exitStatus
                    try row.print(to: &output, &list)
                }
                try output.flush()
                place = last.place
            }
            if let status { throw ExitCode(status) }
        #else
            throw VerbNotBuiltIn.cluster
        #endif
    }

    #if Cluster
        private func nodeNumber(in database: ClusterDatabase) async throws -> [UInt8]? {
            guard let on else { return nil }
            return try await database.nodes().node(named: on).id
        }

        /// Registers a piece.
        ///
        /// - Throws: `catalogUnreachable`; any other error belongs to the piece alone.
        private func migrated(
            _ piece: BoostPiece,
            _ reach: [UInt8]?,
            in database: ClusterDatabase
        ) async throws -> Row {
            var row = Row(piece: piece.piece)
            guard !piece.isSealedOnly else {
                row.state = "sealed"
                return row
            }
            do {
                let key = try piece.key()
                let text = mount.replacing("{piece}", with: piece.piece)
                    .replacing("{miner}", with: piece.miner)
                row.mount = text
                let url = try Source(text).url.get()
                row.mount = url.text
                if let placed = try await database.placedShard(key) {
                    guard placed.shard.mountURL == url.text else {
                        throw DAGStoreError(
                            .shardExists,
                            "the cluster has the piece at another place",
                            shard: key
                        )
                    }
                    row.state = "known"
                } else if plan {
                    row.state = "planned"
                } else {
                    _ = try await database.register(
                        key,
                        from: url,
                        policy: policy.policy ?? .automatic,
                        reach: reach
                    )
                    row.state = "registered"
                }
            } catch let error as DAGStoreError where error.code == .catalogUnreachable {
                throw error
            } catch {
                row.fault = ErrorReport(error)
            }
            return row
        }

        /// What became of a piece.
        private struct Row {
            let piece: String
            var state = "skipped"
            var mount = ""
            var fault: ErrorReport?

            func print(to output: inout Output, _ list: inout RowList) throws {
                switch output.format {
                case .text:
                    let cause = fault.map { " (\($0.code))" } ?? ""
                    try output.row([piece.printable, state + cause, mount.printable], of: &list)
                case .json:
                    try output.object { json in
                        json.member("key", piece)
                        json.member("state", state)
                        json.member("mount", mount)
                        json.member("error", fault?.code)
                        json.member("errorMessage", fault?.message)
                    }
                }
            }
        }
    #endif
}
