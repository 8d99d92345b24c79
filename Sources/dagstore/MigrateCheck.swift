internal import AdminMessages
internal import ArgumentParser
internal import DAGMigration
internal import DAGStorage

/// `migrate check`: compares a store with the source that was migrated to it.
struct MigrateCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Compare every entry of a source with a store, and print the differences.",
        discussion: """
            The store must have every multihash of the source at its offset, and must find its shard. Writes \
            nothing. Ends with 0 if the store has all of it, apart from the problems of `migrate plan`, else with 6.
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
        var strays = StrayList()
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
            for stray in try check.strayInverse(plan) { try strays.print(stray, to: &output) }
            switch format.format {
            case .text:
                let shards = plan.shards.count.counted("shard", "shards")
                let result = different == 0 ? "no differences" : "\(different) different"
                try output.line("\(shards), \(plan.entries.grouped) entries: \(result)")
            case .json:
                try output.object { json in
                    json.member("shards", plan.shards.count)
                    json.member("entries", plan.entries)
                    json.member("different", different)
                }
            }
        }
        await StoreOptions.close(store)
        guard different == 0 else { throw ExitCode(6) }
    }
}
