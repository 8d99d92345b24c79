import Histogram

/// A figure of one workload, with a value for each run.
struct Figure {
    /// The name of the peer that did the work; nil for the store.
    var system = "dagstore"
    let name: String
    let unit: String
    /// Whether more is better.
    var isRate: Bool
    let values: [Double]
    /// Single times over all runs, in the unit.
    var percentiles: [String: Double]?
    /// The place on a cost curve.
    var point: Point?

    /// A place on a cost curve.
    struct Point {
        /// The number.
        let count: Int
        /// The things that are counted: entries or shards.
        let axis: String
    }

    init(
        name: String,
        unit: String,
        values: [Double],
        system: String = "dagstore",
        percentiles: [String: Double]? = nil,
        point: Point? = nil
    ) {
        self.name = name
        self.unit = unit
        self.values = values
        self.system = system
        self.percentiles = percentiles
        self.point = point
        isRate = unit.hasSuffix("/s")
    }

    /// The middle of the values.
    var median: Double {
        let sorted = values.sorted()
        guard let last = sorted.last else { return 0 }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1
            ? sorted[middle] : (sorted[middle - 1] + min(last, sorted[middle])) / 2
    }
}

/// Single times, kept as a histogram of three digits.
struct Latencies {
    private var histogram = Histogram<UInt64>(
        highestTrackableValue: 60_000_000_000,
        numberOfSignificantValueDigits: .three
    )
    private var run = Histogram<UInt64>(
        highestTrackableValue: 60_000_000_000,
        numberOfSignificantValueDigits: .three
    )
    private var medians: [Double] = []
    private var highs: [Double] = []

    /// Adds a time in nanoseconds.
    mutating func record(_ nanoseconds: UInt64) {
        histogram.record(min(nanoseconds, 60_000_000_000))
        run.record(min(nanoseconds, 60_000_000_000))
    }

    /// Ends one of several runs.
    mutating func endRun() {
        medians.append(Double(run.valueAtPercentile(50)))
        highs.append(Double(run.valueAtPercentile(99)))
        run.reset()
    }

    /// The medians and the 99th percentiles of the runs, as figures `name.p50` and `name.p99`, with the percentiles of
    /// all of them.
    func figures(_ name: String, unit: String = "ns", scale: Double = 1) -> [Figure] {
        var percentiles: [String: Double] = [:]
        for (label, part) in [("p50", 50.0), ("p99", 99), ("p99.9", 99.9)] {
            percentiles[label] = Double(histogram.valueAtPercentile(part)) / scale
        }
        return [
            Figure(
                name: name + ".p50",
                unit: unit,
                values: medians.map { $0 / scale },
                percentiles: percentiles
            ),
            Figure(name: name + ".p99", unit: unit, values: highs.map { $0 / scale }),
        ]
    }
}
