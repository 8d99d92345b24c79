extension ReportContent {
    // MARK: Peers

    /// One panel for each work that several systems did.
    var sideBySide: ReportDocument.Section {
        ReportDocument.Section(
            "Peers side by side",
            "The ratio is how many times better the median of dagstore is than that of the system "
                + "in the line; below 1x dagstore is behind.",
            panels: plots.contests.map(panel),
            orElse: "No work was done by more than one system in this run."
        )
    }

    private func panel(_ contest: Contest, _ plot: Plot) -> ReportDocument.Panel {
        var note: Line = [.code(contest.name)]
        if let row = contest.row { note.append(.text(", beside row \(row)")) }
        note.append(.text(", \(contest.better.text)"))
        if contest.ours == nil { note.append(.text("; dagstore was not measured")) }
        let names = Self.percentileNames(contest.figures)
        let table = Table(
            contest.title,
            ["system"] + (["min", "median", "max"] + names + ["ratio"]).map { $0 + "#" },
            rows: contest.figures.map { figure in
                let values: [Double?] =
                    [figure.min, figure.median, figure.max] + names.map { figure.percentiles[$0] }
                let texts = values.map { $0.map { NumberText.quantity($0, figure.unit) } ?? "–" }
                return
                    ([Systems.title(figure.system) + mark(figure)] + texts
                    + [advantage(over: figure, in: contest)]).map { [.text($0)] }
            }
        )
        return ReportDocument.Panel(plot: plot, note: note, table: table)
    }

    private func advantage(over figure: BenchRun.Figure, in contest: Contest) -> String {
        guard let ours = contest.ours, figure.system != Contest.store else { return "–" }
        let factor = Contest.advantage(of: ours, over: figure)
        return factor.map(NumberText.factor) ?? "undefined"
    }

    // MARK: Curves

    /// One panel for each cost curve.
    var curves: ReportDocument.Section {
        ReportDocument.Section(
            "Cost curves",
            panels: plots.curves.map { curve, plot in
                let theory = curve.theoryText.map { "; dashed: \($0)" } ?? ""
                let note: Line = [.code(curve.name), .text(", " + curve.better.text)]
                return ReportDocument.Panel(
                    plot: plot,
                    note: theory.isEmpty ? note : note + [.text(theory)],
                    table: table(curve),
                    isBeside: curve.lines.count == 1
                )
            },
            orElse: "No cost curve was measured in this run."
        )
    }

    private func table(_ curve: CostCurve) -> Table {
        let systems = curve.lines.map(\.system)
        let theory = curve.theory == nil ? [] : ["theory#", "to theory#"]
        return Table(
            curve.title,
            ["\(curve.axis)#"] + systems.map { Systems.title($0) + "#" } + theory,
            rows: curve.places.map { x in
                let figures = systems.map { curve.point(of: $0, at: x).map(spread) ?? "–" }
                return
                    ([place(x, curve.axis)] + figures
                    + (theory.isEmpty ? [] : theoryCells(curve, at: x))).map(Self.cell)
            }
        )
    }

    private func theoryCells(_ curve: CostCurve, at x: Double) -> [String] {
        guard let value = curve.theoretical(at: x) else { return ["–", "–"] }
        let ours = curve.point(of: Contest.store, at: x)
        let share = ours.flatMap { value > 0 ? NumberText.factor($0.median / value) : nil }
        return [NumberText.quantity(value, curve.unit), share ?? "–"]
    }

    // MARK: Threads

    /// One panel for each read that was measured on many threads.
    var threads: ReportDocument.Section {
        ReportDocument.Section(
            "Many threads",
            "Each read runs on threads of one process with one store, and in as many processes with "
                + "a store each. The processes show what the machine can do. The ratio divides the "
                + "rate of the threads by that of the processes. Each panel names its figure for one "
                + "thread; names for more threads end in their number.",
            panels: plots.threads.map { curve, plot in
                let first = curve.lines.first?.points.first?.name ?? curve.name
                return ReportDocument.Panel(
                    plot: plot,
                    note: [.code(first), .text(", higher is better")],
                    table: threadTable(curve)
                )
            },
            orElse: "No read was measured on many threads in this run."
        )
    }

    private func threadTable(_ curve: CostCurve) -> Table {
        let row = String(curve.name.dropFirst("threads.".count))
        return Table(
            curve.title,
            ["threads#", "threads on one store#", "processes#", "ratio#", "to 2 threads#"],
            rows: curve.places.map { x in
                let rates = [Contest.store, CostCurve.processes].map { system in
                    curve.point(of: system, at: x).map(spread) ?? "–"
                }
                let ratios = [ThreadFigure.Kind.ratio, .toTwo].map { kind in
                    let name = ThreadFigure(row, Int(x), kind).name
                    return run.figure(name).map { NumberText.factor($0.median) } ?? "–"
                }
                return ([NumberText.count(x)] + rates + ratios).map(Self.cell)
            }
        )
    }

    /// The figures that the panel of a read shows: rates and ratios.
    func figures(of curve: CostCurve) -> [BenchRun.Figure] {
        run.figures.filter { figure in
            guard let name = ThreadFigure(name: figure.name) else { return false }
            return figure.system == Contest.store && figure.x == nil
                && curve.name == "threads.\(name.row)" && curve.places.contains(Double(name.count))
        }
    }
}
