/// Turns a run into the document of its report.
struct ReportContent {
    typealias Line = ReportDocument.Line
    typealias Table = ReportDocument.Table

    let run: BenchRun
    let plots: PlotSet

    init(of run: BenchRun) {
        self.run = run
        plots = PlotSet(of: run)
    }

    var document: ReportDocument {
        ReportDocument(
            title: "Benchmark results",
            opening: opening,
            sections: [
                losses, rows, bars, sideBySide, curves, threads, others, omissions, elsewhere,
            ]
        )
    }

    // MARK: Texts of all sections

    /// Whether figures come from several runs.
    var isMerged: Bool { run.origins.count > 1 }

    /// The letter of a figure's run, in brackets; empty if there is one run only.
    func mark(_ figure: BenchRun.Figure) -> String {
        guard isMerged else { return "" }
        return " (\(letter(figure.origin)))"
    }

    /// The letter of a run, A for the first; its number from the 27th on.
    func letter(_ origin: BenchRun.Origin) -> String {
        let index = run.origins.firstIndex(of: origin) ?? 0
        guard index < 26 else { return "\(index + 1)" }
        return String(Character(UnicodeScalar(UInt8(65 + index))))
    }

    /// The median and the range of a figure, and its run if there are several.
    func spread(_ figure: BenchRun.Figure) -> String {
        NumberText.spread(figure) + mark(figure)
    }

    /// The place of a figure on its axis, as in `100 k entries`.
    func place(_ x: Double, _ axis: String) -> String { "\(NumberText.round(x)) \(axis)" }

    /// Every percentile that a figure has, in order.
    func percentiles(_ figure: BenchRun.Figure) -> String {
        Self.percentileNames([figure]).compactMap { name in
            figure.percentiles[name].map { "\(name) \(NumberText.quantity($0, figure.unit))" }
        }.joined(separator: ", ")
    }

    /// The names of the percentiles that any of the figures has, the smallest first.
    static func percentileNames(_ figures: [BenchRun.Figure]) -> [String] {
        func rank(_ name: String) -> Double { Double(name.drop { $0 == "p" }) ?? .infinity }
        return Set(figures.flatMap(\.percentiles.keys)).sorted {
            (rank($0), $0) < (rank($1), $1)
        }
    }

    /// A cell of text.
    static func cell(_ text: String) -> Line { text.isEmpty ? [] : [.text(text)] }
}
