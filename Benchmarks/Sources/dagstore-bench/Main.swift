import ArgumentParser
import Glibc
import SystemPackage

@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dagstore-bench",
        abstract: "Measures swift-dagstore and prints a JSON line for each figure.",
        subcommands: [List.self, Run.self]
    )
}

struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the workloads.")

    func run() {
        for workload in Workload.all {
            let name =
                workload.name + String(repeating: " ", count: max(1, 12 - workload.name.count))
            print(name + workload.about)
        }
    }
}

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs workloads, all of them by default."
    )

    @Argument(help: "Names of workloads.")
    var names: [String] = []
    @Option(help: "Where data sets and stores are kept.")
    var data = "bench-data"
    @Option(help: "How often each figure is measured.")
    var runs = 5

    func run() async throws {
        #if DEBUG
            throw BenchmarkError("a debug build measures nothing: use -c release")
        #endif
        mkdir(data, 0o755)
        let bench = Bench(folder: FilePath(data), runs: runs)
        let unknown = names.filter { name in !Workload.all.contains { $0.name == name } }
        guard unknown.isEmpty else { throw BenchmarkError("no workload \(unknown[0])") }
        for workload in Workload.all
        where names.isEmpty ? !workload.isLong : names.contains(workload.name) {
            for figure in try await workload.run(bench) { figure.report() }
        }
    }
}
