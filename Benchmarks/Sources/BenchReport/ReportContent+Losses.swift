extension ReportContent {
    /// Where the store misses a target or is behind a peer.
    var losses: ReportDocument.Section {
        let bars = plots.outcomes.flatMap(\.bars)
        let missed = bars.filter { $0.figure != nil && !$0.holds }
        let missing = bars.filter { $0.figure == nil }
        let behind = plots.contests.flatMap { contest, _ in
            contest.winners.map { Loss(title: contest.title, peer: $0, contest: contest) }
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
        return ReportDocument.Section(
            "Where we lose",
            blocks,
            orElse: "Every bar is kept and no peer is better: nothing in this run."
        )
    }

    /// A comparison in which a peer is better.
    private struct Loss {
        let title: String
        var place = ""
        let peer: BenchRun.Figure
        let contest: Contest

        /// How many times better the peer is.
        var factor: Double? {
            contest.ours.flatMap { Contest.advantage(of: peer, over: $0) }
        }
    }

    private func curveLosses(_ curve: CostCurve, _ plot: Plot) -> [Loss] {
        curve.places.compactMap { Contest(of: curve.name, at: $0, in: run.figures) }
            .flatMap { contest in
                let place = place(contest.x ?? 0, curve.axis)
                return contest.winners.map { peer in
                    Loss(title: curve.title, place: place, peer: peer, contest: contest)
                }
            }
    }

    private func missedTable(_ missed: [Bars.BarOutcome]) -> Table {
        Table(
            "Bars that are missed",
            ["bar", "figure#", "target#", "off by#"],
            rows: missed.map { outcome in
                [
                    [.text("row \(outcome.row.number), \(outcome.name)")],
                    Self.cell(outcome.figure.map(spread) ?? ""),
                    [.text(outcome.targetText)],
                    [.text(outcome.margin.map { NumberText.factor(1 / $0) } ?? "zero")],
                ]
            }
        )
    }

    private func table(_ losses: [Loss], caption: String) -> Table {
        let hasPlaces = losses.contains { !$0.place.isEmpty }
        return Table(
            caption,
            ["work"] + (hasPlaces ? ["at#"] : [])
                + ["peer", "its figure#", "ours#", "the peer is better by#", "ranges"],
            rows: Self.grouped(losses).map { loss in
                let overlaps = loss.contest.ours.map(loss.peer.overlaps) ?? false
                return [[.text(loss.title)]] + (hasPlaces ? [[.text(loss.place)]] : []) + [
                    [.text(Systems.title(loss.peer.system))],
                    [.text(spread(loss.peer))],
                    Self.cell(loss.contest.ours.map(spread) ?? ""),
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
            return [.text("row \(row.number) ")] + .joining(bars, ", ")
        }
        let text = "\(missing.count) \(missing.count == 1 ? "bar was" : "bars were") not measured,"
        return [.strong(text), .text(" which counts as failed: ")]
            + .joining(names, "; ") + [.text(".")]
    }
}
