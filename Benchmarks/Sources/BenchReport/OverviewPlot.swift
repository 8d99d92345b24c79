internal import Foundation

/// Draws every bar as a mark left or right of its target.
struct OverviewPlot {
    private static let step = 20.0
    private static let gap = 5.0
    private static let labelLeft = Plot.margin + 28
    /// The largest distance of a mark from the target, as a power of ten.
    private static let powerMax = 3.0
    private static let missing = "not measured"

    private let outcomes: [Bars.RowOutcome]
    private let axis: LogAxis
    private let left: Double
    private let right: Double
    private let note: String

    init(of outcomes: [Bars.RowOutcome]) {
        self.outcomes = outcomes
        let bars = outcomes.flatMap(\.bars)
        let powers = bars.compactMap(\.margin).map { log10($0) }
        let low = min(-0.4, (powers.min() ?? 0) - 0.12)
        let high = max(0.4, (powers.max() ?? 0) + 0.12)
        axis = LogAxis(from: max(low, -Self.powerMax), to: min(high, Self.powerMax))
        let labels = bars.map { TextMetrics.width($0.name, size: 13) }
        left = Self.labelLeft + (labels.max() ?? 0) + 14
        let values = bars.map { TextMetrics.width(Self.value($0), size: 13, isBold: true) }
        right = Plot.width - Plot.margin - (values.max() ?? 0) - 14
        let kept = bars.count(where: \.holds)
        let missed = bars.count { $0.figure != nil && !$0.holds }
        let passed = outcomes.count { $0.verdict == .pass }
        note =
            "\(passed) of \(outcomes.count) rows pass; bars: \(kept) kept, \(missed) missed, "
            + "\(bars.count - kept - missed) not measured; log axis"
    }

    private static func value(_ outcome: Bars.BarOutcome) -> String {
        guard outcome.figure != nil else { return "" }
        guard let margin = outcome.margin else { return "zero" }
        return NumberText.factor(margin)
    }

    /// The finished plot.
    func plot(named name: String) -> Plot {
        let head = PlotHead("How far each bar is from its target", note: note)
        var canvas = Canvas()
        let top = head.height + 24
        let bars = Double(outcomes.flatMap(\.bars).count)
        let bottom = top + bars * Self.step + Double(outcomes.count) * Self.gap
        drawBands(on: &canvas, top: top)
        drawAxis(on: &canvas, top: top, bottom: bottom)
        var y = top
        for outcome in outcomes {
            y += Self.gap / 2
            let number = "\(outcome.row.number)"
            canvas.text(number, x: Plot.margin + 20, y: y + 14, "strong", anchor: .end)
            for bar in outcome.bars {
                draw(bar, on: &canvas, middle: y + Self.step / 2)
                y += Self.step
            }
            y += Self.gap / 2
        }
        return head.plot(name, height: bottom + 34, summary, canvas)
    }

    private var summary: String {
        let bars = outcomes.flatMap(\.bars).map {
            "row \($0.row.number), \($0.name): "
                + ($0.figure == nil ? Self.missing : Self.value($0))
        }
        return "How many times better than its target each bar is: "
            + bars.joined(separator: "; ") + "."
    }

    private func drawBands(on canvas: inout Canvas, top: Double) {
        var y = top
        for (index, outcome) in outcomes.enumerated() {
            let height = Double(outcome.bars.count) * Self.step + Self.gap
            if index % 2 == 0 {
                let size = (Plot.width - Plot.margin, height)
                canvas.rect((Plot.margin / 2, y), size, radius: 3, "band")
            }
            y += height
        }
    }

    private func x(_ margin: Double) -> Double {
        left + (axis.fraction(margin) ?? 0) * (right - left)
    }

    private func drawAxis(on canvas: inout Canvas, top: Double, bottom: Double) {
        let target = x(1)
        canvas.text("← misses", x: target - 8, y: top - 8, "bad", anchor: .end)
        canvas.text("keeps it →", x: target + 8, y: top - 8, "good strong")
        var taken: [ClosedRange<Double>] = []
        for (value, text) in ticks {
            let x = x(value)
            let half = TextMetrics.width(text, size: 12) / 2 + 4
            let range = (x - half)...(x + half)
            guard !taken.contains(where: range.overlaps) else { continue }
            taken.append(range)
            canvas.line((x, top), (x, bottom), value == 1 ? "target" : "grid")
            canvas.text(text, x: x, y: bottom + 18, "tick", anchor: .middle)
        }
    }

    /// The marks of the axis, the more important ones first.
    private var ticks: [(value: Double, text: String)] {
        let better: [Double] = [10, 100, 1000, 2, 5, 20, 50, 200, 500]
        let all = better.flatMap { value -> [(value: Double, text: String)] in
            let number = NumberText.grouped(Int(value))
            return [(1 / value, "1/\(number)"), (value, "\(number)x")]
        }
        return [(1, "target")] + all.filter { (axis.low...axis.high).contains(log10($0.0)) }
    }

    private func draw(_ outcome: Bars.BarOutcome, on canvas: inout Canvas, middle: Double) {
        let value = Self.value(outcome)
        let style = outcome.figure == nil ? "muted" : outcome.holds ? "good" : "bad"
        let figure = outcome.figure.map(NumberText.spread) ?? Self.missing
        let title = "\(outcome.name): \(figure), target \(outcome.targetText)"
        canvas.group(style, title: title) { canvas in
            let text = outcome.figure == nil ? "muted" : ""
            canvas.text(outcome.name, x: Self.labelLeft, y: middle + 4, text)
            guard outcome.figure != nil else { return drawMissing(on: &canvas, middle: middle) }
            canvas.text(value, x: Plot.width - Plot.margin, y: middle + 4, style, anchor: .end)
            let end = outcome.margin.map(x) ?? (outcome.holds ? right : left)
            canvas.line((x(1), middle), (end, middle), "error")
            // A circle means kept, a diamond means missed.
            canvas.marker(outcome.holds ? 0 : 3, x: end, y: middle, radius: 5)
        }
    }

    /// Draws `not measured`, right of the target if there is room.
    private func drawMissing(on canvas: inout Canvas, middle: Double) {
        let target = x(1)
        let width = TextMetrics.width(Self.missing, size: 13)
        let isRight = Plot.width - Plot.margin - target > width + 10
        let x = isRight ? target + 10 : target - 10
        let anchor: Canvas.Anchor = isRight ? .start : .end
        canvas.text(Self.missing, x: x, y: middle + 4, "muted", anchor: anchor)
    }
}
