/// Two runs compared figure by figure.
public struct Comparison {
    /// The result for one figure.
    enum Change: String {
        /// The new figure is better by more than the threshold, and the ranges do not overlap.
        case better
        /// The new figure is worse by more than the threshold, and the ranges do not overlap.
        case worse
        /// The figures differ by no more than the threshold, or their ranges overlap.
        case same
    }

    /// A figure that both runs have.
    struct Pair {
        let old: BenchRun.Figure
        /// The figure of the new run, in the unit of the old one.
        let new: BenchRun.Figure
        let change: Change

        /// How much larger the new median is, as a part of the old one; nil if the old one is zero.
        var growth: Double? { Comparison.growth(from: old.median, to: new.median) }

        /// Whether the ranges of the two have a value in common.
        var overlaps: Bool { old.overlaps(new) }
    }

    /// The figures that both runs have, in the order of the new run.
    let pairs: [Pair]
    /// The figures that only the old run has.
    let onlyOld: [BenchRun.Figure]
    /// The figures that only the new run has.
    let onlyNew: [BenchRun.Figure]
    /// The change up to which figures count as the same, as a part of the old median.
    let threshold: Double

    var betterCount: Int { count(.better) }
    /// The number of figures that became worse.
    public var worseCount: Int { count(.worse) }
    var sameCount: Int { count(.same) }

    /// Compares two runs.
    ///
    /// - Parameters:
    ///   - old: The run to start from.
    ///   - new: The run that is judged.
    ///   - threshold: The change up to which figures count as the same, as in 0.15 for 15 %.
    public init(old: BenchRun, new: BenchRun, threshold: Double = 0.15) {
        precondition(threshold >= 0)
        let before = Dictionary(uniqueKeysWithValues: old.figures.map { ($0.key, $0) })
        pairs = new.figures.compactMap { figure in
            guard let old = before[figure.key], let new = figure.converted(to: old.unit) else {
                return nil
            }
            let change = Self.change(from: old, to: new, threshold: threshold)
            return Pair(old: old, new: new, change: change)
        }
        let paired = Set(pairs.map(\.old.key))
        onlyOld = old.figures.filter { !paired.contains($0.key) }
        onlyNew = new.figures.filter { !paired.contains($0.key) }
        self.threshold = threshold
    }

    private func count(_ change: Change) -> Int { pairs.count { $0.change == change } }

    private static func growth(from old: Double, to new: Double) -> Double? {
        guard old != new else { return 0 }
        guard old > 0 else { return nil }
        let growth = (new - old) / old
        return growth.isFinite ? growth : nil
    }

    private static func change(
        from old: BenchRun.Figure,
        to new: BenchRun.Figure,
        threshold: Double
    ) -> Change {
        if let growth = growth(from: old.median, to: new.median), abs(growth) <= threshold {
            return .same
        }
        guard !old.overlaps(new) else { return .same }
        return (new.median < old.median) == (new.better == .lower) ? .better : .worse
    }
}
