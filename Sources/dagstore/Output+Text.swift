internal import SystemPackage

extension Output {
    /// Prints the headings of a table, if somebody is watching; a program counts lines.
    mutating func heading(of table: Table) throws {
        guard Kernel.isTerminal(.standardOutput) else { return }
        try line(table.heading)
    }

    /// Prints a row of a list: on a terminal in columns, and before the first row the headings.
    ///
    /// - Parameters:
    ///   - row: The fields.
    ///   - list: The list it belongs to.
    ///   - text: The line that a pipe gets; else the fields that are not empty, with two spaces between them.
    /// - Throws: As `line`.
    mutating func row(
        _ row: [String],
        of list: inout RowList,
        piped text: String? = nil
    ) throws(OutputError) {
        guard Kernel.isTerminal(.standardOutput) else {
            return try line(text ?? row.filter { !$0.isEmpty }.joined(separator: "  "))
        }
        if !list.hasHeading { try line(list.table.heading) }
        list.hasHeading = true
        try line(list.table.line(row))
    }

    /// Prints names with their values; a name without text goes on with the one before.
    mutating func fields(_ fields: [(name: String, value: String)]) throws {
        let width = fields.map(\.name.count).max() ?? 0
        for (name, value) in fields { try line("\(name.padded(to: width))  \(value)") }
    }
}

/// A list whose rows come one by one.
struct RowList {
    /// Its columns.
    var table: Table
    fileprivate var hasHeading = false

    /// A list of `columns`.
    init(_ columns: [Table.Column]) { table = Table(columns) }
}
