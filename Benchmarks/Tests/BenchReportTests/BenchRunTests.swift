import Testing

@testable import BenchReport

@Suite("Lines of a run")
struct BenchRunTests {
    @Test("a run with all kinds of lines is read completely")
    func readsAll() throws {
        let dataset =
            #"{"kind":"dataset","name":"n1m","blocks":1000000,"blockSize":256,"seed":2,"#
            + #""bytes":294000059,"sha256":"b2d9"}"#
        let percentiles = #","percentiles":{"p50":1,"p99.9":3}"#
        let run = try Fixtures.run([
            dataset,
            Fixtures.figure("lookup", 247, extra: percentiles),
            Fixtures.figure("curve.lookup", 100, of: "lmdb", x: 1000),
            #"{"kind":"skipped","workload":"lookup","system":"rocksdb","reason":"not here"}"#,
            #"{"kind":"busy","workload":"lookup","detail":"others"}"#,
        ])
        #expect(run.origins.count == 1)
        #expect(run.origin.commit == "c0ffee")
        #expect(run.origin.memoryBytes == 25_000_000_000)
        #expect(run.datasets.map(\.seed) == [2])
        #expect(run.figure("lookup")?.percentiles == ["p50": 1, "p99.9": 3])
        #expect(run.figure("curve.lookup", of: "lmdb", at: 1000)?.axis == "entries")
        #expect(run.figure("curve.lookup", of: "lmdb") == nil)
        #expect(run.skipped.map(\.system) == ["rocksdb"])
        #expect(run.busy.map(\.detail) == ["others"])
        #expect(run.isComplete)
        #expect(run.seconds == 512.2)
        #expect(!run.isQuick)
    }

    @Test("unknown kinds, unknown keys and empty lines are ignored")
    func ignoresTheUnknown() throws {
        let run = try Fixtures.run([
            #"{"kind":"weather","value":"rain","min":[]}"#,
            "",
            Fixtures.figure("lookup", 247, extra: #","colour":{"r":1}"#),
        ])
        #expect(run.figures.map(\.name) == ["lookup"])
    }

    @Test("a last line that a crash truncated at any byte is ignored")
    func toleratesTruncation() throws {
        let whole = Fixtures.figure("second", 2)
        let head = [Fixtures.runLine(), Fixtures.figure("first", 1)].joined(separator: "\n") + "\n"
        for count in 0..<whole.count {
            let run = try BenchRun(lines: head + whole.prefix(count))
            #expect(run.figures.map(\.name) == ["first"], "cut after \(count) bytes")
            #expect(!run.isComplete)
        }
        #expect(try BenchRun(lines: head + whole).figures.count == 2)
    }

    @Test(
        "the error of a malformed line has its number",
        arguments: [
            ("{\"kind\":\"figure\"\n", BenchRunError.Code.malformedLine),
            ("[]\n", .malformedLine),
            ("{}\n", .malformedLine),
            (#"{"kind":"figure"}"#, .malformedValue),
            (Fixtures.figure("a", 1, better: "more"), .malformedValue),
            (
                Fixtures.figure("a", 1).replacing(#""runs":5"#, with: #""runs":"5""#),
                .malformedValue
            ),
            (Fixtures.figure("a", 1e31), .malformedValue),
            (Fixtures.figure("a", 1, spread: -0.5), .disorderedFigure),
            (Fixtures.runLine(), .secondRun),
            (#"{"kind":"skipped","workload":"a"}"#, .malformedValue),
            (#"{"kind":"dataset","name":"a"}"#, .malformedValue),
        ]
    )
    func refuses(line: String, code: BenchRunError.Code) throws {
        let head = [Fixtures.runLine(), Fixtures.figure("first", 1)].joined(separator: "\n") + "\n"
        let error = #expect(throws: BenchRunError.self) { try BenchRun(lines: head + line) }
        #expect(error?.code == code)
        #expect(error?.line == 3)
    }

    @Test(
        "a file without a run line at its start is refused",
        arguments: ["", "\n\n", Fixtures.endLine + "\n", Fixtures.figure("a", 1)]
    )
    func needsARun(lines: String) {
        let error = #expect(throws: BenchRunError.self) { try BenchRun(lines: lines) }
        #expect(error?.code == .missingRun)
    }

    @Test("an unknown version is refused")
    func refusesVersion() {
        let line = Fixtures.runLine().replacing(#""version":1"#, with: #""version":2"#)
        let error = #expect(throws: BenchRunError.self) { try BenchRun(lines: line) }
        #expect(error?.code == .unknownVersion)
    }

    @Test(
        "of equal figures the later run's wins, at the place of the first and with its own origin"
    )
    func merges() throws {
        let old = try Fixtures.run(
            [
                Fixtures.figure("a", 1), Fixtures.figure("b", 2), Fixtures.figure("b", 9, x: 10),
                #"{"kind":"skipped","workload":"work","system":"lmdb","reason":"not here"}"#,
                #"{"kind":"skipped","workload":"other","system":"lmdb","reason":"not here"}"#,
            ],
            date: "old"
        )
        let new = try Fixtures.run(
            [Fixtures.figure("a", 3), Fixtures.figure("a", 4, of: "lmdb")],
            date: "new",
            isQuick: true,
            isComplete: false
        )
        let merged = BenchRun.merging([old, new])
        #expect(merged.figures.map(\.median) == [3, 2, 9, 4])
        #expect(merged.figures.map(\.origin.date) == ["new", "old", "old", "new"])
        #expect(merged.origins.map(\.date) == ["old", "new"])
        #expect(merged.origin.date == "new")
        #expect(merged.isQuick)
        #expect(!merged.isComplete)
        #expect(merged.seconds == nil)
        #expect(merged.skipped.map(\.workload) == ["other"])
        #expect(BenchRun.merging([new, old]).figures.map(\.median) == [1, 4, 2, 9])
    }

    @Test("a run without remaining figures is no origin")
    func dropsOrigins() throws {
        let old = try Fixtures.run([Fixtures.figure("a", 1)], date: "old", isQuick: true)
        let new = try Fixtures.run([Fixtures.figure("a", 3)], date: "new")
        let merged = BenchRun.merging([old, new])
        #expect(merged.origins.map(\.date) == ["new"])
        #expect(!merged.isQuick)
    }
}
