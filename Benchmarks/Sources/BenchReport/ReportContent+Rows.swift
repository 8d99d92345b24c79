extension ReportContent {
    /// One line for each row of the targets.
    var rows: ReportDocument.Section {
        let table = Table(
            "Rows 1 to 18 and 23 to 32",
            ["##", "measure", "target", "figure", "best peer", "ratio", "verdict"],
            rows: plots.outcomes.map(row)
        )
        let text =
            "A row passes if all of its bars hold; a bar that was not measured fails. The ratio is "
            + "how many times better dagstore is than the best peer in the work they have in common"
            + " (below 1x the peer is better); that work is not always the one of the bar, and "
            + "stands under “Peers side by side”."
        return ReportDocument.Section(
            "Targets",
            [.paragraph([.text(text + yardsticks)]), .plot(plots.overview), .table(table)]
        )
    }

    /// How the targets of the reference's machine become targets of this one.
    private var yardsticks: String {
        let parts = [Bars.Yardstick.searching, .hashing].compactMap { yardstick -> String? in
            guard let slowness = yardstick.slowness(in: run),
                let figure = run.figure(yardstick.figure)
            else { return nil }
            let there = NumberText.quantity(yardstick.reference, yardstick.unit, trimmed: true)
            let here = NumberText.quantity(figure.median, figure.unit)
            return
                "\(yardstick.title) takes \(NumberText.factor(slowness)) as long (\(there) there, \(here) here)"
        }
        guard !parts.isEmpty else { return "" }
        return
            " Targets are those of the machine that the reference implementation ran on (“there”), scaled to this"
            + " one: " + parts.joined(separator: "; ")
            + ". The first counts for what is given in ns and M/s, which waits for memory, the second for all other"
            + " times and rates."
    }

    private func row(_ outcome: Bars.RowOutcome) -> [Line] {
        [
            [.text("\(outcome.row.number)")],
            [.text(outcome.row.title)],
            .stacking(outcome.bars.map { [.text(labelled($0.bar.label, $0.targetText))] }),
            .stacking(outcome.bars.map(figure)),
            outcome.row.peers.isEmpty ? [.text("no peer")] : peers(of: outcome, best),
            peers(of: outcome, ratio),
            [.verdict(outcome.verdict.rawValue, isGood: outcome.verdict == .pass)],
        ]
    }

    private func figure(_ outcome: Bars.BarOutcome) -> Line {
        let text = labelled(outcome.bar.label, outcome.figure.map(spread) ?? "not measured")
        return outcome.holds ? [.text(text)] : [.strong(text)]
    }

    private func labelled(_ label: String, _ text: String) -> String {
        label.isEmpty ? text : "\(label): \(text)"
    }

    /// A text about each figure that peers have too; a dash if there is none.
    private func peers(
        of outcome: Bars.RowOutcome,
        _ text: (Bars.PeerOutcome) -> String
    ) -> Line {
        guard !outcome.row.peers.isEmpty else { return [.text("–")] }
        return .stacking(outcome.peers.map { [.text(labelled($0.peer.label, text($0)))] })
    }

    private func best(_ outcome: Bars.PeerOutcome) -> String {
        guard let best = outcome.best else { return "not measured" }
        let median = NumberText.quantity(best.median, best.unit)
        return "\(Systems.title(best.system)) \(median)\(mark(best))"
    }

    private func ratio(_ outcome: Bars.PeerOutcome) -> String {
        guard let ours = outcome.ours, let best = outcome.best else { return "–" }
        guard let ratio = outcome.ratio else { return "undefined" }
        return NumberText.factor(ratio) + (ours.origin == best.origin ? "" : " (runs differ)")
    }

    /// One line for each bar of every row.
    var bars: ReportDocument.Section {
        let outcomes = plots.outcomes.flatMap(\.bars)
        let table = Table(
            "Every bar",
            ["bar", "name", "target#", "median#", "min and max#", "margin#", "state"],
            rows: outcomes.map(bar)
        )
        let text =
            "The margin is how many times better the median is than the target; below 1x the bar is "
            + "missed."
        return ReportDocument.Section(
            "Every bar",
            [.paragraph([.text(text)]), .table(table)]
        )
    }

    private func bar(_ outcome: Bars.BarOutcome) -> [Line] {
        let state = outcome.figure == nil ? "not measured" : outcome.holds ? "kept" : "missed"
        let figure = outcome.figure
        let margin = outcome.margin.map(NumberText.factor)
        return [
            [.text("row \(outcome.row.number), \(outcome.name)")],
            [.code(outcome.bar.figure)],
            [.text(outcome.targetText)],
            Self.cell(figure.map { NumberText.quantity($0.median, $0.unit) + mark($0) } ?? "–"),
            Self.cell(figure.map(NumberText.range) ?? "–"),
            [.text(margin ?? (figure == nil ? "–" : "zero"))],
            [.verdict(state, isGood: outcome.holds)],
        ]
    }
}
