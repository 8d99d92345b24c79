internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage
internal import ObjectStorage

#if Cluster
    internal import DAGCluster
#endif

/// `cluster check`: compares the database of a cluster with its bytes and nodes.
struct ClusterCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Compare the cluster's database with its bytes and nodes; change nothing.",
        discussion: """
            Without options, reads the rows of all tables but the bytes. A finding is an error, a warning, or \
            something that nodes settle by themselves. With --store, which has no default here, the store of a \
            node is compared, too. Ends with 0 if there are no errors and no warnings, else \
            with 6.
            """
    )

    @Flag(
        help: "Read all bytes of bundles and runs, and compare them with their names and checksums."
    )
    var bytes = false

    @Flag(help: "Ask each living node over HTTP whether it serves the shards that it holds.")
    var nodes = false

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        #if Cluster
            let start = ContinuousClock.now
            let database = try cluster.open()
            defer { database.close() }
            let facts = try await database.facts()
            var checker = try ClusterChecker(facts, in: database)
            checker.readsBytes = bytes
            if nodes { checker.ask = try Self.ask() }
            let names = try await database.nodes()
            var output = Output(format.format)
            var list = RowList([
                .text("SEVERITY"), .text("FINDING"), .text("KEY"), .text("NODE"), .text("DETAIL"),
            ])
            // Without --store the usual store is none of the cluster's business.
            let local = try store.store.map { _ in try openStore(of: facts) }
            checker.store = local
            let result: Result<ClusterCheckTotals, any Error>
            do {
                result = .success(
                    try await checker.run { finding in
                        try output.print(finding, names, &list)
                    }
                )
            } catch {
                result = .failure(error)
            }
            if let local { await StoreOptions.close(local.store) }
            let totals = try result.get()
            try output.print(totals, ContinuousClock.now - start)
            try output.flush()
            guard totals.isSound else { throw ExitCode(6) }
        #else
            throw VerbNotBuiltIn.cluster
        #endif
    }

    #if Cluster
        /// Opens the store of a node read-only.
        ///
        /// - Throws: `invalidArgument` if it belongs to no cluster, or to another one; the errors of opening it.
        private func openStore(
            of facts: ClusterFacts
        ) throws -> (store: DAGStore, node: [UInt8]) {
            let directory = try store.directory
            guard let number = try NodeNumber(in: directory) else {
                throw DAGStoreError(
                    .invalidArgument,
                    "the store in \(directory) belongs to no cluster",
                    advice: "give --store the store of a node"
                )
            }
            guard number.cluster == facts.id else {
                throw DAGStoreError(
                    .invalidArgument,
                    "the store in \(directory) belongs to the cluster "
                        + "\(number.cluster.hexadecimal), not to \(facts.id.hexadecimal)",
                    advice: "give --cluster the database of that cluster, or --store another folder"
                )
            }
            return (try store.openForReading(), number.node)
        }

        #if Node
            /// The time that a node has for an answer.
            private static let answerTime = Duration.seconds(10)

            /// Returns a function that asks a node with `HEAD /piece/KEY`.
            private static func ask() throws -> ClusterChecker.Ask {
                var configuration = ClientConfiguration()
                // A redirect means that the node does not have the shard.
                configuration.redirectsMax = 0
                configuration.targets = .local
                configuration.connectTimeout = .seconds(5)
                configuration.silenceMax = answerTime
                configuration.retries.attemptsMax = 1
                configuration.retries.deadline = answerTime
                let client = ObjectClient(configuration)
                return { url, key in
                    do {
                        let base = url.hasSuffix("/") ? String(url.dropLast()) : url
                        let piece = try ObjectURL("\(base)/piece/\(key.text.percentEncoded)")
                        _ = try await client.stat(ObjectTarget(piece, counters: client.counters))
                        return .holds
                    } catch let error as ObjectStorageError {
                        switch error.code {
                        case .notFound, .tooManyRedirects: return .lacks
                        case .unreachable, .timedOut, .malformedURL, .targetRefused:
                            return .silent(error.detail)
                        default: return .fails(error.detail)
                        }
                    } catch {
                        return .silent("\(error)")
                    }
                }
            }
        #else
            private static func ask() throws -> ClusterChecker.Ask {
                throw VerbNotBuiltIn(
                    message: "this program was built without the trait Node, so it asks no nodes",
                    advice: "use a program built with 'make release'"
                )
            }
        #endif
    #endif
}

#if Cluster
    extension Output {
        /// Prints a finding, and writes it at once.
        fileprivate mutating func print(
            _ finding: ClusterFinding,
            _ nodes: [ClusterNode],
            _ list: inout RowList
        ) throws {
            switch format {
            case .text:
                let row = [
                    finding.kind.severity.rawValue, finding.kind.rawValue,
                    finding.key?.text.printable ?? "",
                    finding.node.map { nodes.name(of: $0) }?.printable ?? "",
                    finding.detail.printable,
                ]
                list.table.measure(row)
                try self.row(row, of: &list)
            case .json:
                try object { json in
                    json.member("finding", finding.kind.rawValue)
                    json.member("severity", finding.kind.severity.rawValue)
                    json.member("key", finding.key?.text)
                    json.member("node", finding.node?.hexadecimal)
                    json.member("blob", finding.blob)
                    json.member("detail", finding.detail)
                }
            }
            try flush()
        }

        /// Prints the counts of a check.
        fileprivate mutating func print(_ totals: ClusterCheckTotals, _ time: Duration) throws {
            let errors = totals.findings[.error] ?? 0
            let warnings = totals.findings[.warning] ?? 0
            let notes = totals.findings[.info] ?? 0
            switch format {
            case .text:
                var line = totals.shardCount.counted("shard", "shards")
                line += ", " + totals.placementCount.counted("placement", "placements")
                line += ", " + totals.jobCount.counted("job", "jobs")
                line += ", " + totals.runCount.counted("run", "runs")
                line += ", " + totals.blobCount.counted("blob", "blobs")
                if totals.readSize > 0 { line += ", \(totals.readSize.asSize) read" }
                if totals.answerCount > 0 {
                    line += ", " + totals.answerCount.counted("answer", "answers")
                }
                if totals.comparedCount > 0 { line += ", \(totals.comparedCount.grouped) compared" }
                let verdict =
                    errors + warnings + notes == 0
                    ? "no problems"
                    : errors.counted("error", "errors") + ", "
                        + warnings.counted("warning", "warnings") + ", "
                        + notes.counted("note", "notes")
                try self.line("\(line): \(verdict), \(time.asTime)")
            case .json:
                try object { json in
                    json.member("shards", totals.shardCount)
                    json.member("placements", totals.placementCount)
                    json.member("jobs", totals.jobCount)
                    json.member("runs", totals.runCount)
                    json.member("blobs", totals.blobCount)
                    json.member("bytesRead", totals.readSize)
                    json.member("answers", totals.answerCount)
                    json.member("compared", totals.comparedCount)
                    json.member("errors", errors)
                    json.member("warnings", warnings)
                    json.member("notes", notes)
                    json.member("seconds", time)
                }
            }
        }
    }

    extension String {
        /// The text as one segment of a URL's path.
        fileprivate var percentEncoded: String {
            utf8.map { byte in
                let isPlain =
                    UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
                    || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                    || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
                    || "-_~".utf8.contains(byte)
                guard !isPlain else { return String(UnicodeScalar(byte)) }
                return "%" + [byte].hexadecimal
            }.joined()
        }
    }
#endif
