/// Writes a document as a page of HTML with its plots inside.
struct PageWriter {
    private var text = ""

    static func write(_ document: ReportDocument) -> String {
        var writer = PageWriter()
        let title = Escaping.xml(document.title)
        writer.text = """
            <!DOCTYPE html>
            <html lang="en" xmlns="http://www.w3.org/1999/xhtml">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="color-scheme" content="light dark"/>
            <title>\(title)</title>
            <style>
            \(PageStyle.css)</style>
            </head>
            <body>
            <main>
            <header>
            <h1>\(title)</h1>

            """
        for block in document.opening { writer.write(block) }
        writer.contents(document.sections)
        writer.text += "</header>\n"
        for section in document.sections { writer.write(section) }
        writer.text += "</main>\n</body>\n</html>\n"
        return writer.text
    }

    private mutating func contents(_ sections: [ReportDocument.Section]) {
        let links = sections.map {
            "<a href=\"#\(Self.anchor($0))\">\(Escaping.xml($0.title))</a>"
        }
        text += "<nav aria-label=\"Contents\">\(links.joined(separator: "\n"))</nav>\n"
    }

    private mutating func write(_ section: ReportDocument.Section) {
        let anchor = Self.anchor(section)
        text += "<section aria-labelledby=\"\(anchor)\">\n"
        text += "<h2 id=\"\(anchor)\">\(Escaping.xml(section.title))</h2>\n"
        for block in section.blocks { write(block, under: section.title) }
        text += "</section>\n"
    }

    private static func anchor(_ section: ReportDocument.Section) -> String {
        "section-\(Escaping.slug(section.title))"
    }

    private mutating func write(_ block: ReportDocument.Block, under title: String = "") {
        switch block {
        case .paragraph(let line): text += "<p>\(Self.line(line))</p>\n"
        case .notice(let line):
            text += "<p class=\"notice\" role=\"note\">\(Self.line(line))</p>\n"
        case .facts(let facts):
            text += "<dl>\n"
            for (name, value) in facts {
                text += "<div><dt>\(Escaping.xml(name))</dt><dd>\(Self.line(value))</dd></div>\n"
            }
            text += "</dl>\n"
        case .list(let lines):
            text += "<ul>\n" + lines.map { "<li>\(Self.line($0))</li>\n" }.joined() + "</ul>\n"
        case .table(let table):
            if table.caption != title { text += "<h3>\(Escaping.xml(table.caption))</h3>\n" }
            write(table)
        case .plot(let plot): figure(plot.inline(hasTitle: true), style: "wide")
        case .panels(let panels):
            for panel in panels { write(panel) }
        }
    }

    private mutating func write(_ panel: ReportDocument.Panel) {
        let anchor = "panel-\(panel.plot.name)"
        let style = panel.isBeside ? "panel beside" : "panel"
        text += "<article class=\"\(style)\" aria-labelledby=\"\(anchor)\">\n"
        text += "<h3 id=\"\(anchor)\">\(Escaping.xml(panel.plot.title))</h3>\n"
        text += "<p class=\"note\">\(Self.line(panel.note))</p>\n<div class=\"pair\">\n"
        figure(panel.plot.inline(hasTitle: false), style: "")
        write(panel.table)
        text += "</div>\n</article>\n"
    }

    private mutating func figure(_ drawing: String, style: String) {
        text += style.isEmpty ? "<figure>\n" : "<figure class=\"\(style)\">\n"
        text += drawing + "</figure>\n"
    }

    private mutating func write(_ table: ReportDocument.Table) {
        let label = Escaping.xml(table.caption)
        text += "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"\(label)\">\n"
        text += "<table>\n<thead><tr>"
        for column in table.columns {
            let style = column.isNumber ? " class=\"number\"" : ""
            text += "<th scope=\"col\"\(style)>\(Escaping.xml(column.title))</th>"
        }
        text += "</tr></thead>\n<tbody>\n"
        for row in table.rows {
            text += "<tr>"
            for (column, cell) in zip(table.columns, row) {
                let style = column.isNumber ? " class=\"number\"" : ""
                text += "<td\(style)>\(Self.line(cell))</td>"
            }
            text += "</tr>\n"
        }
        text += "</tbody>\n</table>\n</div>\n"
    }

    private static func line(_ line: ReportDocument.Line) -> String {
        line.map { piece in
            switch piece {
            case .text(let text): Escaping.xml(text)
            case .code(let text): "<code>\(Escaping.xml(text))</code>"
            case .strong(let text): "<strong>\(Escaping.xml(text))</strong>"
            case .verdict(let text, let isGood):
                "<span class=\"\(isGood ? "pass" : "fail")\">\(Escaping.xml(text))</span>"
            case .lineBreak: "<br/>"
            }
        }.joined()
    }
}
