/// The units that figures come in, and the ones they are shown in.
enum MeasureUnit {
    /// Units that measure the same thing, the smallest first, each with its power of ten.
    private struct Ladder {
        let rungs: [(unit: String, power: Int)]
    }

    private static let time = Ladder(rungs: [("ns", -9), ("us", -6), ("ms", -3), ("s", 0)])
    private static let size = Ladder(
        rungs: [("B", 0), ("KB", 3), ("MB", 6), ("GB", 9), ("TB", 12)]
    )
    private static let flow = Ladder(rungs: [("B/s", 0), ("KB/s", 3), ("MB/s", 6), ("GB/s", 9)])
    private static let rate = Ladder(rungs: [("1/s", 0), ("k/s", 3), ("M/s", 6), ("G/s", 9)])

    private static func ladder(of unit: String) -> (ladder: Ladder, power: Int)? {
        for ladder in [time, size, flow, rate] {
            for rung in ladder.rungs where rung.unit == unit { return (ladder, rung.power) }
        }
        return nil
    }

    /// Ten to the power of `exponent`, exact for powers that are not negative and small.
    static func tenTo(_ exponent: Int) -> Double {
        let magnitude = (0..<abs(exponent)).reduce(1.0) { power, _ in power * 10 }
        return exponent < 0 ? 1 / magnitude : magnitude
    }

    /// The factor from `unit` to `other`; nil if they measure different things.
    static func factor(from unit: String, to other: String) -> Double? {
        guard unit != other else { return 1 }
        guard let from = ladder(of: unit), let to = ladder(of: other) else { return nil }
        guard from.ladder.rungs[0].unit == to.ladder.rungs[0].unit else { return nil }
        return tenTo(from.power - to.power)
    }

    /// The unit in which `value` reads best: at least 1, and below 1,000 if there is such a unit.
    ///
    /// A rate stays in the unit it came in while it can, because 60,000/s reads better than 60 k/s.
    static func display(_ value: Double, _ unit: String) -> String {
        guard value != 0, value.isFinite, let (ladder, power) = ladder(of: unit) else {
            return unit
        }
        let magnitude = abs(value) * 1.0005
        if ladder.rungs[0].unit == "1/s" {
            let plain = magnitude * tenTo(power)
            return plain >= (power >= 6 ? 1e5 : 1e6) ? "M/s" : "1/s"
        }
        let fitting = ladder.rungs.last { magnitude * tenTo(power - $0.power) >= 1 }
        return (fitting ?? ladder.rungs[0]).unit
    }

    /// The mark of ten to the power of `exponent` on an axis in `unit`, as in `10 us`.
    static func tick(_ exponent: Int, _ unit: String) -> String {
        let counts = [(0, ""), (3, "k"), (6, "M"), (9, "G"), (12, "T")]
        guard let (ladder, power) = ladder(of: unit) else {
            let suffix = unit.isEmpty || unit == "x" ? unit : " \(unit)"
            guard (-4...14).contains(exponent) else { return "1e\(exponent)\(suffix)" }
            let (step, letter) = counts.last { $0.0 <= exponent } ?? (0, "")
            let number = NumberText.significant(tenTo(exponent - step), trimmed: true)
            return letter.isEmpty ? number + suffix : "\(number) \(letter)\(suffix)"
        }
        let plain = exponent + power
        let rung = ladder.rungs.last { $0.power <= plain } ?? ladder.rungs[0]
        return NumberText.joined(
            NumberText.significant(tenTo(plain - rung.power), trimmed: true),
            rung.unit
        )
    }
}
