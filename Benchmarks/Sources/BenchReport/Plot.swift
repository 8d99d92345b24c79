/// A picture that is done.
struct Plot {
    /// The file's name without `.svg`, and the root of anchors.
    let name: String
    let title: String
    /// What the picture shows, in words, for those who cannot see it.
    let summary: String
    let width: Double
    let height: Double
    let head: PlotHead
    /// What is drawn below the head.
    let body: String

    /// The picture as a file of its own, which brings its colours and its background.
    ///
    /// A host that embeds it as an image may be light while the reader's system is dark; the
    /// background makes that not matter.
    var file: String {
        let size = #"width="\#(Int(width))" height="\#(Int(height))""#
        let head =
            #"<svg xmlns="http://www.w3.org/2000/svg" class="plot" \#(size) \#(attributes(0))>"#
        let back = #"<rect class="back" width="\#(Int(width))" height="\#(Int(height))" rx="8"/>"#
        let style = "<style>\n\(PlotStyle.standalone)</style>\n"
        var top = Canvas()
        self.head.draw(on: &top, hasTitle: true)
        return "\(head)\n\(words)\(style)\(back)\n\(top.body)\(body)</svg>\n"
    }

    /// The picture as a part of a page that has the colours.
    ///
    /// - Parameter hasTitle: Whether to draw the title, which a page may have above the picture.
    /// - Returns: An element of SVG.
    func inline(hasTitle: Bool) -> String {
        var top = Canvas()
        head.draw(on: &top, hasTitle: hasTitle)
        let cut = hasTitle ? 0 : Int(head.titleHeight)
        return "<svg class=\"plot\" \(attributes(cut))>\n\(words)\(top.body)\(body)</svg>\n"
    }

    /// The attributes of the picture, without so much of its top.
    private func attributes(_ cut: Int) -> String {
        #"viewBox="0 \#(cut) \#(Int(width)) \#(Int(height) - cut)" role="img" "#
            + #"aria-label="\#(Escaping.xml(title))" aria-describedby="\#(name)-desc""#
    }

    private var words: String {
        "<title>\(Escaping.xml(title))</title>\n"
            + "<desc id=\"\(name)-desc\">\(Escaping.xml(summary))</desc>\n"
    }
}

/// The top of a plot: its title and a line below, wrapped to the width.
struct PlotHead {
    static let titleSize = 16.0
    static let noteSize = 12.5
    /// Where every line begins, and how much is left free at the other end.
    static let margin = 16.0

    let title: [String]
    let notes: [String]

    init(title: String, note: String, width: Double) {
        let limit = width - 2 * Self.margin
        self.title = TextMetrics.wrap(title, limit: limit, size: Self.titleSize, isBold: true)
        notes = TextMetrics.wrap(note, limit: limit, size: Self.noteSize)
    }

    var titleHeight: Double { Double(title.count) * 20 + 6 }
    var height: Double { Double(title.count) * 20 + Double(notes.count) * 17 + 16 }

    func draw(on canvas: inout Canvas, hasTitle: Bool) {
        let x = Self.margin
        var y = 10.0
        for line in title {
            y += 20
            if hasTitle { canvas.text(line, x: x, y: y - 4, "title") }
        }
        for line in notes {
            y += 17
            canvas.text(line, x: x, y: y - 3, "muted")
        }
    }
}
