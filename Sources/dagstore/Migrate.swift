internal import AdminMessages
internal import ArgumentParser
internal import DAGMigration
internal import DAGStorage
internal import SystemPackage

/// The verbs that migrate shards from and to Go nodes.
struct Migrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Migrate shards from the folders of Go nodes, and back.",
        subcommands: [MigratePlan.self, MigrateRun.self, MigrateCheck.self, MigrateExport.self]
    )

    func run() throws { throw MissingVerb(help: Dagstore.helpMessage(for: Self.self)) }
}

/// The source of a migration.
struct SourceOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "The folder of a Go node, or a folder of index files or CARs.",
            valueName: "source"
        ),
        completion: .directory
    )
    var path: String

    @Option(
        help: ArgumentHelp(
            "The layout of the source: auto, dagstore, boost-lid, indexes or cars.",
            valueName: "layout"
        )
    )
    var from = "auto"

    func validate() throws {
        guard from == "auto" || MigrationLayout(rawValue: from) != nil else {
            throw ValidationError(
                "--from takes auto, dagstore, boost-lid, indexes or cars, not \(from)"
            )
        }
    }

    /// Opens the source, and recognizes its layout.
    func source() throws(MigrationError) -> MigrationSource {
        try MigrationSource(at: FilePath(path).ofClient, layout: MigrationLayout(rawValue: from))
    }
}

/// `migrate plan`: prints what a migration would do.
struct MigratePlan: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Print what a migration would do and its problems; writes nothing.",
        discussion: """
            Reads every record and every index, and no CAR. The node may use the source meanwhile: the plan \
            writes nothing to it and locks nothing in it.
            """
    )

    @OptionGroup var source: SourceOptions
    @OptionGroup var mounts: MountMapOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let plan = try source.source().plan(map: mounts.map())
        try Output.run(format.format) { output in
            switch format.format {
            case .json: try Self.writeJSON(plan, to: &output)
            case .text: try Self.writeText(plan, to: &output)
            }
        }
    }

    private static func writeJSON(_ plan: MigrationPlan, to output: inout Output) throws {
        for shard in plan.shards { try output.object { json in shard.write(to: &json) } }
        var strays = StrayList()
        for stray in plan.strays { try strays.print(stray, to: &output) }
        try output.object { json in
            json.member("layout", plan.layout.rawValue)
            json.member("shards", plan.shards.count)
            json.member("states") { json in
                for (name, count) in plan.stateCounts { json.member(name, count) }
            }
            json.member("codecs") { json in
                for (name, count) in plan.codecCounts { json.member(name, count) }
            }
            json.member("entries", plan.entries)
            json.member("bytesBefore", plan.bytesBefore)
            json.member("bytesAfter", plan.bytesAfter)
            json.member("problems") { json in
                for (name, count) in plan.sortedProblems { json.member(name, count) }
            }
        }
    }

    private static func writeText(_ plan: MigrationPlan, to output: inout Output) throws {
        var table = Table([
            .text("KEY"), .number("ENTRIES"), .number("SIZE"), .text("CODEC"), .text("STATE"),
            .text("PROBLEMS"),
        ])
        for shard in plan.shards { table.measure(shard.row) }
        try output.heading(of: table)
        for shard in plan.shards { try output.line(table.line(shard.row)) }
        var strays = StrayList()
        for stray in plan.strays { try strays.print(stray, to: &output) }
        let states = plan.stateCounts.map { "\($0.1.grouped) \($0.0)" }.joined(separator: ", ")
        let shards = plan.shards.count.counted("shard", "shards")
        try output.line("\(shards)\(states.isEmpty ? "" : ": \(states)")")
        let sizes =
            "\(plan.bytesBefore.asSize) in the source, about \(plan.bytesAfter.asSize) in the store"
        try output.line("\(plan.entries.grouped) entries, \(sizes)")
        let problems = plan.sortedProblems.map { "\($0.1.grouped) \($0.0)" }
        try output.line(
            problems.isEmpty ? "no problems" : "problems: " + problems.joined(separator: ", ")
        )
    }
}

/// Prints problems that belong to no shard.
struct StrayList {
    private var list = RowList([.text("PROBLEM", width: 18), .text("DETAIL")])

    /// Prints a problem.
    mutating func print(_ stray: MigrationProblem, to output: inout Output) throws {
        let row = [stray.kind.rawValue, stray.detail]
        switch output.format {
        case .text:
            let text = "\(stray.kind.rawValue): \(stray.detail.printable)"
            try output.row(row, of: &list, piped: text)
        case .json:
            try output.object { json in
                json.member("key", nil as String?)
                json.member("problem", stray.kind.rawValue)
                json.member("detail", stray.detail)
            }
        }
    }
}

extension MigrationPlan {
    fileprivate var stateCounts: [(String, Int)] {
        Self.counts(shards.map(\.state.rawValue))
    }

    fileprivate var codecCounts: [(String, Int)] {
        Self.counts(shards.compactMap { $0.codec?.asCodec })
    }

    var sortedProblems: [(String, Int)] {
        problemCounts.map { ($0.key.rawValue, $0.value) }.sorted { $0.0 < $1.0 }
    }

    private static func counts(_ names: [String]) -> [(String, Int)] {
        Dictionary(names.map { ($0, 1) }, uniquingKeysWith: +).sorted { $0.key < $1.key }
            .map { ($0.key, $0.value) }
    }
}

extension PlannedShard {
    /// Writes the members of the line of a shard.
    func write(to json: inout JSONWriter) {
        json.member("key", key)
        json.member("state", state.rawValue)
        json.member("mount", mountURL)
        json.member("lazy", isLazy)
        json.member("entries", entries)
        json.member("bytes", bytes)
        json.member("codec", codec?.asCodec)
        json.member("problem", problems.first?.kind.rawValue)
        json.member("problems", problems.map(\.kind.rawValue))
        json.member("details", problems.map(\.detail))
        json.member("error", error.isEmpty ? nil : error)
    }

    fileprivate var row: [String] {
        [
            key.printable, entries?.grouped ?? "-", bytes?.asSize ?? "-", codec?.asCodec ?? "-",
            state.rawValue, problems.map(\.kind.rawValue).joined(separator: ", "),
        ]
    }
}
