internal import SystemPackage

extension Output {
    /// Prints the headings of a table to a terminal; a program that reads a pipe counts lines.
    mutating func heading(of table: Table) throws {
        guard Console.isTerminal(.output) else { return }
        try line(table.heading)
    }

    /// Prints a row of a list: to a terminal in columns, with the headings before the first row.
    ///
    /// - Parameters:
    ///   - row: The fields.
    ///   - list: The list of the row.
    ///   - text: The line for a pipe; else the fields that are not empty, with two spaces between them.
    /// - Throws: As `line`.
    mutating func row(
        _ row: [String],
        of list: inout RowList,
        piped text: String? = nil
    ) throws(OutputError) {
        guard Console.isTerminal(.output) else {
            return try line(text ?? row.filter { !$0.isEmpty }.joined(separator: "  "))
        }
        if !list.hasHeading { try line(list.table.heading) }
        list.hasHeading = true
        try line(list.table.line(row))
    }

    /// Prints names with their values; an empty name continues the one before.
    mutating func fields(_ fields: [(name: String, value: String)]) throws {
        let width = fields.map(\.name.count).max() ?? 0
        for (name, value) in fields { try line("\(name.padded(to: width))  \(value)") }
    }
}

/// A list that prints its rows one by one.
struct RowList {
    /// Its columns.
    var table: Table
    fileprivate var hasHeading = false

    /// Makes a list of `columns`.
    init(_ columns: [Table.Column]) { table = Table(columns) }
}
