/// What a report says, whatever it is written in.
///
/// `MarkdownWriter` and `PageWriter` write the same document, so that the two never differ.
struct ReportDocument {
    /// A piece of a line.
    enum Inline {
        /// Words, or text from outside.
        case text(String)
        /// A name, as it stands in the source or in a file.
        case code(String)
        case strong(String)
        /// A verdict, with whether it is a good one.
        case verdict(String, isGood: Bool)
        case lineBreak
    }

    typealias Line = [Inline]

    /// A table; each row has as many cells as there are columns.
    struct Table {
        struct Column {
            let title: String
            var isNumber = false
        }

        let caption: String
        let columns: [Column]
        var rows: [[Line]]
    }

    /// A comparison or a curve: its plot, its numbers, and what must be said about them.
    struct Panel {
        let title: String
        let name: String
        let note: Line
        let plot: Plot
        let table: Table
        /// Whether the table is narrow enough to stand beside the plot.
        let isBeside: Bool
    }

    enum Block {
        case paragraph(Line)
        /// Something that must not be overlooked.
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
    }

    let title: String
    let opening: [Block]
    let sections: [Section]
}

extension [ReportDocument.Inline] {
    /// Joins lines with a separator between them.
    static func joining(_ lines: [Self], separator: Self) -> Self {
        Self(lines.joined(separator: separator))
    }

    /// Puts lines below each other.
    static func stacking(_ lines: [Self]) -> Self { joining(lines, separator: [.lineBreak]) }
}
