internal import AdminMessages

/// Rows of text in columns.
struct Table {
    /// A column.
    struct Column {
        /// Its heading.
        let heading: String
        /// Whether it is aligned to the right.
        let isNumber: Bool
        /// The widest text so far.
        var width: Int

        /// A column of text.
        static func text(_ heading: String, width: Int = 0) -> Column {
            Column(heading: heading, isNumber: false, width: max(width, heading.count))
        }

        /// A column of numbers.
        static func number(_ heading: String, width: Int = 0) -> Column {
            Column(heading: heading, isNumber: true, width: max(width, heading.count))
        }
    }

    private var columns: [Column]

    /// Makes a table of `columns`; the last one has any width.
    init(_ columns: [Column]) { self.columns = columns }

    /// Widens the columns for a row.
    mutating func measure(_ row: [String]) {
        for (index, text) in row.enumerated() {
            columns[index].width = max(columns[index].width, text.printable.count)
        }
    }

    /// The headings as a row.
    var heading: String { line(columns.map(\.heading)) }

    /// A row as a line.
    func line(_ row: [String]) -> String {
        var line = ""
        for (column, text) in zip(columns, row) {
            if !line.isEmpty { line += "  " }
            let text = text.printable
            line += column.isNumber ? text.aligned(to: column.width) : text.padded(to: column.width)
        }
        while line.last == " " { line.removeLast() }
        return line
    }
}
