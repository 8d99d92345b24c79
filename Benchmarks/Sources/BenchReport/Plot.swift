/// A finished picture.
struct Plot {
    static let width = 520.0
    /// The space at the left and the right.
    static let margin = 16.0

    /// The file's name without `.svg`, and the root of anchors.
    let name: String
    let head: PlotHead
    let height: Double
    /// The content in words, for readers who cannot see the picture.
    let summary: String
    /// The drawing below the head.
    let body: String

    var title: String { head.text }

    /// The picture as a file, with its own colors and background.
    ///
    /// A host that embeds the file as an image may be light while the reader's system is dark; the background makes
    /// it readable on both.
    var file: String {
        let size = #"width="\#(Int(Self.width))" height="\#(Int(height))""#
        let head =
            #"<svg xmlns="http://www.w3.org/2000/svg" class="plot" \#(size) \#(attributes(0))>"#
        let back =
            #"<rect class="back" width="\#(Int(Self.width))" height="\#(Int(height))" rx="8"/>"#
        let style = "<style>\n\(PlotStyle.standalone)</style>\n"
        var top = Canvas()
        self.head.draw(on: &top, hasTitle: true)
        return "\(head)\n\(words)\(style)\(back)\n\(top.body)\(body)</svg>\n"
    }

    /// The picture as an element of a page that has the colors.
    ///
    /// - Parameter hasTitle: Whether to draw the title, which a page may have above the picture.
    /// - Returns: An element of SVG.
    func inline(hasTitle: Bool) -> String {
        var top = Canvas()
        head.draw(on: &top, hasTitle: hasTitle)
        let cut = hasTitle ? 0 : Int(head.titleHeight)
        return "<svg class=\"plot\" \(attributes(cut))>\n\(words)\(top.body)\(body)</svg>\n"
    }

    /// The attributes of the picture without the first `cut` units of its height.
    private func attributes(_ cut: Int) -> String {
        #"viewBox="0 \#(cut) \#(Int(Self.width)) \#(Int(height) - cut)" role="img" "#
            + #"aria-label="\#(Escaping.xml(title))" aria-describedby="\#(name)-desc""#
    }

    private var words: String {
        "<title>\(Escaping.xml(title))</title>\n"
            + "<desc id=\"\(name)-desc\">\(Escaping.xml(summary))</desc>\n"
    }
}

/// The top of a plot: its title and a line below, wrapped to the width.
struct PlotHead {
    let text: String
    private let note: String
    private let title: [String]
    private let notes: [String]

    init(_ text: String, note: String) {
        self.text = text
        self.note = note
        let limit = Plot.width - 2 * Plot.margin
        title = TextMetrics.wrap(text, limit: limit, size: 16, isBold: true)
        notes = TextMetrics.wrap(note, limit: limit, size: 12.5)
    }

    /// The plot of a drawing below this head; `summary` says what it shows.
    func plot(_ name: String, height: Double, _ summary: String, _ canvas: Canvas) -> Plot {
        Plot(
            name: name,
            head: self,
            height: height,
            summary: "\(note). \(summary)",
            body: canvas.body
        )
    }

    var titleHeight: Double { Double(title.count) * 20 + 6 }
    var height: Double { Double(title.count) * 20 + Double(notes.count) * 17 + 16 }

    func draw(on canvas: inout Canvas, hasTitle: Bool) {
        let x = Plot.margin
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
