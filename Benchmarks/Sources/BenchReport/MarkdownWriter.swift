/// Writes a document in GitHub's Markdown; plots are images in a folder beside it.
struct MarkdownWriter {
    private var text = ""

    static func write(_ document: ReportDocument) -> String {
        var writer = MarkdownWriter()
        writer.paragraph("# \(Escaping.markdown(document.title))")
        for block in document.opening { writer.write(block) }
        for section in document.sections {
            writer.paragraph("## \(Escaping.markdown(section.title))")
            for block in section.blocks { writer.write(block, under: section.title) }
        }
        return writer.text
    }

    private mutating func paragraph(_ line: String) {
        text += text.isEmpty ? line + "\n" : "\n\(line)\n"
    }

    private mutating func write(_ block: ReportDocument.Block, under title: String = "") {
        switch block {
        case .paragraph(let line): paragraph(Self.line(line))
        case .notice(let line): paragraph("> \(Self.line(line))")
        case .facts(let facts):
            let sentences = facts.map { "**\($0.name):** \(Self.line($0.value))" }
            paragraph(sentences.joined(separator: ". "))
        case .list(let lines):
            paragraph(lines.map { "- \(Self.line($0))" }.joined(separator: "\n"))
        case .table(let table):
            if table.caption != title { paragraph("**\(Escaping.markdown(table.caption))**") }
            write(table)
        case .plot(let plot): image(plot)
        case .panels(let panels):
            for panel in panels {
                paragraph("### \(Escaping.markdown(panel.plot.title))")
                paragraph(Self.line(panel.note))
                image(panel.plot)
                write(panel.table)
            }
        }
    }

    private mutating func image(_ plot: Plot) {
        paragraph("![\(Escaping.markdown(plot.title))](plots/\(plot.name).svg)")
    }

    private mutating func write(_ table: ReportDocument.Table) {
        let head = table.columns.map { Escaping.markdown($0.title) }
        let rule = table.columns.map { $0.isNumber ? "---:" : "---" }
        let rows = table.rows.map { $0.map { Self.line($0, isInTable: true) } }
        paragraph(([head, rule] + rows).map(Self.row).joined(separator: "\n"))
    }

    private static func row(_ cells: [String]) -> String {
        "| \(cells.joined(separator: " | ")) |"
    }

    private static func line(_ line: ReportDocument.Line, isInTable: Bool = false) -> String {
        line.map { piece in
            switch piece {
            case .text(let text): Escaping.markdown(text)
            case .code(let text): Escaping.markdownCode(text, isInTable: isInTable)
            case .strong(let text): text.isEmpty ? "" : "**\(Escaping.markdown(text))**"
            case .verdict(let text, _): Escaping.markdown(text)
            case .lineBreak: "<br>"
            }
        }.joined()
    }
}
