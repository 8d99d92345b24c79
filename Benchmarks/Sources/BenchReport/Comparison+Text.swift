extension Comparison {
    /// The comparison as a table for a terminal; the last line has the counts.
    public var text: String {
        var lines = pairs.isEmpty ? ["The runs have no figure in common."] : table
        lines += listing("only in the old run", onlyOld)
        lines += listing("only in the new run", onlyNew)
        lines.append("")
        lines.append(
            "\(pairs.count) compared: \(betterCount) better, \(worseCount) worse, "
                + "\(sameCount) same (within \(NumberText.significant(threshold * 100, trimmed: true))"
                + " % or ranges overlap); "
                + "\(onlyOld.count) only in the old run, \(onlyNew.count) only in the new"
        )
        return lines.joined(separator: "\n") + "\n"
    }

    private var table: [String] {
        let head = ["figure", "system", "old", "new", "change", "ranges", "verdict"]
        let rows = pairs.map { pair in
            [
                Self.label(pair.new),
                Self.line(pair.new.system),
                NumberText.quantity(pair.old.median, pair.old.unit),
                NumberText.quantity(pair.new.median, pair.new.unit),
                pair.growth.map(NumberText.change) ?? "from zero",
                pair.overlaps ? "overlap" : "apart",
                pair.change.rawValue,
            ]
        }
        let isNumber = [false, false, true, true, true, false, false]
        let widths = head.indices.map { column in
            ([head] + rows).map { $0[column].count }.max() ?? 0
        }
        let rule = widths.map { String(repeating: "-", count: $0) }
        return ([head, rule] + rows).map { row in
            let cells = row.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                return isNumber[column] ? space + row[column] : row[column] + space
            }
            return Self.trimmed(cells.joined(separator: "  "))
        }
    }

    private func listing(_ title: String, _ figures: [BenchRun.Figure]) -> [String] {
        guard !figures.isEmpty else { return [] }
        let lines = figures.map { figure in
            "  \(Self.label(figure)), \(Self.line(figure.system)): "
                + NumberText.quantity(figure.median, figure.unit)
        }
        return ["", "\(title):"] + lines
    }

    /// The name of a figure and its place on the axis.
    private static func label(_ figure: BenchRun.Figure) -> String {
        guard let x = figure.x else { return line(figure.name) }
        return line("\(figure.name) at \(NumberText.count(x)) \(figure.axis ?? "")")
    }

    /// Text from outside on one line and without control characters.
    private static func line(_ text: String) -> String {
        String(text.map { $0.isNewline || $0.unicodeScalars.contains { $0.value < 32 } ? " " : $0 })
    }

    private static func trimmed(_ text: String) -> String {
        var text = text[...]
        while text.last == " " { text = text.dropLast() }
        return String(text)
    }
}
