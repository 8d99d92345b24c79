import Testing

@testable import BenchReport

@Suite("Bars")
struct BarsTests {
    @Test("the rows are 1 to 18 and 23 to 32, and no figure has two bars")
    func rowsAreWhole() {
        #expect(Bars.rows.map(\.number) == Array(1...32))
        let figures = Bars.rows.flatMap(\.bars).map(\.figure)
        #expect(figures.count == 73)
        #expect(Set(figures).count == figures.count)
        let withPeers = Bars.rows.filter { !$0.peers.isEmpty }.map(\.number)
        #expect(withPeers == [1, 2, 3, 4, 7, 9, 16, 17, 31, 32])
    }

    @Test("a row passes if all of its bars hold")
    func passes() throws {
        let outcomes = Bars.outcomes(of: try Fixtures.run(Fixtures.allBars()))
        #expect(outcomes.map(\.verdict) == Array(repeating: .pass, count: 28))
    }

    @Test(
        "a figure keeps a bar up to its target, and misses it beyond",
        arguments: Bars.rows.flatMap(\.bars)
    )
    func holdsOnTheTarget(bar: Bars.Bar) throws {
        func verdicts(_ factor: Double) throws -> [Int] {
            let lines = Fixtures.allBars([bar.figure: bar.target * factor])
            let outcomes = Bars.outcomes(of: try Fixtures.run(lines))
            return outcomes.filter { $0.verdict == .fail }.map(\.row.number)
        }
        let row = try #require(Bars.rows.first { $0.bars.contains(bar) })
        #expect(try verdicts(1) == [])
        #expect(try verdicts(bar.comparison == .atMost ? 1.01 : 0.99) == [row.number])
    }

    @Test("a bar without a figure fails its row", arguments: Bars.rows.flatMap(\.bars))
    func missingFails(bar: Bars.Bar) throws {
        let lines = Fixtures.allBars().filter { !$0.contains("\"\(bar.figure)\"") }
        let outcomes = Bars.outcomes(of: try Fixtures.run(lines))
        let failed = outcomes.filter { $0.verdict == .fail }
        #expect(failed.flatMap(\.row.bars).contains(bar))
        #expect(failed.count == 1)
    }

    @Test("targets are scaled by the machine's speed of searching and hashing, except for sizes")
    func scales() throws {
        // Twice as long for a search, half as long for a hash.
        let lines = [
            Fixtures.figure("line.lmdb.get", 1622, "ns"),
            Fixtures.figure("line.sha256.262144", 3.78, "GB/s"),
        ]
        let bars = Bars.outcomes(of: try Fixtures.run(lines)).flatMap(\.bars)
        func target(_ name: String) -> Double? { bars.first { $0.bar.figure == name }?.target }
        #expect(target("lookup.hit.confirmed") == 700)
        #expect(target("gets.batch8") == 4)
        #expect(target("build.n1m") == 0.06)
        #expect(target("lazy.10k") == 120_000)
        #expect(target("index.smallest.total") == 38.2)
        let text = bars.first { $0.bar.figure == "build.n1m" }?.targetText
        #expect(text == "≤ 60 ms (≤ 120 ms there)")
    }

    @Test("a peer's figure does not keep a bar of the store")
    func peersDoNotCount() throws {
        let run = try Fixtures.run([Fixtures.figure("register.n100k", 0.01, "s", of: "lmdb")])
        #expect(Bars.outcomes(of: run)[2].verdict == .fail)
    }

    @Test("a figure in another unit of the same kind is converted, one of another kind is missing")
    func converts() throws {
        func holds(_ value: Double, _ unit: String) throws -> Bool {
            let lines = [Fixtures.figure("lookup.ordered.confirmed", value, unit)]
            return Bars.outcomes(of: try Fixtures.run(lines))[7].verdict == .pass
        }
        #expect(try holds(0.05, "us"))
        #expect(try !holds(0.07, "us"))
        #expect(try !holds(1, "MB"))
    }

    @Test("the margin says how many times better than its target a figure is")
    func margins() throws {
        let lines = Fixtures.allBars(["build.n1m": 0.24, "gets.views.1": 5, "lookup.heap": 0])
        let bars = Bars.outcomes(of: try Fixtures.run(lines)).flatMap(\.bars)
        func margin(_ name: String) -> Double? { bars.first { $0.bar.figure == name }?.margin }
        #expect(margin("build.n1m") == 0.5)
        #expect(margin("gets.views.1") == 2)
        #expect(margin("lookup.heap") == nil)
    }

    @Test("the ratio compares with the best peer, in the good direction")
    func ratios() throws {
        let run = try Fixtures.run([
            Fixtures.figure("peers.lookup.hit", 100),
            Fixtures.figure("peers.lookup.hit", 400, of: "leveldb"),
            Fixtures.figure("peers.lookup.hit", 0.2, "us", of: "lmdb"),
            Fixtures.figure("peers.verify.n100k", 1, "GB/s", better: "higher"),
            Fixtures.figure("peers.verify.n100k", 4, "GB/s", of: "flat", better: "higher"),
            Fixtures.figure("peers.verify.n100k", 0.5, "GB/s", of: "lmdb", better: "higher"),
            Fixtures.figure("peers.size", 0, "B/entry"),
            Fixtures.figure("peers.size", 4, "B/entry", of: "lmdb"),
        ])
        let outcomes = Bars.outcomes(of: run)
        #expect(outcomes[6].peers.map(\.ratio) == [2, nil])
        #expect(outcomes[6].peers.first?.best?.system == "lmdb")
        #expect(outcomes[16].peers.map(\.ratio) == [0.25])
        #expect(outcomes[16].peers.first?.best?.system == "flat")
        #expect(outcomes[8].peers.map(\.ratio) == [nil])
        #expect(outcomes[4].peers.isEmpty)
    }
}
