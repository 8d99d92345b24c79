/// The content of a report, in any language.
///
/// `MarkdownWriter` and `PageWriter` write the same document, so that the two never differ.
struct ReportDocument {
    /// A piece of a line.
    enum Inline {
        /// Words, or text from outside.
        case text(String)
        /// A name from the source or a file.
        case code(String)
        case strong(String)
        case verdict(String, isGood: Bool)
        case lineBreak
    }

    typealias Line = [Inline]

    /// A table; each row has as many cells as there are columns.
    struct Table {
        let caption: String
        let columns: [(title: String, isNumber: Bool)]
        let rows: [[Line]]

        /// A table; the title of a column of numbers ends in `#`, which is not shown.
        init(_ caption: String, _ columns: [String], rows: [[Line]]) {
            self.caption = caption
            self.columns = columns.map { title in
                title.hasSuffix("#") ? (String(title.dropLast()), true) : (title, false)
            }
            self.rows = rows
        }
    }

    /// A comparison or a curve: its plot, a note and its numbers.
    struct Panel {
        let plot: Plot
        let note: Line
        let table: Table
        /// Whether the table is narrow enough for a place beside the plot.
        var isBeside = true
    }

    enum Block {
        case paragraph(Line)
        /// A paragraph that readers must see.
        case notice(Line)
        /// Facts with their names.
        case facts([(name: String, value: Line)])
        case list([Line])
        case table(Table)
        case plot(Plot)
        case panels([Panel])
    }

    struct Section {
        let title: String
        let blocks: [Block]

        /// A section of `blocks`, or of one sentence if there are none.
        init(_ title: String, _ blocks: [Block], orElse none: String = "") {
            self.title = title
            self.blocks = blocks.isEmpty ? [.paragraph([.text(none)])] : blocks
        }

        /// A section of panels below a paragraph, or of one sentence if there are none.
        init(_ title: String, _ text: String = "", panels: [Panel], orElse none: String) {
            let head: [Block] = text.isEmpty ? [] : [.paragraph([.text(text)])]
            self.init(title, panels.isEmpty ? [] : head + [.panels(panels)], orElse: none)
        }
    }

    let title: String
    let opening: [Block]
    let sections: [Section]
}

extension [ReportDocument.Inline] {
    /// Joins lines with a separator between them.
    static func joining(_ lines: [Self], _ separator: String) -> Self {
        Self(lines.joined(separator: [.text(separator)]))
    }

    /// Puts lines below each other.
    static func stacking(_ lines: [Self]) -> Self {
        Self(lines.joined(separator: [.lineBreak]))
    }
}
