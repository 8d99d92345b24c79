internal import Foundation

/// Draws a cost curve on two logarithmic axes, one line a system.
struct CurvePlot {
    private static let plotHeight = 250.0

    private let curve: CostCurve
    private let styles: [String: Int]
    private let xAxis: LogAxis?
    private let yAxis: LogAxis?
    private let left: Double
    private let right = Plot.width - Plot.margin - 4

    init(of curve: CostCurve) {
        self.curve = curve
        styles = Systems.styles(curve.lines.map(\.system))
        let points = curve.lines.flatMap(\.points).filter(Self.isDrawn)
        xAxis = LogAxis(covering: points.compactMap(\.x), padding: 0.2, isWhole: false)
        var ys = points.flatMap { [$0.min, $0.median, $0.max] }
        if case .bound = curve.theory {
            ys += points.compactMap { $0.x.flatMap(curve.theoretical(at:)) }
        }
        yAxis = LogAxis(covering: ys, padding: 0.06, isWhole: true)
        let labels = Self.yTicks(yAxis, curve.unit).map { TextMetrics.width($0.text, size: 12) }
        left = Plot.margin + (labels.max() ?? 0) + 8
    }

    /// Whether a point has a place on logarithmic axes.
    private static func isDrawn(_ point: BenchRun.Figure) -> Bool {
        point.median > 0 && (point.x ?? 0) > 0
    }

    /// The number of points that are not drawn, because zero has no place on a logarithmic axis.
    private var leftOut: Int { curve.lines.flatMap(\.points).count { !Self.isDrawn($0) } }

    private var note: String {
        let runs = NumberText.runs(curve.lines.flatMap(\.points))
        var note = "median of \(runs), whisker min to max; "
        note += curve.better.text
        if leftOut > 0 {
            note += "; \(leftOut) \(leftOut == 1 ? "point" : "points") at or below zero not drawn"
        }
        return note
    }

    /// The finished plot.
    func plot(named name: String) -> Plot {
        let head = PlotHead(curve.title, note: note)
        var canvas = Canvas()
        let top = drawLegend(on: &canvas, from: head.height)
        var bottom = top + Self.plotHeight
        if let xAxis, let yAxis {
            let frame = Frame(xs: (left, right), ys: (top, bottom), xAxis: xAxis, yAxis: yAxis)
            drawGrid(in: frame, on: &canvas)
            drawTheory(in: frame, on: &canvas)
            for line in curve.lines.reversed() { draw(line, in: frame, on: &canvas) }
            let middle = (left + right) / 2
            canvas.text(curve.axis, x: middle, y: bottom + 38, "muted", anchor: .middle)
        } else {
            let text = "No point has a place on a logarithmic axis."
            canvas.text(text, x: Plot.margin, y: top + 24, "muted")
            bottom = top
        }
        return head.plot(name, height: bottom + 52, summary, canvas)
    }

    private var summary: String {
        let lines = curve.lines.map { line in
            let ends = [line.points.first, line.points.last].compactMap { $0 }.map {
                "\(NumberText.quantity($0.median, $0.unit)) at \(NumberText.count($0.x ?? 0))"
            }
            return "\(curve.title(of: line.system)) \(unique(ends).joined(separator: " to "))"
        }
        let theory = curve.theoryText.map { " Theory: \($0)." } ?? ""
        return "By \(curve.axis): " + lines.joined(separator: "; ") + "." + theory
    }

    /// Draws the names of the lines in as many rows as they need, and returns where the plot may begin.
    private func drawLegend(on canvas: inout Canvas, from top: Double) -> Double {
        var (x, y) = (Plot.margin, top + 6)
        let limit = Plot.width - Plot.margin
        var entries = curve.lines.map {
            (style: styles[$0.system], text: curve.title(of: $0.system))
        }
        if let theory = curve.theoryName { entries.append((nil, "theory: \(theory)")) }
        for (style, text) in entries {
            let lines = TextMetrics.wrap(text, limit: limit - 50, size: 13)
            for (index, line) in lines.enumerated() {
                let width = 34 + TextMetrics.width(line, size: 13)
                let isFull = x > Plot.margin && x + width > limit
                if isFull || index > 0 { (x, y) = (Plot.margin, y + 19) }
                if index == 0 { drawKey(style, on: &canvas, x: x, y: y) }
                canvas.text(line, x: x + 30, y: y + 4)
                x += width + 14
            }
        }
        return y + 20
    }

    private func drawKey(_ style: Int?, on canvas: inout Canvas, x: Double, y: Double) {
        guard let style else { return canvas.line((x, y), (x + 24, y), "theory") }
        canvas.group("s\(style % PlotStyle.seriesCount)") { canvas in
            canvas.line((x, y), (x + 24, y), style == 0 ? "curve thick" : "curve")
            canvas.marker(style, x: x + 12, y: y, radius: style == 0 ? 4.6 : 4)
        }
    }

    /// The marks of the vertical axis; with marks between decades only if there is one decade.
    private static func yTicks(_ axis: LogAxis?, _ unit: String) -> [(value: Double, text: String)]
    {
        guard let axis else { return [] }
        let decades = axis.ticks(limit: 7, unit)
        guard axis.high - axis.low < 1.5 else { return decades }
        let base = pow(10, axis.low)
        return decades
            + [2, 5].map { step in
                (base * step, NumberText.quantity(base * step, unit, trimmed: true))
            }
    }

    /// The marks of the horizontal axis: decades, or every number of threads.
    private func xTicks(_ axis: LogAxis) -> [(value: Double, text: String)] {
        if curve.axis == CostCurve.threadAxis {
            return curve.places.map { ($0, NumberText.count($0)) }
        }
        return axis.ticks(limit: 9, "")
    }

    private func drawGrid(in frame: Frame, on canvas: inout Canvas) {
        for value in frame.yAxis.minors {
            guard let y = frame.y(value) else { continue }
            canvas.line((left, y), (right, y), "minor")
        }
        for (value, text) in Self.yTicks(frame.yAxis, curve.unit) {
            guard let y = frame.y(value) else { continue }
            canvas.line((left, y), (right, y), "grid")
            canvas.text(text, x: left - 8, y: y + 4, "tick", anchor: .end)
        }
        for (value, text) in xTicks(frame.xAxis) {
            guard let x = frame.x(value) else { continue }
            canvas.line((x, frame.ys.0), (x, frame.ys.1), "grid")
            canvas.text(text, x: x, y: frame.ys.1 + 17, "tick", anchor: .middle)
        }
        canvas.line((left, frame.ys.1), (right, frame.ys.1), "axis")
    }

    /// Draws the theory, which is a straight line on these axes, as far as it is in the frame.
    private func drawTheory(in frame: Frame, on canvas: inout Canvas) {
        let ends = [frame.xAxis.low, frame.xAxis.high].map { power in
            (power, curve.theoretical(at: pow(10, power)) ?? 0)
        }
        guard ends.allSatisfy({ $0.1 > 0 && $0.1.isFinite }) else { return }
        let (from, to) = (log10(ends[0].1), log10(ends[1].1))
        let (low, high) = (frame.yAxis.low, frame.yAxis.high)
        var (start, end) = (0.0, 1.0)
        if to > from {
            start = max(0, (low - from) / (to - from))
            end = min(1, (high - from) / (to - from))
        }
        guard start < end, from <= high, to >= low else { return }
        let points = [start, end].map { part in
            let power = ends[0].0 + part * (ends[1].0 - ends[0].0)
            let value = from + part * (to - from)
            return frame.place(xPower: power, yPower: value)
        }
        canvas.polyline(points, "theory")
    }

    private func draw(
        _ line: (system: String, points: [BenchRun.Figure]),
        in frame: Frame,
        on canvas: inout Canvas
    ) {
        let style = styles[line.system] ?? 0
        let points = line.points.filter(Self.isDrawn)
        canvas.group("s\(style % PlotStyle.seriesCount)") { canvas in
            let places = points.compactMap { point -> (Double, Double)? in
                guard let x = frame.x(point.x ?? 0) else { return nil }
                return frame.y(point.median).map { (x, $0) }
            }
            canvas.polyline(places, style == 0 ? "curve thick" : "curve")
            for (point, place) in zip(points, places) {
                let at = "\(NumberText.count(point.x ?? 0)) \(curve.axis)"
                let title = "\(curve.title(of: line.system)) at \(at): \(NumberText.spread(point))"
                canvas.group("point", title: title) { canvas in
                    if let high = frame.y(point.max) {
                        let low = frame.y(point.min) ?? frame.ys.1
                        let ends = ((place.0, low), (place.0, high))
                        if low - high >= 1 { canvas.whisker(ends.0, ends.1, cap: 3, "error") }
                    }
                    canvas.marker(style, x: place.0, y: place.1, radius: style == 0 ? 4.6 : 4)
                }
            }
        }
    }
}

/// The rectangle of a plot, which finds the places of values.
private struct Frame {
    /// The left and the right end.
    let xs: (Double, Double)
    /// The top and the bottom.
    let ys: (Double, Double)
    let xAxis: LogAxis
    let yAxis: LogAxis

    func x(_ value: Double) -> Double? {
        xAxis.fraction(value).map { xs.0 + $0 * (xs.1 - xs.0) }
    }

    func y(_ value: Double) -> Double? {
        yAxis.fraction(value).map { ys.1 - $0 * (ys.1 - ys.0) }
    }

    func place(xPower: Double, yPower: Double) -> (Double, Double) {
        let x = (xPower - xAxis.low) / (xAxis.high - xAxis.low)
        let y = (yPower - yAxis.low) / (yAxis.high - yAxis.low)
        return (xs.0 + x * (xs.1 - xs.0), ys.1 - y * (ys.1 - ys.0))
    }
}
