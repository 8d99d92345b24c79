extension ReportContent {
    /// The facts about the run: when, where and how it measured.
    var opening: [ReportDocument.Block] {
        var blocks: [ReportDocument.Block] = []
        if run.isQuick {
            blocks.append(
                .notice([
                    .strong("This was a quick run."),
                    .text(
                        " Sizes and repeats were cut to save time; its figures say that everything"
                            + " works, not how fast it is."
                    ),
                ])
            )
        }
        if !run.isComplete {
            blocks.append(
                .notice([
                    .strong("This run did not come to its end."),
                    .text(" What it did not measure counts as failed."),
                ])
            )
        }
        blocks.append(.facts(facts))
        return blocks
    }

    private var facts: [(name: String, value: Line)] {
        let origin = run.origin
        let rows = plots.outcomes.count { $0.verdict == .pass }
        var facts: [(name: String, value: Line)] = [
            ("Verdict", [.strong("\(rows) of \(plots.outcomes.count) rows pass")])
        ]
        for origin in run.origins {
            let name = isMerged ? "Run \(letter(origin))" : "Measured"
            facts.append((name, measured(origin)))
        }
        facts.append(("Machine", [.text(machine(origin))]))
        facts.append(("System", [.text(system(origin))]))
        facts.append(("Toolchain", [.text(origin.toolchain)]))
        let command = unique(run.origins.map(\.command)).map { [.code($0)] as Line }
        facts.append(("Command", .joining(command, " and ")))
        if !run.datasets.isEmpty {
            // Those of the curves differ in their number of blocks alone; the lines of the run have their sums.
            let ofCurves = run.datasets.filter { $0.name.hasPrefix("curve-") }
            var datasets = run.datasets.filter { !ofCurves.contains($0) }.map(dataset)
            if let one = ofCurves.first {
                let text = " (\(ofCurves.count) of them, of 10^n blocks of \(one.blockSize) B)"
                datasets.append([.code("curve-…"), .text(text)])
            }
            facts.append(("Datasets", .joining(datasets, "; ")))
        }
        var figures = "the median of several runs, and the smallest and largest in brackets"
        if isMerged { figures += ", then the letter of the run" }
        facts.append(("Figures", [.text(figures)]))
        return facts
    }

    private func measured(_ origin: BenchRun.Origin) -> Line {
        var line: Line = [.text(Self.moment(origin.date) + ", commit ")]
        line.append(origin.commit.isEmpty ? .text("unknown") : .code(origin.commit))
        if origin.isDirty == true { line.append(.text(" with changes that are not committed")) }
        if origin.isQuick { line.append(.text(", quick")) }
        if isMerged, origin.machine != run.origin.machine {
            line.append(.text(", on \(origin.machine)"))
        }
        if isMerged, origin.toolchain != run.origin.toolchain {
            line.append(.text(", with \(origin.toolchain)"))
        }
        if run.origins.count == 1, let seconds = run.seconds {
            line.append(.text(", in \(NumberText.quantity(seconds, "s"))"))
        }
        return line
    }

    private func machine(_ origin: BenchRun.Origin) -> String {
        var parts = [origin.machine]
        if let cores = origin.cores { parts.append("\(cores) \(cores == 1 ? "core" : "cores")") }
        if let memory = origin.memoryBytes {
            parts.append("\(NumberText.quantity(Double(memory), "B")) of memory")
        }
        if let load = origin.load {
            parts.append("load \(NumberText.significant(load, trimmed: true)) at the start")
        }
        return parts.joined(separator: ", ")
    }

    private func system(_ origin: BenchRun.Origin) -> String {
        [origin.os, origin.kernel ?? ""].filter { !$0.isEmpty }.joined(separator: ", ")
    }

    private func dataset(_ dataset: BenchRun.Dataset) -> Line {
        let blocks = NumberText.grouped(dataset.blocks)
        let size = NumberText.grouped(dataset.blockSize)
        let bytes = NumberText.quantity(Double(dataset.bytes), "B")
        let seed = dataset.seed.map { "seed \($0), " } ?? ""
        return [
            .code(dataset.name),
            .text(" (\(blocks) blocks of \(size) B, \(bytes), \(seed)sha256 "),
            .code(dataset.sha256),
            .text(")"),
        ]
    }

    /// A date as people write it; as it came, if it is not of the usual form.
    private static func moment(_ date: String) -> String {
        let parts = date.split(separator: "T")
        guard parts.count == 2, parts[0].count == 10, parts[1].hasSuffix("Z") else { return date }
        return "\(parts[0]) \(parts[1].prefix(5)) UTC"
    }
}
