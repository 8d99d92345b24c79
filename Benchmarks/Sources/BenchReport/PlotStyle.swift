/// The colours of plots and pages, for light and for dark.
enum PlotStyle {
    /// How many systems have a colour and a shape of their own.
    static let seriesCount = 7

    /// A colour: the name of its custom property, and its values.
    struct Color {
        let name: String
        let light: String
        let dark: String
    }

    /// The first seven are the systems': hues that stay apart under the common kinds of colour
    /// blindness, each at least 3:1 against its background.
    static let colors = [
        Color(name: "s0", light: "#0a5fb4", dark: "#62aef7"),
        Color(name: "s1", light: "#c2560a", dark: "#f0975c"),
        Color(name: "s2", light: "#0b7d62", dark: "#43c6a3"),
        Color(name: "s3", light: "#8e3fa8", dark: "#d095e8"),
        Color(name: "s4", light: "#666d77", dark: "#a4acb6"),
        Color(name: "s5", light: "#876800", dark: "#dcba48"),
        Color(name: "s6", light: "#b3325f", dark: "#f48fb3"),
        Color(name: "back", light: "#ffffff", dark: "#14171b"),
        Color(name: "ink", light: "#1d2126", dark: "#e3e6e9"),
        Color(name: "muted", light: "#5b646e", dark: "#9ca5af"),
        Color(name: "grid", light: "#e3e6e9", dark: "#2b3138"),
        Color(name: "axis", light: "#aab2ba", dark: "#565f69"),
        Color(name: "band", light: "#f5f6f7", dark: "#1b1f24"),
        Color(name: "peer", light: "#b7bec6", dark: "#59626c"),
        Color(name: "good", light: "#0b6e57", dark: "#4fd0ae"),
        Color(name: "bad", light: "#b4420a", dark: "#ff9d66"),
        Color(name: "badback", light: "#fdf1ea", dark: "#2b1e16"),
    ]

    static let font =
        #"system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif"#

    /// What the classes of a drawing look like; `$name` stands for a colour.
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
        .plot .s0{color:$s0}
        .plot .s1{color:$s1}
        .plot .s2{color:$s2}
        .plot .s3{color:$s3}
        .plot .s4{color:$s4}
        .plot .s5{color:$s5}
        .plot .s6{color:$s6}

        """

    /// The rules with the colours written out, for a file of its own.
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
