/// The figures of one run of the benchmarks, or of several merged runs.
public struct BenchRun: Hashable, Sendable {
    /// Where, when and how a run measured.
    struct Origin: Hashable, Sendable, Decodable {
        /// When the run began, in ISO 8601.
        let date: String
        /// The commit that was measured, in hexadecimal; empty if unknown.
        let commit: String
        /// Whether the working copy had changes that `commit` does not have.
        let isDirty: Bool?
        /// The processor's name.
        let machine: String
        let cores: Int?
        let memoryBytes: Int?
        let os: String
        /// The kernel's name and version.
        let kernel: String?
        /// The compiler's name and version.
        let toolchain: String
        /// Whether sizes and repeats were reduced to save time.
        let isQuick: Bool
        /// The number of measurements of each figure.
        let runs: Int?
        /// The command that makes such a run.
        let command: String
        /// The machine's load when the run began.
        let load: Double?
    }

    /// A CAR that a run measured with.
    struct Dataset: Hashable, Sendable, Decodable {
        /// The name that figures use.
        let name: String
        let blocks: Int
        /// The size of each block in bytes.
        let blockSize: Int
        /// The seed of its bytes, if known.
        let seed: UInt64?
        /// The size of the file in bytes.
        let bytes: Int
        /// The digest of the file, in hexadecimal.
        let sha256: String
    }

    /// The end of a figure that is good: `lower` as with a time, `higher` as with a rate.
    enum Direction: String, Hashable, Sendable, Decodable {
        case lower
        case higher

        /// The direction for people.
        var text: String { "\(rawValue) is better" }
    }

    /// One quantity that a run measured several times.
    @dynamicMemberLookup
    struct Figure: Hashable, Sendable {
        /// The values of a line.
        struct Values: Hashable, Sendable, Decodable {
            /// The workload that measured it.
            let workload: String
            /// The name of the work.
            ///
            /// Systems did the same work if `name` and `x` are equal.
            let name: String
            /// The system that did the work: `dagstore` or a peer.
            let system: String
            /// The unit of all values.
            fileprivate(set) var unit: String
            let better: Direction
            /// The number of measurements.
            let runs: Int
            fileprivate(set) var min: Double
            /// The value in the middle, which bars and comparisons use.
            fileprivate(set) var median: Double
            fileprivate(set) var max: Double
            /// Percentiles such as `p99`, in the same unit.
            fileprivate(set) var percentiles: [String: Double]?
            /// The place on the axis of a cost curve, if the figure is a point of one.
            fileprivate(set) var x: Double?
            /// What `x` counts: `entries` or `shards`.
            fileprivate(set) var axis: String?
        }

        fileprivate(set) var values: Values
        /// The run that measured it.
        let origin: Origin

        var percentiles: [String: Double] { values.percentiles ?? [:] }

        subscript<Value>(dynamicMember path: KeyPath<Values, Value>) -> Value {
            values[keyPath: path]
        }
    }

    /// A workload that a run left out.
    struct Skip: Hashable, Sendable, Decodable {
        let workload: String
        /// The system that would have done the work; nil for all systems.
        let system: String?
        let reason: String
    }

    /// A time in which other processes used the machine.
    struct BusySpell: Hashable, Sendable {
        let workload: String
        let detail: String
        /// The run that saw it.
        let origin: Origin
    }

    /// The runs that figures came from, in the order of merging; never empty.
    let origins: [Origin]
    /// The data sets, each once.
    let datasets: [Dataset]
    /// The figures in the order of the lines; each name, system and place on the axis once.
    let figures: [Figure]
    let skipped: [Skip]
    let busy: [BusySpell]
    /// Whether every run came to its end.
    let isComplete: Bool
    /// The time that all runs took together; nil unless every run came to its end.
    let seconds: Double?

    /// The latest run that figures came from.
    var origin: Origin { origins[origins.count - 1] }

    /// Whether any of the runs was quick.
    var isQuick: Bool { origins.contains(where: \.isQuick) }

    /// Returns the figure of one system at one place of an axis; nil if the run does not have it.
    func figure(_ name: String, of system: String = "dagstore", at x: Double? = nil) -> Figure? {
        figures.first { $0.name == name && $0.system == system && $0.x == x }
    }
}

extension BenchRun.Figure {
    /// The parts that are equal in the same figure of another run.
    struct Key: Hashable {
        let name: String
        let system: String
        let x: Double?
    }

    var key: Key { Key(name: self.name, system: self.system, x: self.x) }

    /// The figure in another unit; nil if the units measure different things.
    func converted(to unit: String) -> Self? {
        guard let factor = MeasureUnit.factor(from: self.unit, to: unit) else { return nil }
        guard unit != self.unit else { return self }
        var figure = self
        figure.values.unit = unit
        figure.values.min *= factor
        figure.values.median *= factor
        figure.values.max *= factor
        figure.values.percentiles = percentiles.mapValues { $0 * factor }
        return figure
    }

    /// The figure as a point of a curve.
    func placed(at x: Double, on axis: String) -> Self {
        var figure = self
        (figure.values.x, figure.values.axis) = (x, axis)
        return figure
    }

    /// Whether the ranges of two figures in one unit have a value in common.
    func overlaps(_ other: Self) -> Bool { self.min <= other.max && other.min <= self.max }
}
