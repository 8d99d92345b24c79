/// The elements of a picture in SVG, in drawing order.
struct Canvas {
    /// The part of a text that lies at its point.
    enum Anchor: String { case start, middle, end }

    private(set) var body = ""

    mutating func line(_ from: (Double, Double), _ to: (Double, Double), _ style: String) {
        body += #"<line class="\#(style)" x1="\#(number(from.0))" y1="\#(number(from.1))""#
        body += #" x2="\#(number(to.0))" y2="\#(number(to.1))"/>"# + "\n"
    }

    /// Draws a rectangle from its top left corner.
    mutating func rect(
        _ corner: (Double, Double),
        _ size: (Double, Double),
        radius: Double = 0,
        _ style: String
    ) {
        body += #"<rect class="\#(style)" x="\#(number(corner.0))" y="\#(number(corner.1))""#
        body += #" width="\#(number(max(0, size.0)))" height="\#(number(max(0, size.1)))""#
        body += radius > 0 ? #" rx="\#(number(radius))"/>"# + "\n" : "/>\n"
    }

    mutating func path(_ commands: String, _ style: String) {
        body += #"<path class="\#(style)" d="\#(commands)"/>"# + "\n"
    }

    /// Draws a line through points; nothing for fewer than two.
    mutating func polyline(_ points: [(Double, Double)], _ style: String) {
        guard points.count > 1 else { return }
        let commands = points.enumerated().map { index, point in
            "\(index == 0 ? "M" : "L")\(number(point.0)) \(number(point.1))"
        }
        path(commands.joined(separator: " "), style)
    }

    mutating func text(
        _ text: String,
        x: Double,
        y: Double,
        _ style: String = "",
        anchor: Anchor = .start
    ) {
        let styleText = style.isEmpty ? "" : #" class="\#(style)""#
        let anchorText = anchor == .start ? "" : #" text-anchor="\#(anchor.rawValue)""#
        body += #"<text\#(styleText) x="\#(number(x))" y="\#(number(y))"\#(anchorText)>"#
        body += Escaping.xml(text) + "</text>\n"
    }

    /// Draws elements of one group, under a title that shows when the pointer rests on them.
    mutating func group(_ style: String, title: String? = nil, _ draw: (inout Canvas) -> Void) {
        body += #"<g class="\#(style)">"# + "\n"
        if let title { body += "<title>\(Escaping.xml(title))</title>\n" }
        draw(&self)
        body += "</g>\n"
    }

    /// Draws a whisker between two points, which lie on one horizontal or vertical line.
    mutating func whisker(
        _ from: (Double, Double),
        _ to: (Double, Double),
        cap: Double,
        _ style: String
    ) {
        let (dx, dy) = from.0 == to.0 ? (cap, 0) : (0, cap)
        line(from, to, style)
        for end in [from, to] { line((end.0 - dx, end.1 - dy), (end.0 + dx, end.1 + dy), style) }
    }

    /// Draws the marker of a style around a point; each style has its own shape.
    mutating func marker(_ style: Int, x: Double, y: Double, radius: Double) {
        let r = radius
        func at(_ dx: Double, _ dy: Double) -> String { "\(number(x + dx)) \(number(y + dy))" }
        func shape(_ corners: (Double, Double)...) -> String {
            "M" + corners.map { at($0.0 * r, $0.1 * r) }.joined(separator: " L") + " Z"
        }
        switch style % PlotStyle.seriesCount {
        case 0:
            body += #"<circle class="mark" cx="\#(number(x))" cy="\#(number(y))""#
            body += #" r="\#(number(r))"/>"# + "\n"
        case 1:
            rect((x - r * 0.9, y - r * 0.9), (r * 1.8, r * 1.8), "mark")
        case 2: path(shape((0, -1.1), (1.1, 0.9), (-1.1, 0.9)), "mark")
        case 3: path(shape((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)), "mark")
        case 4: path(shape((0, 1.1), (1.1, -0.9), (-1.1, -0.9)), "mark")
        case 5: path("M\(at(-r, 0)) L\(at(r, 0)) M\(at(0, -r)) L\(at(0, r))", "stroke")
        default: path("M\(at(-r, -r)) L\(at(r, r)) M\(at(r, -r)) L\(at(-r, r))", "stroke")
        }
    }

    /// A coordinate with one decimal.
    private func number(_ value: Double) -> String {
        precondition(value.isFinite)
        let tenths = Int((value * 10).rounded())
        guard tenths % 10 != 0 else { return "\(tenths / 10)" }
        return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }
}
