import Foundation
import Testing

@testable import BenchReport

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite("Report")
struct ReportTests {
    /// Runs of every sort: whole, empty, cut short, merged.
    static let runs: [String: @Sendable () throws -> BenchRun] = [
        "everything": { try Fixtures.run(Fixtures.everything) },
        "nothing": { try Fixtures.run([], isQuick: true, isComplete: false) },
        "merged": {
            BenchRun.merging([
                try Fixtures.run(Fixtures.everything, date: "old"),
                try Fixtures.run([Fixtures.figure("lonely", 6)], date: "new"),
            ])
        },
    ]

    private func run(_ name: String) throws -> BenchRun {
        let make = try #require(Self.runs[name])
        return try make()
    }

    private func isWellFormed(_ text: String) -> Bool {
        XMLParser(data: Data(text.utf8)).parse()
    }

    /// The cells of every line of Markdown that is a row of a table.
    private func tableRows(_ text: String) -> [[String]] {
        text.split(separator: "\n").filter { $0.hasPrefix("|") }.map { line in
            line.replacing("\\|", with: "¦").split(separator: "|")
                .map { String($0.trimmingCharacters(in: .whitespaces)) }
        }
    }

    @Test("each row is one line whose last cell is its verdict", arguments: runs.keys)
    func rows(name: String) throws {
        let run = try run(name)
        let text = ResultsPage.markdown(run)
        let table = try #require(text.components(separatedBy: "## Targets").last)
        let section = try #require(table.components(separatedBy: "## Every bar").first)
        let rows = tableRows(section).filter { Int($0.first ?? "") != nil }
        #expect(rows.map { $0.first } == Bars.rows.map { "\($0.number)" })
        #expect(rows.allSatisfy { $0.count == 7 })
        #expect(rows.map(\.last) == Bars.outcomes(of: run).map(\.verdict.rawValue))
    }

    @Test("losses come first, with both figures and the factor")
    func losses() throws {
        let text = ResultsPage.markdown(try run("everything"))
        let sections = text.split(separator: "\n").filter { $0.hasPrefix("## ") }
        #expect(sections.first == "## Where we lose")
        let rows = tableRows(text)
        #expect(rows.contains(["row 1, build", "300 ms [297, 303]", "≤ 120 ms", "2.50x"]))
        let loss = ["LMDB", "126 ns [125, 127]", "252 ns [249, 255]", "2.00x", "apart"]
        #expect(rows.contains(["Random lookup, hit"] + loss))
        let point = ["flat file", "90.0 ns [89.1, 90.9]", "110 ns [109, 111]", "1.22x", "apart"]
        #expect(rows.contains(["Random lookup against entries", "1 k entries"] + point))
    }

    @Test("a run without losses says so")
    func noLosses() throws {
        let run = try Fixtures.run(Fixtures.allBars())
        #expect(ResultsPage.markdown(run).contains("nothing in this run"))
        #expect(!ResultsPage.markdown(try self.run("everything")).contains("nothing in this run"))
    }

    @Test("a quick run and one without an end say so at the top")
    func notices() throws {
        let top = try #require(ResultsPage.markdown(run("nothing")).split(separator: "##").first)
        #expect(top.contains("quick run"))
        #expect(top.contains("did not come to its end"))
        let other = try #require(
            ResultsPage.markdown(run("everything")).split(separator: "##").first
        )
        #expect(!other.contains("quick run"))
        #expect(!other.contains("did not come to its end"))
    }

    @Test("figures of a merged run name their run")
    func origins() throws {
        let text = ResultsPage.markdown(try run("merged"))
        #expect(text.contains("6.00 ns (B)"))
        #expect(text.contains("300 ms [297, 303] (A)"))
        #expect(!ResultsPage.markdown(try run("everything")).contains("(A)"))
    }

    @Test("the report shows every figure of a run")
    func nothingIsLost() throws {
        let run = try run("everything")
        let text = ResultsPage.markdown(run)
        for figure in run.figures where ThreadFigure(name: figure.name) == nil {
            let name = Escaping.markdownCode(figure.name, isInTable: true)
            #expect(text.contains(name) || text.contains("`\(figure.name)`"), "\(figure.name)")
        }
        #expect(text.contains("RocksDB** was skipped: a \\| &lt;b&gt;"))
        #expect(text.contains("others used 0.4 cores"))
    }

    @Test("every table has rows as wide as its head, whatever the names are", arguments: runs.keys)
    func tables(name: String) throws {
        var width: Int?
        for line in ResultsPage.markdown(try run(name)).split(
            separator: "\n",
            omittingEmptySubsequences: false
        ) {
            guard line.hasPrefix("|") else {
                width = nil
                continue
            }
            let bars = line.replacing("\\|", with: "").count { $0 == "|" }
            #expect(bars == width ?? bars, "\(line)")
            width = bars
        }
    }

    @Test("every plot is well-formed, has a description, and is used once", arguments: runs.keys)
    func plots(name: String) throws {
        let run = try run(name)
        let plots = ResultsPage.plots(run)
        let text = ResultsPage.markdown(run)
        #expect(Set(plots.map(\.name)).count == plots.count)
        for (name, svg) in plots {
            #expect(isWellFormed(svg), "\(name)")
            #expect(svg.contains("<title>") && svg.contains("<desc"))
            #expect(svg.contains("prefers-color-scheme:dark"))
            #expect(!svg.contains("nan") && !svg.contains("inf\""))
            #expect(!svg.contains("var(") && !svg.contains("$"))
            #expect(text.components(separatedBy: "(plots/\(name).svg)").count == 2, "\(name)")
        }
        #expect(text.components(separatedBy: "(plots/").count == plots.count + 1)
    }

    @Test("the page is well-formed and needs no other file", arguments: runs.keys)
    func page(name: String) throws {
        let html = ReportPage.html(try run(name))
        #expect(html.hasPrefix("<!DOCTYPE html>\n"))
        #expect(isWellFormed(html))
        for forbidden in ["<script", "src=", "url(", "@import", "<link", "<b>"] {
            #expect(!html.contains(forbidden), "\(forbidden)")
        }
        #expect(html.contains("prefers-color-scheme:dark"))
    }

    @Test("text from outside is escaped for its place")
    func escapes() {
        #expect(Escaping.xml("<a href=\"x\">&'\u{1}") == "&lt;a href=&quot;x&quot;&gt;&amp;&#39; ")
        #expect(Escaping.markdown("a|b*c_d<e>`f`\n") == "a\\|b\\*c\\_d&lt;e&gt;\\`f\\` ")
        #expect(Escaping.markdown("[a](b) [1, 2]") == "[a]\\(b) [1, 2]")
        #expect(Escaping.markdownCode("a|b", isInTable: true) == "`a\\|b`")
        #expect(Escaping.markdownCode("a`b", isInTable: false) == "`` a`b ``")
        #expect(Escaping.slug("../Über <x>/y.z") == "ber-x-y.z")
    }

    @Test("names that differ only in characters that file names cannot have give different files")
    func slugs() throws {
        let lines = ["a<b", "a>b"].flatMap { name in
            [Fixtures.figure(name, 1), Fixtures.figure(name, 2, of: "lmdb")]
        }
        let names = ResultsPage.plots(try Fixtures.run(lines)).map(\.name)
        #expect(names == ["overview", "a-b", "a-b-2"])
    }

    @Test("a curve leaves out points at zero, and says how many")
    func zeros() throws {
        let plots = ResultsPage.plots(try run("everything"))
        let curve = try #require(plots.first { $0.name == "curve.lookup" })
        #expect(curve.svg.contains("1 point at or below zero not drawn"))
        let empty = try #require(plots.first { $0.name == "curve.shards.find" })
        #expect(empty.svg.contains("No point has a place on a logarithmic axis."))
    }
}
