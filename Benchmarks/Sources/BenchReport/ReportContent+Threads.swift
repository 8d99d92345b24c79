extension ReportContent {
    /// One panel for each read that was measured on many threads.
    var threads: ReportDocument.Section {
        let panels = plots.threads.map(panel)
        let none = "No read was measured on many threads in this run."
        let text =
            "Each read runs on threads of one process with one store, and in as many processes with "
            + "a store each. The processes show what the machine can do. The ratio divides the rate "
            + "of the threads by that of the processes. Each panel names its figure for one thread; "
            + "names for more threads end in their number."
        return ReportDocument.Section(
            title: "Many threads",
            blocks: panels.isEmpty
                ? [.paragraph([.text(none)])] : [.paragraph([.text(text)]), .panels(panels)]
        )
    }

    private func panel(_ curve: CostCurve, _ plot: Plot) -> ReportDocument.Panel {
        let first = curve.lines.first?.points.first?.name ?? curve.name
        return ReportDocument.Panel(
            title: curve.title,
            name: plot.name,
            note: [.code(first), .text(", higher is better")],
            plot: plot,
            table: table(curve),
            isBeside: true
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

    private func table(_ curve: CostCurve) -> Table {
        Table(
            caption: curve.title,
            columns: ["threads", "threads on one store", "processes", "ratio", "to 2 threads"].map {
                .init(title: $0, isNumber: true)
            },
            rows: curve.places.map { x in
                let rates = [Contest.store, CostCurve.processes].map { system in
                    Self.cell(curve.point(of: system, at: x).map(spread) ?? "–")
                }
                let row = String(curve.name.dropFirst("threads.".count))
                let ratios = [ThreadFigure.Kind.ratio, .toTwo].map { kind in
                    let name = ThreadFigure(row, Int(x), kind).name
                    return Self.cell(run.figure(name).map { NumberText.factor($0.median) } ?? "–")
                }
                return [[.text(NumberText.count(x))]] + rates + ratios
            }
        )
    }
}
