internal import ArgumentParser
internal import DAGMigration
internal import DAGStorage

/// `migrate check`: compares a store with a source that was brought over.
struct MigrateCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Compare every entry of a source with a store; prints what is different.",
        discussion: """
            Every multihash of the source must stand in the store at its offset, and lead to its shard. \
            Nothing is written. Ends with 0 if everything is there but what `migrate plan` has as a \
            problem, else with 6.
            """
    )

    @OptionGroup var source: SourceOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        let source = try source.source()
        let plan = try source.plan()
        let store = try store.openForReading()
        let check = MigrationCheck(of: source, with: store)
        var different = 0
        var differences = RowList([.text("DIFFERENCE")])
        var strays = RowList([.text("PROBLEM", width: 18), .text("DETAIL")])
        try Output.run(format.format) { output in
            for shard in plan.shards {
                let difference = try check.difference(of: shard)
                guard let difference else { continue }
                if !MigrationCheck.isExcused(shard) { different += 1 }
                switch format.format {
                case .text: try output.row([difference.description], of: &differences)
                case .json:
                    try output.object { json in
                        json.member("key", shard.key)
                        json.member("state", shard.state.rawValue)
                        json.member("entries", shard.entries)
                        json.member("there", difference.isThere)
                        json.member("missing", difference.missing)
                        json.member("unfindable", difference.unfindable)
                        json.member("problem", shard.problems.first?.kind.rawValue)
                    }
                }
            }
            for problem in try check.strayInverse(plan) {
                switch format.format {
                case .text:
                    let text = "\(problem.kind.rawValue): \(problem.detail.printable)"
                    let row = [problem.kind.rawValue, problem.detail]
                    try output.row(row, of: &strays, piped: text)
                case .json:
                    try output.object { json in
                        json.member("key", nil as String?)
                        json.member("problem", problem.kind.rawValue)
                        json.member("detail", problem.detail)
                    }
                }
            }
            switch format.format {
            case .text:
                let shards = plan.shards.count.counted("shard", "shards")
                let result = different == 0 ? "everything is there" : "\(different) different"
                try output.line("\(shards), \(plan.entries.grouped) entries: \(result)")
            case .json:
                try output.object { json in
                    json.member("shards", plan.shards.count)
                    json.member("entries", plan.entries)
                    json.member("different", different)
                }
            }
        }
        await store.close(cancellingJobs: true)
        guard different == 0 else { throw ExitCode(6) }
    }
}
