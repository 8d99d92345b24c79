extension ReportContent {
    /// One panel for each piece of work that several systems did.
    var sideBySide: ReportDocument.Section {
        let panels = plots.contests.map(panel)
        let none = "No work was done by more than one system in this run."
        let text =
            "The ratio is how many times better the median of dagstore is than that of the system "
            + "in the line; below 1x dagstore is behind."
        return ReportDocument.Section(
            title: "Peers side by side",
            blocks: panels.isEmpty
                ? [.paragraph([.text(none)])] : [.paragraph([.text(text)]), .panels(panels)]
        )
    }

    private func panel(_ contest: Contest, _ plot: Plot) -> ReportDocument.Panel {
        var note: Line = [.code(contest.name)]
        if let row = contest.row { note.append(.text(", beside row \(row)")) }
        note.append(.text(contest.better == .lower ? ", lower is better" : ", higher is better"))
        if contest.ours == nil { note.append(.text("; dagstore was not measured")) }
        return ReportDocument.Panel(
            title: contest.title,
            name: plot.name,
            note: note,
            plot: plot,
            table: table(contest),
            isBeside: true
        )
    }

    private func table(_ contest: Contest) -> Table {
        let percentiles = Self.percentileNames(contest.figures)
        let numbers = ["min", "median", "max"] + percentiles + ["ratio"]
        return Table(
            caption: contest.title,
            columns: [.init(title: "system")] + numbers.map { .init(title: $0, isNumber: true) },
            rows: contest.figures.map { figure in
                let values =
                    [figure.min, figure.median, figure.max]
                    + percentiles.map { figure.percentiles[$0] ?? .nan }
                return [[.text(Systems.title(figure.system) + mark(figure))]]
                    + values.map { [.text(number($0, figure.unit))] }
                    + [[.text(advantage(over: figure, in: contest))]]
            }
        )
    }

    private func number(_ value: Double, _ unit: String) -> String {
        value.isNaN ? "–" : NumberText.quantity(value, unit)
    }

    private func advantage(over figure: BenchRun.Figure, in contest: Contest) -> String {
        guard let ours = contest.ours, figure.system != Contest.store else { return "–" }
        let factor = Contest.advantage(of: ours, over: figure)
        return factor.map(NumberText.factor) ?? "undefined"
    }
}
