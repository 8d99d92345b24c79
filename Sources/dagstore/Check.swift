internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage

/// `check`: looks for problems, and repairs them if asked.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check records, indexes, sources and copies, and print the problems.",
        discussion:
            "A shard whose source is away is a problem and stays as it is: the store reads it again "
            + "when the source is back. The check never removes a file of the user. Ends with 0 if "
            + "there is no problem or all are repaired, else with 6. --environment checks the machine, the "
            + "process and the store's place instead, and needs no store."
    )

    @Flag(
        help: "Repair the problems: index or recover a shard again, or mark it as failed."
    )
    var repair = false

    @Flag(help: "Hash every block, too.")
    var deep = false

    @Flag(help: "Check limits, disk space, file system, clock and libraries, not the store.")
    var environment = false

    @OptionGroup var limits: LimitOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func validate() throws {
        guard !environment || !(repair || deep) else {
            throw ValidationError("--environment goes without --repair and --deep")
        }
    }

    func run() async throws {
        let start = ContinuousClock.now
        guard !environment else { return try checkEnvironment(start) }
        let look: (inout Configuration) -> Void = {
            $0.checksPages = true
            $0.limits = limits.limits
        }
        // A node has opened the catalog already, so its pages are examined here.
        if repair, Console.client == nil, try store.isOwned {
            StoreOptions.closeWaiting(try store.openForReading(look))
        }
        let store =
            repair
            ? try store.openForWriting(isNewAllowed: false, look) : try store.openForReading(look)
        var options = CheckOptions()
        options.isDeep = deep
        options.repairs = repair
        let report = try await store.check(options)
        await StoreOptions.close(store)
        for warning in report.warnings {
            Warning(code: .ignoredBytes, warning.detail, offset: warning.offset, warning.key)
                .write(format.format)
        }
        try Output.run(format.format) { output in
            var list = RowList([.text("PROBLEM"), .text("KEY"), .text("DETAIL")])
            for problem in report.problems { list.table.measure(Self.row(problem)) }
            for problem in report.problems { try Self.write(problem, &list, to: &output) }
            try Self.write(report, ContinuousClock.now - start, to: &output)
        }
        guard report.isSound else { throw ExitCode(6) }
    }

    private static func row(_ problem: CheckProblem) -> [String] {
        let repair = problem.repair.map { "  (\(text(of: $0)))" } ?? ""
        return [problem.kind.rawValue, problem.key?.text ?? "", problem.detail + repair]
    }

    private static func write(
        _ problem: CheckProblem,
        _ list: inout RowList,
        to output: inout Output
    ) throws {
        switch output.format {
        case .text: try output.row(row(problem), of: &list)
        case .json:
            try output.object { json in
                json.member("problem", problem.kind.rawValue)
                json.member("key", problem.key?.text)
                json.member("repaired", problem.repair?.rawValue)
                json.member("detail", problem.detail)
            }
        }
    }

    private static func text(of repair: CheckProblem.Repair) -> String {
        switch repair {
        case .mended: "repaired"
        case .reindexed: "indexed again"
        case .markedFailed: "marked as failed"
        }
    }

    private static func write(
        _ report: CheckReport,
        _ time: Duration,
        to output: inout Output
    ) throws {
        let unrepaired = UInt64(report.problems.count { $0.repair == nil })
        let found = UInt64(report.problems.count)
        switch output.format {
        case .text:
            var line = report.shards.counted("shard", "shards")
            line += ", " + report.entries.counted("index entry", "index entries")
            if report.blocks > 0 {
                let blocks = report.blocks.counted("block", "blocks")
                line += ", \(blocks) (\(report.bytes.asSize)) hashed"
            }
            if report.unverified > 0 {
                let blocks = report.unverified.counted("block", "blocks")
                line += ", \(blocks) not verified (unknown hash function or digest under 20 bytes)"
            }
            if report.ignoredBytes > 0 { line += ", \(report.ignoredBytes.asSize) ignored" }
            if report.skipped > 0 { line += ", \(report.skipped.grouped) not on this machine" }
            if report.unread > 0 { line += ", \(report.unread.grouped) not read yet" }
            if report.failed > 0 { line += ", \(report.failed.grouped) failed" }
            let verdict =
                found == 0
                ? "no problems"
                : found.counted("problem", "problems") + ", \(unrepaired.grouped) not repaired"
            try output.line("\(line): \(verdict), \(time.asTime)")
        case .json:
            try output.object { json in
                json.member("shards", report.shards)
                json.member("entries", report.entries)
                json.member("blocks", report.blocks)
                json.member("bytes", report.bytes)
                json.member("skipped", report.skipped)
                json.member("failed", report.failed)
                json.member("problems", found)
                json.member("unrepaired", unrepaired)
                json.member("seconds", time)
                json.member("unverified", report.unverified)
                json.member("unread", report.unread)
                json.member("ignoredBytes", report.ignoredBytes)
            }
        }
    }
}
