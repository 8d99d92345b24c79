extension ReportContent {
    /// Where the store misses a target or is behind a peer.
    var losses: ReportDocument.Section {
        let bars = plots.outcomes.flatMap(\.bars)
        let missed = bars.filter { $0.figure != nil && !$0.holds }
        let missing = bars.filter { $0.figure == nil }
        let behind = plots.contests.flatMap { contest, _ in
            contest.winners.map { Loss(title: contest.title, place: "", peer: $0, in: contest) }
        }
        let curves = plots.curves.flatMap(curveLosses)
        var blocks: [ReportDocument.Block] = []
        if !missed.isEmpty { blocks.append(.table(missedTable(missed))) }
        if !behind.isEmpty {
            blocks.append(.table(table(behind, caption: "Where a peer is better")))
        }
        if !curves.isEmpty {
            let caption = "Where a peer is better at a point of a cost curve"
            blocks.append(.table(table(curves, caption: caption)))
        }
        if !missing.isEmpty { blocks.append(.paragraph(missingLine(missing))) }
        if blocks.isEmpty {
            let text = "Every bar is kept and no peer is better: nothing in this run."
            blocks.append(.paragraph([.text(text)]))
        }
        return ReportDocument.Section(title: "Where we lose", blocks: blocks)
    }

    /// A comparison in which a peer is better.
    private struct Loss {
        let title: String
        let place: String
        let peer: BenchRun.Figure
        let ours: BenchRun.Figure?
        /// How many times better the peer is.
        let factor: Double?

        init(title: String, place: String, peer: BenchRun.Figure, in contest: Contest) {
            self.title = title
            self.place = place
            self.peer = peer
            ours = contest.ours
            factor = contest.ours.flatMap { Contest.advantage(of: peer, over: $0) }
        }
    }

    private func curveLosses(_ curve: CostCurve, _ plot: Plot) -> [Loss] {
        curve.places.compactMap { Contest(of: curve.name, at: $0, in: run.figures) }
            .flatMap { contest in
                contest.winners.map { peer in
                    Loss(
                        title: curve.title,
                        place: place(contest.x ?? 0, curve.axis),
                        peer: peer,
                        in: contest
                    )
                }
            }
    }

    private func missedTable(_ missed: [Bars.BarOutcome]) -> Table {
        Table(
            caption: "Bars that are missed",
            columns: [
                .init(title: "bar"),
                .init(title: "figure", isNumber: true),
                .init(title: "target", isNumber: true),
                .init(title: "off by", isNumber: true),
            ],
            rows: missed.map { outcome in
                [
                    [.text(name(outcome))],
                    Self.cell(outcome.figure.map(spread) ?? ""),
                    [.text(outcome.targetText)],
                    [.text(outcome.margin.map { NumberText.factor(1 / $0) } ?? "zero")],
                ]
            }
        )
    }

    private func table(_ losses: [Loss], caption: String) -> Table {
        let hasPlaces = losses.contains { !$0.place.isEmpty }
        let places = hasPlaces ? [Table.Column(title: "at", isNumber: true)] : []
        return Table(
            caption: caption,
            columns: [.init(title: "work")] + places + [
                .init(title: "peer"),
                .init(title: "its figure", isNumber: true),
                .init(title: "ours", isNumber: true),
                .init(title: "the peer is better by", isNumber: true),
                .init(title: "ranges"),
            ],
            rows: Self.grouped(losses).map { loss in
                let overlaps = loss.ours.map(loss.peer.overlaps) ?? false
                return [[.text(loss.title)]] + (hasPlaces ? [[.text(loss.place)]] : []) + [
                    [.text(Systems.title(loss.peer.system))],
                    [.text(spread(loss.peer))],
                    Self.cell(loss.ours.map(spread) ?? ""),
                    [.text(loss.factor.map(NumberText.factor) ?? "undefined")],
                    [.text(overlaps ? "overlap" : "apart")],
                ]
            }
        )
    }

    /// The losses with those of one work and peer together, and the group with the worst first.
    private static func grouped(_ losses: [Loss]) -> [Loss] {
        let groups = Dictionary(grouping: losses) { [$0.title, $0.peer.system] }
        let order = unique(losses.map { [$0.title, $0.peer.system] })
        func worst(_ key: [String]) -> Double {
            groups[key, default: []].map { $0.factor ?? .infinity }.max() ?? 0
        }
        return order.sorted { worst($0) > worst($1) }.flatMap { groups[$0, default: []] }
    }

    private func missingLine(_ missing: [Bars.BarOutcome]) -> Line {
        let names = unique(missing.map(\.row)).map { row -> Line in
            let bars = missing.filter { $0.row == row }.map { [.code($0.bar.figure)] as Line }
            return [.text("row \(row.number) ")] + .joining(bars, separator: [.text(", ")])
        }
        let text = "\(missing.count) \(missing.count == 1 ? "bar was" : "bars were") not measured,"
        return [.strong(text), .text(" which counts as failed: ")]
            + .joining(names, separator: [.text("; ")]) + [.text(".")]
    }

    /// The row and the label of a bar, as in `row 7, lookup: hit, confirmed`.
    private func name(_ outcome: Bars.BarOutcome) -> String {
        let (row, label) = (outcome.row, outcome.bar.label)
        return "row \(row.number), \(row.topic)" + (label.isEmpty ? "" : ": \(label)")
    }
}
