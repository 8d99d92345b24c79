/// The colors of plots and pages, for light and for dark.
enum PlotStyle {
    /// The number of systems with their own color and shape.
    static let seriesCount = 7

    /// A color: the name of its custom property, and its values.
    struct Color {
        let name: String
        let light: String
        let dark: String

        init(_ name: String, _ light: String, _ dark: String) {
            (self.name, self.light, self.dark) = (name, light, dark)
        }
    }

    /// The colors of systems and of everything else.
    ///
    /// The first seven are the systems'. Their hues differ under the common kinds of color blindness, each with a
    /// contrast of at least 3:1 against its background.
    static let colors = [
        Color("s0", "#0a5fb4", "#62aef7"),
        Color("s1", "#c2560a", "#f0975c"),
        Color("s2", "#0b7d62", "#43c6a3"),
        Color("s3", "#8e3fa8", "#d095e8"),
        Color("s4", "#666d77", "#a4acb6"),
        Color("s5", "#876800", "#dcba48"),
        Color("s6", "#b3325f", "#f48fb3"),
        Color("back", "#ffffff", "#14171b"),
        Color("ink", "#1d2126", "#e3e6e9"),
        Color("muted", "#5b646e", "#9ca5af"),
        Color("grid", "#e3e6e9", "#2b3138"),
        Color("axis", "#aab2ba", "#565f69"),
        Color("band", "#f5f6f7", "#1b1f24"),
        Color("peer", "#b7bec6", "#59626c"),
        Color("good", "#0b6e57", "#4fd0ae"),
        Color("bad", "#b4420a", "#ff9d66"),
        Color("badback", "#fdf1ea", "#2b1e16"),
    ]

    static let font =
        #"system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif"#

    /// The styles of a drawing's classes; `$name` stands for a color.
    private static let rules = """
        .plot text{fill:$ink;font-family:\(font);font-size:13px;font-variant-numeric:tabular-nums}
        .plot text.title{font-size:16px;font-weight:600}
        .plot text.muted{fill:$muted;font-size:12.5px}
        .plot text.tick{fill:$muted;font-size:12px}
        .plot text.strong{font-weight:600}
        .plot text.good{fill:$good}
        .plot text.bad{fill:$bad;font-weight:600}
        .plot .back{fill:$back}
        .plot .band{fill:$band}
        .plot .badback{fill:$badback}
        .plot .grid{stroke:$grid}
        .plot .minor{stroke:$grid;stroke-opacity:.55}
        .plot .axis{stroke:$axis}
        .plot .target{stroke:$ink;stroke-width:1.5}
        .plot .theory{stroke:$ink;stroke-width:1.5;stroke-dasharray:6 5;stroke-opacity:.7;fill:none}
        .plot .whisker{stroke:$ink;stroke-width:1.3}
        .plot .halo{stroke:$back;stroke-width:4;stroke-opacity:.75}
        .plot .peer{fill:$peer}
        .plot .ours{fill:$s0}
        .plot .curve{fill:none;stroke:currentColor;stroke-width:1.5;stroke-linejoin:round}
        .plot .thick{stroke-width:2.6}
        .plot .error{stroke:currentColor;stroke-width:1.3}
        .plot .mark{fill:currentColor;stroke:$back;stroke-width:.8}
        .plot .stroke{fill:none;stroke:currentColor;stroke-width:2.2}
        .plot .good{color:$good}
        .plot .bad{color:$bad}
        \((0..<seriesCount).map { ".plot .s\($0){color:$s\($0)}" }.joined(separator: "\n"))

        """

    /// The rules with the colors written out, for a file of its own.
    static let standalone =
        rules(\.light) + "@media (prefers-color-scheme:dark){\n" + rules(\.dark) + "}\n"

    /// The rules with custom properties, for a page that defines them.
    static let inline = rules { "var(--\($0.name))" }

    /// The custom properties themselves.
    static func properties(_ value: (Color) -> String) -> String {
        colors.map { "--\($0.name):\(value($0))" }.joined(separator: ";")
    }

    /// Longer names come first, since some names begin with others.
    private static func rules(_ value: (Color) -> String) -> String {
        var text = ""
        for piece in rules.split(separator: "$", omittingEmptySubsequences: false) {
            let color = colors.filter { piece.hasPrefix($0.name) }
                .max { $0.name.count < $1.name.count }
            guard let color, !text.isEmpty else {
                text += piece
                continue
            }
            text += value(color) + piece.dropFirst(color.name.count)
        }
        return text
    }
}
