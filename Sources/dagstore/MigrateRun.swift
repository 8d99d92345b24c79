internal import AdminMessages
internal import ArgumentParser
internal import DAGMigration
internal import DAGMounts
internal import DAGStorage
internal import Synchronization

/// `migrate run`: migrates the shards of a source to a store.
struct MigrateRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Migrate the shards of a source to a store, with their indexes.",
        discussion: """
            Never changes the source. A shard is migrated as a whole or not at all. After an interruption, run \
            it again: it skips shards that the store has. Index files lack sizes and codecs. The run reads \
            them from CARs that are local files; the first use of a shard reads them from other CARs. Ends \
            with 0 if all is well, 4 if files of the source were missing or unreadable, 5 if there were other \
            problems, 6 if it could not complete.
            """
    )

    @OptionGroup var source: SourceOptions

    @Option(
        help: ArgumentHelp(
            "The number of threads, 1 to 64. Default: one for each processor.",
            valueName: "n"
        )
    )
    var jobs: Int?

    @Option(
        help: ArgumentHelp(
            "The entries to compare with the source afterwards: none, sample or full.",
            valueName: "how"
        )
    )
    var verify = "sample"

    @Flag(
        inversion: .prefixedNo,
        help:
            "Read sizes and codecs from local CARs now, or at the first use of each shard."
    )
    var readCars = true

    @Flag(
        exclusivity: .exclusive,
        help:
            "Copy or link the node's copies of CARs to the store's folder, or leave them."
    )
    var transients = Transients.leaveTransients

    @OptionGroup var mounts: MountMapOptions
    @OptionGroup var limits: LimitOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions
    @OptionGroup var progress: ProgressOptions

    enum Transients: EnumerableFlag {
        case copyTransients
        case linkTransients
        case leaveTransients
    }

    func validate() throws {
        guard (1...64).contains(jobs ?? 1) else {
            throw ValidationError("--jobs takes 1 to 64, not \(jobs ?? 0)")
        }
        guard MigrationRun.Verification(rawValue: verify) != nil else {
            throw ValidationError("--verify takes none, sample or full, not \(verify)")
        }
    }

    /// Opens the source and plans its migration; ends the program with 6 if that fails.
    private func planned(_ map: MountMap) throws -> (MigrationSource, MigrationPlan) {
        let bar = ProgressBar(progress.progress, "planning")
        defer { bar.finish() }
        do {
            let source = try source.source()
            return (source, try source.plan(map: map, progress: bar.isShown ? bar.update : nil))
        } catch {
            let report = ErrorReport(error)
            guard report.exitStatus != 2 else { throw error }
            bar.finish()
            report.write(format.format)
            throw ExitCode(6)
        }
    }

    func run() async throws {
        let start = ContinuousClock.now
        let map = try mounts.map()
        let (source, plan) = try planned(map)
        try store.rejectStore(inside: source.root)
        let copies = try self.store.imported
        let taking: TransientImport? =
            switch transients {
            case .copyTransients: TransientImport(.copy, into: copies)
            case .linkTransients: TransientImport(.link, into: copies)
            case .leaveTransients: nil
            }
        let store = try store.openForWriting(isNewAllowed: true) { $0.limits = limits.limits }
        let run = MigrationRun(
            from: source,
            to: store,
            map: map,
            verification: MigrationRun.Verification(rawValue: verify) ?? .sample,
            transients: taking,
            readsCARs: readCars,
            jobs: jobs ?? min(64, JobPool.processorCount)
        )
        let bar = ProgressBar(progress.progress, "migrating")
        let report = Report(plan)
        do {
            let isCanceled = Mutex(false)
            try await withTaskCancellationHandler {
                try run.run(plan, isCancelled: { isCanceled.withLock { $0 } }) { outcome in
                    report.add(outcome)
                    bar.update(report.bytesDone, of: report.bytesTotal)
                }
                // In a node, whose end and whose clients end the verbs.
                try Task.checkCancellation()
            } onCancel: {
                isCanceled.withLock { $0 = true }
            }
        } catch let error as CancellationError {
            bar.finish()
            await StoreOptions.close(store)
            throw error
        } catch {
            bar.finish()
            await StoreOptions.close(store)
            ErrorReport(error).write(format.format)
            throw ExitCode(6)
        }
        bar.finish()
        await StoreOptions.close(store)
        try Output.run(format.format) { output in
            try report.write(plan, ContinuousClock.now - start, to: &output)
        }
        if let status = report.exitStatus(plan) { throw ExitCode(status) }
    }
}

/// The outcomes of the shards.
private final class Report: Sendable {
    private struct State {
        /// By the bytes of the keys, because Swift compares strings by canonical equivalence.
        var outcomes: [[UInt8]: MigrationRun.Outcome] = [:]
        var bytesDone: UInt64 = 0
    }

    let bytesTotal: UInt64
    private let state = Mutex(State())

    init(_ plan: MigrationPlan) {
        bytesTotal = plan.shards.reduce(0) { $0 + ($1.bytes ?? 0) + 1 }
    }

    var bytesDone: UInt64 { state.withLock { $0.bytesDone } }

    func add(_ outcome: MigrationRun.Outcome) {
        state.withLock { state in
            state.outcomes[Array(outcome.shard.key.utf8)] = outcome
            state.bytesDone += (outcome.shard.bytes ?? 0) + 1
        }
    }

    private var outcomes: [[UInt8]: MigrationRun.Outcome] { state.withLock { $0.outcomes } }

    /// The exit status of a run with problems; `nil` for one without.
    func exitStatus(_ plan: MigrationPlan) -> Int32? {
        switch MigrationRun.verdict(on: plan, outcomes.values) {
        case .sound: nil
        case .sourceUnreadable: 4
        case .problems: 5
        }
    }

    /// The reasons why a migrated shard lacks the index that the source has.
    private static func reasons(_ outcome: MigrationRun.Outcome) -> [String] {
        let lost: [MigrationProblem.Kind] = [.truncatedIndex, .malformedIndex]
        let problems = outcome.shard.problems.filter { lost.contains($0.kind) }
            .map { "\($0.kind.rawValue): \($0.detail): its first use indexes its CAR" }
        let isNew = outcome.result == .migrated
        return (isNew ? problems : []) + [outcome.error, outcome.carFault].compactMap { $0 }
    }

    func write(_ plan: MigrationPlan, _ time: Duration, to output: inout Output) throws {
        let outcomes = outcomes
        var list = RowList([.text("KEY"), .text("FINDING")])
        let faulty = outcomes.values.filter { !Self.reasons($0).isEmpty }
        for outcome in faulty { list.table.measure([outcome.shard.key, ""]) }
        for shard in plan.shards {
            guard let outcome = outcomes[Array(shard.key.utf8)] else { continue }
            switch output.format {
            case .json:
                try output.object { json in
                    shard.write(to: &json)
                    json.member("result", outcome.result.rawValue)
                    json.member("difference", outcome.error)
                    json.member("code", outcome.code?.rawValue)
                    json.member("complete", outcome.isComplete)
                    json.member("carFault", outcome.carFault)
                }
            case .text:
                for reason in Self.reasons(outcome) {
                    let text = "\(shard.key.printable): \(reason.printable)"
                    try output.row([shard.key, reason], of: &list, piped: text)
                }
            }
        }
        let counts = outcomes.values.reduce(into: [:]) { $0[$1.result, default: 0] += 1 }
        let entries = outcomes.values.reduce(0) {
            $0 + ($1.result == .migrated ? $1.shard.entries ?? 0 : 0)
        }
        switch output.format {
        case .json:
            try output.object { json in
                json.member("migrated", counts[.migrated] ?? 0)
                json.member("present", counts[.present] ?? 0)
                json.member("refused", counts[.refused] ?? 0)
                json.member("entries", entries)
                json.member("problems") { json in
                    for (name, count) in plan.sortedProblems { json.member(name, count) }
                }
                json.member("seconds", time)
            }
        case .text:
            let migrated = (counts[.migrated] ?? 0).counted("shard", "shards")
            let present = (counts[.present] ?? 0).grouped
            let refused = (counts[.refused] ?? 0).grouped
            try output.line(
                "\(migrated) migrated with \(entries.grouped) entries, "
                    + "\(present) present before, \(refused) refused"
            )
            let problems = plan.sortedProblems.map { "\($0.1.grouped) \($0.0)" }
            if !problems.isEmpty {
                try output.line("problems: " + problems.joined(separator: ", "))
            }
        }
    }
}
