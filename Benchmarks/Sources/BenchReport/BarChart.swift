internal import Foundation

/// Draws one bar a system, with a whisker from its smallest to its largest value.
struct BarChart {
    /// From the smallest to the largest value, the factor from which the axis is logarithmic.
    private static let logarithmicFactor = 30.0
    private static let size = 13.0

    private let contest: Contest
    private let labels: [[String]]
    private let values: [String]
    private let left: Double
    private let right: Double
    private let scale: Scale

    /// Finds the place of a value on the axis, 0 to 1.
    private enum Scale {
        case linear(max: Double)
        case logarithmic(LogAxis)

        /// Values that are not above zero lie at the left end of a logarithmic axis.
        func fraction(_ value: Double) -> Double {
            switch self {
            case .linear(let max): Swift.min(Swift.max(value / max, 0), 1)
            case .logarithmic(let axis): axis.fraction(value) ?? 0
            }
        }
    }

    init(of contest: Contest) {
        self.contest = contest
        labels = contest.figures.map {
            let title = Systems.title($0.system)
            let lines = TextMetrics.wrap(title, limit: 120, size: Self.size, isBold: true)
            return lines.isEmpty ? ["?"] : lines
        }
        values = contest.figures.map { NumberText.quantity($0.median, $0.unit) }
        let widest = labels.joined().map { TextMetrics.width($0, size: Self.size, isBold: true) }
        left = Plot.margin + (widest.max() ?? 0) + 10
        let numbers = values.map { TextMetrics.width($0, size: Self.size, isBold: true) }
        right = Plot.width - Plot.margin - (numbers.max() ?? 0) - 10
        scale = Self.scale(for: contest.figures)
    }

    private static func scale(for figures: [BenchRun.Figure]) -> Scale {
        let all = figures.flatMap { [$0.min, $0.median, $0.max] }
        let positive = all.filter { $0 >= NumberText.least }
        guard let least = positive.min(), let most = positive.max() else { return .linear(max: 1) }
        guard most / least > logarithmicFactor else { return .linear(max: most * 1.04) }
        guard let axis = LogAxis(covering: positive, padding: 0.15, isWhole: false) else {
            return .linear(max: most)
        }
        return .logarithmic(LogAxis(from: axis.low.rounded(.down), to: axis.high))
    }

    private var note: String {
        var note = "median of \(NumberText.runs(contest.figures)), whisker min to max; "
        note += contest.better == .lower ? "shorter is better" : "longer is better"
        guard case .logarithmic = scale else { return note }
        let hasZero = contest.figures.contains { $0.median <= 0 }
        return note + "; log axis" + (hasZero ? ", on which zero has no place" : "")
    }

    /// The finished chart.
    func plot(named name: String) -> Plot {
        let head = PlotHead(contest.title, note: note)
        var canvas = Canvas()
        let heights = labels.map { max(30, Double($0.count) * 15 + 12) }
        let bottom = head.height + 8 + heights.reduce(0, +)
        drawGrid(on: &canvas, from: head.height + 4, to: bottom)
        var y = head.height + 8
        for (index, height) in heights.enumerated() {
            drawBar(index, on: &canvas, middle: y + height / 2)
            y += height
        }
        let summary = contest.figures.map {
            "\(Systems.title($0.system)) \(NumberText.spread($0))"
        }
        return head.plot(name, height: bottom + 32, summary.joined(separator: "; ") + ".", canvas)
    }

    private func x(_ value: Double) -> Double { left + scale.fraction(value) * (right - left) }

    private func drawBar(_ index: Int, on canvas: inout Canvas, middle: Double) {
        let figure = contest.figures[index]
        let isOurs = figure.system == Contest.store
        let style = isOurs ? "strong" : ""
        let title = "\(Systems.title(figure.system)): \(NumberText.spread(figure))"
        canvas.group("bar", title: title) { canvas in
            let first = middle + 4 - Double(labels[index].count - 1) * 7.5
            for (line, text) in labels[index].enumerated() {
                let y = first + Double(line) * 15
                canvas.text(text, x: left - 10, y: y, style, anchor: .end)
            }
            let end = x(figure.median)
            let color = isOurs ? "ours" : "peer"
            canvas.rect((left, middle - 8), (end - left, 16), radius: 2, color)
            let (low, high) = (x(figure.min), x(figure.max))
            if high - low >= 1 {
                canvas.line((low, middle), (high, middle), "halo")
                canvas.whisker((low, middle), (high, middle), cap: 4, "whisker")
            }
            canvas.text(values[index], x: right + 10, y: middle + 4, style)
        }
    }

    private func drawGrid(on canvas: inout Canvas, from top: Double, to bottom: Double) {
        var free = -Double.infinity
        for (value, text) in ticks {
            let x = x(value)
            canvas.line((x, top), (x, bottom), value == ticks.first?.value ? "axis" : "grid")
            let half = TextMetrics.width(text, size: 12) / 2
            guard x - half > free else { continue }
            canvas.text(text, x: x, y: bottom + 17, "tick", anchor: .middle)
            free = x + half + 8
        }
    }

    private var ticks: [(value: Double, text: String)] {
        switch scale {
        case .logarithmic(let axis):
            return axis.ticks(limit: 6, contest.unit)
        case .linear(let most):
            let rough = most / 4
            let decade = pow(10, log10(rough).rounded(.down))
            let step = [1, 2, 5, 10].map { $0 * decade }.first { $0 >= rough } ?? most
            let unit = MeasureUnit.display(most, contest.unit)
            let factor = MeasureUnit.factor(from: contest.unit, to: unit) ?? 1
            return stride(from: 0, through: most, by: step).map { value in
                let number = NumberText.significant(value * factor, trimmed: true)
                return (value, value == 0 ? "0" : NumberText.joined(number, unit))
            }
        }
    }
}
