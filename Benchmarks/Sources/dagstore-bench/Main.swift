import ArgumentParser
import Glibc
import SystemPackage

@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dagstore-bench",
        abstract: "Measures swift-dagstore, and peers in the same run.",
        discussion: """
            Every figure is a JSON line; report makes a page of them, compare holds two runs against each \
            other. Medians, least and largest of the repeats are given.
            """,
        subcommands: [List.self, Run.self, Compare.self, Report.self, Flame.self]
    )
}

struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the workloads.")

    func run() {
        let width = Workload.all.map(\.name.count).max() ?? 0
        for workload in Workload.all {
            let name = workload.name + String(repeating: " ", count: width - workload.name.count)
            let remark =
                workload.kind == .peers ? " (peers)" : workload.kind == .long ? " (minutes)" : ""
            print("\(name)  \(workload.about)\(remark)")
        }
    }
}

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the named workloads, or all that need neither peers nor minutes."
    )

    @Argument(help: "Names of workloads.")
    var names: [String] = []
    @Flag(help: "Measure three times, and cost curves for at most a minute.")
    var quick = false
    @Flag(help: "Run everything, with peers and with workloads that take minutes.")
    var all = false
    @Option(help: "The folder of data sets and stores: 5 GB, with --all 20 GB.")
    var data = "bench-data"
    @Option(help: ArgumentHelp("A file for the lines, beside standard output.", valueName: "file"))
    var out: String?
    @Option(help: "The number of measurements of each figure; default 5, with --quick 3.")
    var runs: Int?

    func validate() throws {
        guard (runs ?? 1) > 0 else { throw ValidationError("--runs must be 1 at least") }
        for name in names where !Workload.all.contains(where: { $0.name == name }) {
            throw ValidationError("no workload \(name): see dagstore-bench list")
        }
    }

    func run() async throws {
        #if DEBUG
            throw BenchmarkError("a debug build measures nothing: use -c release")
        #endif
        mkdir(data, 0o755)
        let lines = try ResultLines(to: out.map { FilePath($0) })
        let runs = runs ?? (quick ? 3 : 5)
        // Absolute, because some programs run in a folder of their own.
        guard let path = realpath(data, nil) else { throw BenchmarkError("no folder \(data)") }
        defer { free(path) }
        let bench = Bench(
            folder: FilePath(String(cString: path)),
            runs: runs,
            isQuick: quick
        )
        let start = now()
        try lines.write(Machine.run(isQuick: quick, runs: runs))
        var described = Set<String>()
        for workload in Workload.all
        where names.isEmpty ? all || workload.kind == .plain : names.contains(workload.name) {
            note("\(workload.name): \(workload.about)")
            let watch = Watch()
            let result = try await workload.run(bench)
            for set in Dataset.used() where described.insert(set.name).inserted {
                try lines.write(set)
            }
            for figure in result.figures { try lines.write(figure, of: workload.name) }
            for (system, reason) in result.skipped {
                note("\(workload.name): \(system ?? "all") is skipped: \(reason)")
                try lines.write(
                    SkippedLine(workload: workload.name, system: system, reason: reason)
                )
            }
            if let complaint = watch.complaint {
                note("\(workload.name): the machine was busy: \(complaint)")
                try lines.write(BusyLine(workload: workload.name, detail: complaint))
            }
        }
        try lines.write(EndLine(date: Machine.date, seconds: Double(now() - start) / 1e9))
    }
}
