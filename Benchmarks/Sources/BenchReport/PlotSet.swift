/// Every plot of a run, each under a name of its own.
struct PlotSet {
    let outcomes: [Bars.RowOutcome]
    let overview: Plot
    let contests: [(contest: Contest, plot: Plot)]
    let curves: [(curve: CostCurve, plot: Plot)]
    let threads: [(curve: CostCurve, plot: Plot)]

    init(of run: BenchRun) {
        var names: Set<String> = []
        func name(_ text: String) -> String {
            let slug = Escaping.slug(text)
            var name = slug
            var number = 2
            while !names.insert(name).inserted {
                name = "\(slug)-\(number)"
                number += 1
            }
            return name
        }
        outcomes = Bars.outcomes(of: run)
        overview = OverviewPlot(of: outcomes).plot(named: name("overview"))
        contests = Contest.sideBySide(in: run).map {
            ($0, BarChart(of: $0).plot(named: name($0.name)))
        }
        curves = CostCurve.all(in: run).map {
            ($0, CurvePlot(of: $0).plot(named: name($0.name)))
        }
        threads = CostCurve.threads(in: run).map {
            ($0, CurvePlot(of: $0).plot(named: name($0.name)))
        }
    }

    var all: [Plot] {
        [overview] + (contests.map(\.plot) + curves.map(\.plot) + threads.map(\.plot))
    }
}
