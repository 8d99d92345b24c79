import Testing

@testable import BenchReport

@Suite("Threads")
struct ThreadTests {
    static let line =
        #"{"row":"get.any","mode":"processes","n":16,"ops_per_s":774135,"own":1.76,"others":0.26}"#

    @Test("a line of the program is read")
    func readsLine() throws {
        let line = try #require(ThreadLine(Self.line))
        #expect(line.row == "get.any")
        #expect(line.mode == .processes)
        #expect(line.count == 16)
        #expect(line.operationsPerSecond == 774_135)
        #expect(line.others == 0.26)
    }

    @Test(
        "a malformed line is rejected, and with it the whole output",
        arguments: [
            "", "{", line.replacing("processes", with: "fibers"), line.replacing("16", with: "0"),
            line.replacing("get.any", with: ""), line.replacing("774135", with: "0"),
            line.replacing("ops_per_s", with: "rate"),
        ]
    )
    func rejectsLine(text: String) {
        #expect(ThreadLine(text) == nil)
        #expect(text.isEmpty || ThreadLine.lines(of: "\(Self.line)\n\(text)\n") == nil)
        #expect(ThreadLine.lines(of: "\(Self.line)\n\(Self.line)\n")?.count == 2)
    }

    @Test(
        "a name that was written can be read",
        arguments: [
            ThreadFigure("get", 16), ThreadFigure("get.any", 1, .processes),
            ThreadFigure("contains.closed.10000", 2, .ratio),
            ThreadFigure("swift.get", 16, .toTwo),
        ]
    )
    func namesRoundTrip(figure: ThreadFigure) {
        #expect(ThreadFigure(name: figure.name) == figure)
    }

    @Test("names are those of the targets")
    func names() {
        #expect(ThreadFigure("get", 16).name == "threads.get.16")
        #expect(ThreadFigure("get", 16, .processes).name == "threads.get.16.processes")
        #expect(ThreadFigure("get", 16, .ratio).name == "threads.get.16.ratio")
        #expect(ThreadFigure("get", 16, .toTwo).name == "threads.get.16.to-2")
    }

    @Test(
        "other names are those of other figures",
        arguments: ["gets.views.2", "threads.get", "threads.16", "threads..16", "threads.get.x"]
    )
    func otherNames(name: String) {
        #expect(ThreadFigure(name: name) == nil)
    }

    @Test("ratios are taken run by run, and scaling against two threads of the same run")
    func ratios() throws {
        func line(_ mode: String, _ count: Int, _ rate: Double) -> String {
            #"{"row":"get","mode":"\#(mode)","n":\#(count),"ops_per_s":\#(rate),"others":0}"#
        }
        let text = [
            line("threads", 2, 4e6), line("processes", 2, 5e6), line("threads", 2, 2e6),
            line("processes", 2, 4e6), line("threads", 16, 1e6), line("processes", 16, 8e6),
            line("threads", 16, 2e6), line("processes", 16, 4e6),
        ].joined(separator: "\n")
        let values = ThreadFigure.values(of: try #require(ThreadLine.lines(of: text)))
        let byName = Dictionary(
            uniqueKeysWithValues: values.map { ($0.figure.name, $0.values) }
        )
        #expect(
            byName == [
                "threads.get.2": [4, 2], "threads.get.2.processes": [5, 4],
                "threads.get.2.ratio": [0.8, 0.5], "threads.get.16": [1, 2],
                "threads.get.16.processes": [8, 4], "threads.get.16.ratio": [0.125, 0.5],
                "threads.get.16.to-2": [0.25, 1],
            ]
        )
    }

    @Test("a read that was measured on threads alone has no ratio to processes")
    func withoutProcesses() throws {
        let line = try #require(
            ThreadLine(#"{"row":"miss","mode":"threads","n":1,"ops_per_s":5e6,"others":0}"#)
        )
        #expect(ThreadFigure.values(of: [line]).map(\.figure.name) == ["threads.miss.1"])
    }

    @Test("two threads may lose a twentieth to two processes, sixteen threads a tenth")
    func bars() throws {
        func verdict(_ row: Int, _ change: [String: Double]) throws -> Bars.Verdict? {
            let outcomes = Bars.outcomes(of: try Fixtures.run(Fixtures.allBars(change)))
            return outcomes.first { $0.row.number == row }?.verdict
        }
        #expect(try verdict(23, ["threads.get.2.ratio": 0.95]) == .pass)
        #expect(try verdict(23, ["threads.get.2.ratio": 0.94]) == .fail)
        #expect(try verdict(23, ["threads.acquire.16.ratio": 0.9]) == .pass)
        #expect(try verdict(23, ["threads.acquire.16.ratio": 0.89]) == .fail)
        #expect(try verdict(24, ["threads.get.16.to-2": 0.89]) == .fail)
        #expect(try verdict(30, ["cold.mapped.to-pread": 1.21]) == .fail)
        #expect(try verdict(31, ["flat.ingest.n1m.ratio": 0.81]) == .fail)
        #expect(try verdict(32, ["first.100000.ratio": 2.01]) == .fail)
    }

    @Test("the report draws both lines of a read, and marks every number of threads")
    func report() throws {
        let run = try Fixtures.run(Fixtures.everything)
        let plot = try #require(
            ResultsPage.plots(run).first { $0.name == "threads.get.own" }
        )
        #expect(plot.svg.contains("threads on one store"))
        #expect(plot.svg.contains("processes with a store each"))
        #expect(plot.svg.contains(">16</text>"))
        let text = ResultsPage.markdown(run)
        for figure in run.figures where ThreadFigure(name: figure.name)?.row == "get.own" {
            let shown =
                figure.unit == "x" ? NumberText.factor(figure.median) : NumberText.spread(figure)
            #expect(text.contains(shown), "\(figure.name)")
        }
        #expect(!text.contains("`threads.get.own.16.processes`"))
    }
}
