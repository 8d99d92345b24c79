extension ReportContent {
    /// One panel for each cost curve.
    var curves: ReportDocument.Section {
        let panels = plots.curves.map(panel)
        let none = "No cost curve was measured in this run."
        return ReportDocument.Section(
            title: "Cost curves",
            blocks: panels.isEmpty ? [.paragraph([.text(none)])] : [.panels(panels)]
        )
    }

    private func panel(_ curve: CostCurve, _ plot: Plot) -> ReportDocument.Panel {
        var note: Line = [.code(curve.name)]
        note.append(.text(curve.better == .lower ? ", lower is better" : ", higher is better"))
        if let theory = curve.theoryText { note.append(.text("; dashed: \(theory)")) }
        return ReportDocument.Panel(
            title: curve.title,
            name: plot.name,
            note: note,
            plot: plot,
            table: table(curve),
            isBeside: curve.lines.count == 1
        )
    }

    private func table(_ curve: CostCurve) -> Table {
        let systems = curve.lines.map(\.system)
        let theory = curve.theory == nil ? [] : ["theory", "to theory"]
        return Table(
            caption: curve.title,
            columns: ([curve.axis] + systems.map(Systems.title) + theory).map {
                .init(title: $0, isNumber: true)
            },
            rows: curve.places.map { x in
                let figures = systems.map { system in
                    Self.cell(curve.point(of: system, at: x).map(spread) ?? "–")
                }
                return [[.text(place(x, curve.axis))]] + figures
                    + (theory.isEmpty ? [] : theoryCells(curve, at: x))
            }
        )
    }

    private func theoryCells(_ curve: CostCurve, at x: Double) -> [Line] {
        guard let value = curve.theoretical(at: x) else { return [[.text("–")], [.text("–")]] }
        let ours = curve.point(of: Contest.store, at: x)
        let share = ours.flatMap { value > 0 ? NumberText.factor($0.median / value) : nil }
        return [[.text(NumberText.quantity(value, curve.unit))], [.text(share ?? "–")]]
    }
}
