internal import SystemPackage

extension Output {
    /// Prints the headings of a table, if somebody is watching; a program counts lines.
    mutating func heading(of table: Table) throws {
        guard Kernel.isTerminal(.standardOutput) else { return }
        try line(table.heading)
    }

    /// Prints names with their values; a name without text goes on with the one before.
    mutating func fields(_ fields: [(name: String, value: String)]) throws {
        let width = fields.map(\.name.count).max() ?? 0
        for (name, value) in fields { try line("\(name.padded(to: width))  \(value)") }
    }
}
