import Testing

@testable import BenchReport

@Suite("Numbers for people")
struct NumberTextTests {
    @Test(
        "three digits count, in a unit that fits",
        arguments: [
            (247.1, "ns", "247 ns"),
            (1312, "ns", "1.31 us"),
            (999.7, "ns", "1.00 us"),
            (0.0871, "s", "87.1 ms"),
            (0.25, "s", "250 ms"),
            (1234.5, "s", "1,230 s"),
            (0.5, "ns", "0.500 ns"),
            (38.16, "B/entry", "38.2 B/entry"),
            (71234, "1/s", "71,200/s"),
            (2.9, "M/s", "2.90 M/s"),
            (0.0475, "M/s", "47,500/s"),
            (4_295_649_339, "B", "4.30 GB"),
            (0.51, "GB/s", "510 MB/s"),
            (1.07, "x", "1.07x"),
            (0, "MB", "0 MB"),
            (-0.0, "s", "0 s"),
            (1e-20, "x", "0x"),
            (-3, "MB", "-3.00 MB"),
            (2.5e12, "x", "2.50e12x"),
            (0.00001234, "x", "1.23e-5x"),
            (.infinity, "ns", "not a number ns"),
        ]
    )
    func quantity(value: Double, unit: String, text: String) {
        #expect(NumberText.quantity(value, unit) == text)
    }

    @Test("targets have no zeros at the end")
    func targets() {
        let texts = Bars.rows.flatMap(\.bars).map { $0.text(of: $0.target) }
        #expect(
            texts.prefix(6) == ["≤ 120 ms", "≤ 250 ms", "≤ 60 ms", "≤ 50 ms", "≤ 2 us", "≤ 20 us"]
        )
        #expect(texts.contains("≥ 60,000/s"))
        #expect(texts.contains("≤ 38.2 B/entry"))
        #expect(texts.contains("≥ 2.5 M/s"))
    }

    @Test("a factor close to 1 does not read as 1")
    func factors() {
        #expect(NumberText.factor(2.314) == "2.31x")
        #expect(NumberText.factor(1) == "1.00x")
        #expect(NumberText.factor(1.001) == "1.001x")
        #expect(NumberText.factor(0.998) == "0.998x")
        #expect(NumberText.factor(0.99999) == "just under 1x")
    }

    @Test("the range has the unit of the median")
    func spread() throws {
        let run = try Fixtures.run([Fixtures.figure("a", 1000, spread: 0.1)])
        #expect(NumberText.spread(run.figures[0]) == "1.00 us [0.900, 1.10]")
    }

    @Test(
        "decades of an axis have units",
        arguments: [
            (3, "", "1 k"), (8, "", "100 M"), (0, "", "1"), (-2, "", "0.01"), (20, "", "1e20"),
            (1, "ns", "10 ns"), (4, "ns", "10 us"), (-3, "s", "1 ms"), (7, "B", "10 MB"),
            (-1, "M/s", "100 k/s"), (1, "B/entry", "10 B/entry"), (3, "s", "1,000 s"),
        ]
    )
    func ticks(exponent: Int, unit: String, text: String) {
        #expect(MeasureUnit.tick(exponent, unit) == text)
    }

    @Test("a count is shortened only if nothing is lost")
    func counts() {
        let values: [Double] = [1, 999, 1000, 1500, 100_000, 1_234_567, 123_400, 1e8, 0]
        let texts = ["1", "999", "1 k", "1.5 k", "100 k", "1,234,567", "123,400", "100 M", "0"]
        #expect(values.map(NumberText.round) == texts)
    }
}
