extension ReportContent {
    /// The figures that no other section shows.
    var others: ReportDocument.Section {
        let bars = Set(Bars.rows.flatMap(\.bars).map(\.figure))
        let contests = Set(plots.contests.map(\.contest.name))
        let drawn = Set(plots.curves.flatMap { $0.curve.lines.flatMap(\.points) }.map(\.key))
        let shown = Set(plots.contests.flatMap(\.contest.figures).map(\.key))
        let onThreads = Set(plots.threads.flatMap { figures(of: $0.curve) }.map(\.key))
        let rest = run.figures.filter { figure in
            if onThreads.contains(figure.key) { return false }
            if drawn.contains(figure.key) || shown.contains(figure.key) { return false }
            if contests.contains(figure.name) { return true }
            return figure.system != Contest.store || !bars.contains(figure.name)
        }
        let detailed = run.figures.filter { figure in
            bars.contains(figure.name) && figure.system == Contest.store
                && !figure.percentiles.isEmpty && !shown.contains(figure.key)
        }
        let all = rest + detailed.filter { !rest.contains($0) }
        return ReportDocument.Section(
            "Other figures",
            all.isEmpty ? [] : [.table(table(all))],
            orElse: "There are none in this run."
        )
    }

    private func table(_ figures: [BenchRun.Figure]) -> Table {
        let hasPercentiles = figures.contains { !$0.percentiles.isEmpty }
        return Table(
            "Other figures",
            ["workload", "name", "system", "median#", "min and max#", "good is", "runs#"]
                + (hasPercentiles ? ["percentiles"] : []),
            rows: figures.map { figure in
                let place = figure.x.map { " at \(self.place($0, figure.axis ?? ""))" } ?? ""
                return [
                    [.text(figure.workload)],
                    [.code(figure.name)] + Self.cell(place),
                    [.text(Systems.title(figure.system))],
                    [.text(NumberText.quantity(figure.median, figure.unit) + mark(figure))],
                    [.text(NumberText.range(figure))],
                    [.text(figure.better.rawValue)],
                    [.text("\(figure.runs)")],
                ] + (hasPercentiles ? [Self.cell(percentiles(figure))] : [])
            }
        )
    }

    /// The skipped work, and the times in which the machine was busy.
    var omissions: ReportDocument.Section {
        let skipped = run.skipped.map { skip -> Line in
            let system = skip.system.map { " on \(Systems.title($0))" } ?? ""
            return [.strong(skip.workload + system), .text(" was skipped: \(skip.reason)")]
        }
        let busy = run.busy.map { spell -> Line in
            let mark = isMerged ? " (run \(letter(spell.origin)))" : ""
            return [
                .strong(spell.workload), .text(" ran on a busy machine: \(spell.detail)\(mark)"),
            ]
        }
        return ReportDocument.Section(
            "Skipped and disturbed",
            skipped.isEmpty && busy.isEmpty ? [] : [.list(skipped + busy)],
            orElse: "Nothing was skipped, and the machine was not seen busy."
        )
    }

    /// The machines that the figures of other documents are of.
    var elsewhere: ReportDocument.Section {
        let texts = [
            (
                "README.md",
                "Numbers: medians of this run on \(run.origin.machine), rounded. Sizes of program and library "
                    + "are those of a build."
            ),
            (
                "Architecture.md",
                "Reads that share nothing: a 16-core Xeon, before and after one change."
            ),
            (
                "Architecture.md",
                "everything else: two shared cores of an AMD EPYC, from the runs in which a choice was made. "
                    + "Compare within a line."
            ),
        ]
        return ReportDocument.Section(
            "Figures in other documents",
            [
                .paragraph([
                    .text(
                        "If another document gives a quantity of this run, it gives the figure here."
                    )
                ]),
                .list(texts.map { [.code($0), .text(", \($1)")] }),
            ]
        )
    }
}
