import ArgumentParser
import BenchReport
import Foundation

struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare a run with an older one, figure by figure."
    )

    @Argument(help: "The lines of the older run.")
    var old: String
    @Argument(help: "The lines of the newer run.")
    var new: String
    @Option(help: "The change up to which medians count as the same, as a share; default 0.15.")
    var threshold = 0.15
    @Flag(help: "End with 1 if a figure became worse.")
    var strict = false

    func run() throws {
        let comparison = Comparison(
            old: try BenchRun.read(old),
            new: try BenchRun.read(new),
            threshold: threshold
        )
        print(comparison.text)
        if strict, comparison.worseCount > 0 { throw ExitCode(1) }
    }
}

struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write RESULTS.md, its plots and one page of HTML from one or more runs.",
        discussion: "If several runs have a figure, the last one counts."
    )

    @Argument(help: "The lines of runs, oldest first.")
    var runs: [String]
    @Option(help: "The folder for RESULTS.md and plots/.")
    var to = "."
    @Option(help: ArgumentHelp("The page of HTML.", valueName: "file"))
    var html: String?

    func validate() throws {
        guard !runs.isEmpty else { throw ValidationError("no run is named") }
    }

    func run() throws {
        let run = BenchRun.merging(try runs.map { try BenchRun.read($0) })
        let folder = URL(filePath: to)
        let plots = folder.appending(path: "plots")
        // Their names come from the figures, which change.
        try? FileManager.default.removeItem(at: plots)
        try FileManager.default.createDirectory(at: plots, withIntermediateDirectories: true)
        for (name, svg) in ResultsPage.plots(run) {
            try Data(svg.utf8).write(to: plots.appending(path: "\(name).svg"))
        }
        let markdown = Data(ResultsPage.markdown(run).utf8)
        try markdown.write(to: folder.appending(path: "RESULTS.md"))
        if let html { try Data(ReportPage.html(run).utf8).write(to: URL(filePath: html)) }
        let outcomes = Bars.outcomes(of: run)
        let passed = outcomes.count { $0.verdict == .pass }
        print("\(passed) of \(outcomes.count) rows pass")
    }
}

struct Flame: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draw a flame graph of the samples that perf script prints to standard input."
    )

    @Option(help: "The name of the measured work.")
    var title = "Profile"

    func run() throws {
        let samples = try FileHandle.standardInput.readToEnd() ?? Data()
        let graph = FlameGraph(samples: String(decoding: samples, as: UTF8.self))
        guard graph.sampleCount > 0 else { throw BenchmarkError("standard input has no samples") }
        try FileHandle.standardOutput.write(contentsOf: Data(graph.svg(title: title).utf8))
    }
}

extension BenchRun {
    /// The run whose lines a file has.
    fileprivate static func read(_ path: String) throws -> BenchRun {
        do {
            return try BenchRun(lines: String(contentsOfFile: path, encoding: .utf8))
        } catch {
            throw BenchmarkError("\(path): \(error)")
        }
    }
}
