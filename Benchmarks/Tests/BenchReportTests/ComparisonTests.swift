import Testing

@testable import BenchReport

@Suite("Comparison of two runs")
struct ComparisonTests {
    private func change(
        _ old: Double,
        _ new: Double,
        better: String = "lower",
        spread: Double = 0.001,
        units: (String, String) = ("ns", "ns")
    ) throws -> Comparison.Change? {
        let before = Fixtures.figure("a", old, units.0, better: better, spread: spread)
        let after = Fixtures.figure("a", new, units.1, better: better, spread: spread)
        let (first, second) = (try Fixtures.run([before]), try Fixtures.run([after]))
        return Comparison(old: first, new: second, threshold: 0.15).pairs.first?.change
    }

    @Test("a change beyond the threshold is better or worse, by the good direction")
    func judges() throws {
        #expect(try change(100, 120) == .worse)
        #expect(try change(100, 80) == .better)
        #expect(try change(100, 120, better: "higher") == .better)
        #expect(try change(100, 80, better: "higher") == .worse)
    }

    @Test("a change within the threshold, or with overlapping ranges, counts as the same")
    func same() throws {
        #expect(try change(100, 114) == .same)
        #expect(try change(100, 86) == .same)
        #expect(try change(100, 130, spread: 0.2) == .same)
        #expect(try change(0, 0) == .same)
    }

    @Test("a change from zero has a verdict and no percentage")
    func fromZero() throws {
        #expect(try change(0, 5) == .worse)
        #expect(try change(0, 5, better: "higher") == .better)
    }

    @Test("figures are compared in one unit, and not if their units measure different things")
    func units() throws {
        #expect(try change(1000, 1, units: ("ns", "us")) == .same)
        #expect(try change(1000, 1000, units: ("ns", "us")) == .worse)
        #expect(try change(1, 1, units: ("ns", "MB")) == nil)
    }

    @Test("the text has a line for each figure, lists the others, and ends with the counts")
    func text() throws {
        let old = try Fixtures.run([
            Fixtures.figure("slower", 100), Fixtures.figure("faster", 100),
            Fixtures.figure("steady", 100), Fixtures.figure("gone", 7),
            Fixtures.figure("curve", 100, x: 1000),
        ])
        let new = try Fixtures.run([
            Fixtures.figure("slower", 130), Fixtures.figure("faster", 50),
            Fixtures.figure("steady", 101), Fixtures.figure("fresh", 8),
            Fixtures.figure("curve", 100, x: 10_000),
        ])
        let text = Comparison(old: old, new: new, threshold: 0.15).text
        let lines = text.split(separator: "\n").map { line in
            line.split(separator: " ").joined(separator: " ")
        }
        #expect(lines.contains("slower dagstore 100 ns 130 ns +30.0 % apart worse"))
        #expect(lines.contains("faster dagstore 100 ns 50.0 ns -50.0 % apart better"))
        #expect(lines.contains("steady dagstore 100 ns 101 ns +1.0 % overlap same"))
        #expect(lines.contains("gone, dagstore: 7.00 ns"))
        #expect(lines.contains("curve at 10,000 entries, dagstore: 100 ns"))
        #expect(lines.last?.hasPrefix("3 compared: 1 better, 1 worse, 1 same") == true)
        #expect(lines.last?.hasSuffix("2 only in the old run, 2 only in the new") == true)
    }

    @Test("a run against itself changes nothing")
    func identity() throws {
        let run = try Fixtures.run(Fixtures.everything)
        let comparison = Comparison(old: run, new: run)
        #expect(comparison.sameCount == run.figures.count)
        #expect(comparison.betterCount + comparison.worseCount == 0)
        #expect(comparison.onlyOld.isEmpty && comparison.onlyNew.isEmpty)
    }
}
