internal import AdminMessages
internal import ArgumentParser
internal import DAGMigration
internal import DAGStorage
internal import SystemPackage

/// `migrate export`: writes the shards of a store in the layout of a Go node.
struct MigrateExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the shards of a store to a folder that a Go node can use.",
        discussion: """
            Index files have the bytes that go-car writes for the same sections, in the codec that each shard \
            came with. The export writes a folder with the ending .partial, and renames it when it is complete \
            and on disk. Ends with 0 if all is well, 5 if the export lacks something of the store, 6 if it \
            could not complete.
            """
    )

    @Option(
        help: ArgumentHelp("An empty folder, or a new one.", valueName: "dest"),
        completion: .directory
    )
    var to: String

    @Option(help: "dagstore: records, inverse index and index files; indexes: only index files.")
    var layout = "dagstore"

    @OptionGroup var mounts: MountMapOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions
    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        guard MigrationExport.Layout(rawValue: layout) != nil else {
            throw ValidationError("--layout takes dagstore or indexes, not \(layout)")
        }
    }

    func run() async throws {
        let start = ContinuousClock.now
        let layout = MigrationExport.Layout(rawValue: layout) ?? .dagstore
        let map = try mounts.map()
        guard !to.isEmpty else {
            throw DAGStoreError(
                .invalidArgument,
                "the name of the destination is empty",
                advice: "give --to a folder"
            )
        }
        let destination = FilePath(to)
        try store.rejectInsideStore(destination)
        let store = try store.openForReading()
        let export = MigrationExport(of: store, to: destination, layout: layout, map: map)
        let bar = ProgressBar(progress.progress, "exporting")
        var outcomes: [MigrationExport.Outcome] = []
        do {
            defer { bar.finish() }
            try export.run(progress: { bar.update($0, of: $1) }) { outcomes.append($0) }
        } catch {
            await StoreOptions.close(store)
            throw error
        }
        await StoreOptions.close(store)
        try Output.run(format.format) { output in
            try Self.write(outcomes, ContinuousClock.now - start, to: &output)
        }
        guard outcomes.allSatisfy(\.problems.isEmpty) else { throw ExitCode(5) }
    }

    private static func write(
        _ outcomes: [MigrationExport.Outcome],
        _ time: Duration,
        to output: inout Output
    ) throws {
        var list = RowList([.text("KEY"), .text("PROBLEM"), .text("DETAIL")])
        for (outcome, problem) in outcomes.flatMap({ one in one.problems.map { (one, $0) } }) {
            list.table.measure([outcome.key, problem.kind.rawValue, ""])
        }
        for outcome in outcomes {
            switch output.format {
            case .json:
                try output.object { json in
                    json.member("key", outcome.key)
                    json.member("state", outcome.state.rawValue)
                    json.member("entries", outcome.entries)
                    json.member("bytes", outcome.bytes)
                    json.member("codec", outcome.codec?.asCodec)
                    json.member("problem", outcome.problems.first?.kind.rawValue)
                    json.member("problems", outcome.problems.map(\.kind.rawValue))
                    json.member("details", outcome.problems.map(\.detail))
                }
            case .text:
                for problem in outcome.problems {
                    let (kind, detail) = (problem.kind.rawValue, problem.detail)
                    let text = "\(outcome.key.printable): \(kind): \(detail.printable)"
                    try output.row([outcome.key, kind, detail], of: &list, piped: text)
                }
            }
        }
        let entries = outcomes.reduce(0) { $0 + ($1.entries ?? 0) }
        let bytes = outcomes.reduce(0) { $0 + ($1.bytes ?? 0) }
        let problems = outcomes.flatMap(\.problems).reduce(into: [:]) {
            $0[$1.kind.rawValue, default: 0] += 1
        }
        switch output.format {
        case .json:
            try output.object { json in
                json.member("shards", outcomes.count)
                json.member("entries", entries)
                json.member("bytes", bytes)
                json.member("problems") { json in
                    for (name, count) in problems.sorted(by: { $0.key < $1.key }) {
                        json.member(name, count)
                    }
                }
                json.member("seconds", time)
            }
        case .text:
            let shards = outcomes.count.counted("shard", "shards")
            try output.line(
                "\(shards) exported with \(entries.grouped) entries, \(bytes.asSize) of index files"
            )
        }
    }
}

/// `--mount-map`: rewrites mount URLs.
struct MountMapOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Rewrite mount URLs of a scheme; {key} is the shard's key, {rest} the rest of the old URL. Repeatable.",
            valueName: "scheme=url"
        )
    )
    var mountMap: [String] = []

    func validate() throws { _ = try map() }

    /// Parses the map.
    func map() throws -> MountMap {
        var map = MountMap()
        for text in mountMap {
            let parts = text.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else {
                throw ValidationError("--mount-map takes scheme=url, not \(text)")
            }
            do {
                try map.map(String(parts[0]), to: String(parts[1]))
            } catch {
                throw ValidationError("--mount-map takes scheme=url: \(error)")
            }
        }
        return map
    }
}
