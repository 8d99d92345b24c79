/// What one run of the benchmarks measured, or several runs laid over each other.
public struct BenchRun: Hashable, Sendable {
    /// Where and when figures were measured.
    public struct Origin: Hashable, Sendable {
        /// When the run began, in ISO 8601.
        public let date: String
        /// The commit that was measured, in hexadecimal; empty if unknown.
        public let commit: String
        /// Whether the working copy had changes that `commit` does not have.
        public let isDirty: Bool
        /// The processor's name.
        public let machine: String
        /// How many cores the run could use, if known.
        public let cores: Int?
        /// The size of the machine's memory in bytes, if known.
        public let memoryBytes: Int?
        /// The operating system's name.
        public let os: String
        /// The kernel's name and version; empty if unknown.
        public let kernel: String
        /// The compiler's name and version.
        public let toolchain: String
        /// Whether sizes and repeats were cut to save time.
        public let isQuick: Bool
        /// How often each figure was measured, if known.
        public let runs: Int?
        /// The command that makes such a run.
        public let command: String
        /// The machine's load when the run began, if known.
        public let load: Double?
    }

    /// A CAR that was measured with.
    public struct Dataset: Hashable, Sendable {
        /// The name that figures use.
        public let name: String
        /// How many blocks it holds.
        public let blocks: Int
        /// The size of each block in bytes.
        public let blockSize: Int
        /// The seed that its bytes come from, if known.
        public let seed: UInt64?
        /// The size of the file in bytes.
        public let bytes: Int
        /// The digest of the file, in hexadecimal.
        public let sha256: String
    }

    /// Which end of a figure is the good one.
    public enum Direction: String, Hashable, Sendable {
        /// Small figures are good, as with a time.
        case lower
        /// Large figures are good, as with a rate.
        case higher
    }

    /// One thing that was measured, several times over.
    public struct Figure: Hashable, Sendable {
        /// The workload that measured it.
        public let workload: String
        /// What was measured.
        ///
        /// Systems did the same work where `name` and `x` are equal.
        public let name: String
        /// Who did the work: `dagstore` or a peer.
        public let system: String
        /// The unit of every value here.
        public let unit: String
        /// Which end is the good one.
        public let better: Direction
        /// How often it was measured.
        public let runs: Int
        /// The smallest value.
        public let min: Double
        /// The value in the middle, which bars and comparisons look at.
        public let median: Double
        /// The largest value.
        public let max: Double
        /// Percentiles such as `p99`, in the same unit.
        public let percentiles: [String: Double]
        /// The place on the axis of a cost curve, if the figure is a point of one.
        public let x: Double?
        /// What `x` counts: `entries` or `shards`.
        public let axis: String?
        /// The run that measured it.
        public let origin: Origin
    }

    /// A piece of work that a system did not do.
    public struct Skip: Hashable, Sendable {
        /// The workload that was left out.
        public let workload: String
        /// The system that would have done it, if it is one system only.
        public let system: String?
        /// Why it was left out.
        public let reason: String
    }

    /// A time in which others used the machine.
    public struct BusySpell: Hashable, Sendable {
        /// The workload that was disturbed.
        public let workload: String
        /// What was seen.
        public let detail: String
        /// The run that saw it.
        public let origin: Origin
    }

    /// The runs that figures came from, in the order they were merged; never empty.
    public let origins: [Origin]
    /// The data sets, each once.
    public let datasets: [Dataset]
    /// What was measured, in the order of the lines; each name, system and place on the axis once.
    public let figures: [Figure]
    /// What was left out.
    public let skipped: [Skip]
    /// When others used the machine.
    public let busy: [BusySpell]
    /// Whether the run came to its end; a run that was merged from several is if all of them did.
    public let isComplete: Bool
    /// How long the run took, or all of them together; nil unless every run came to its end.
    public let seconds: Double?

    /// The latest run that figures came from.
    public var origin: Origin { origins[origins.count - 1] }

    /// Whether any of the runs had its sizes or repeats cut.
    public var isQuick: Bool { origins.contains(where: \.isQuick) }

    /// The figure of one system at one place, if it was measured.
    ///
    /// - Parameters:
    ///   - name: What was measured.
    ///   - system: Who did the work.
    ///   - x: The place on the axis of a cost curve.
    /// - Returns: The figure, if the run has it.
    public func figure(_ name: String, of system: String = "dagstore", at x: Double? = nil)
        -> Figure?
    {
        figures.first { $0.name == name && $0.system == system && $0.x == x }
    }
}

extension BenchRun.Figure {
    /// What makes a figure the same as one of another run.
    struct Key: Hashable {
        let name: String
        let system: String
        let x: Double?
    }

    var key: Key { Key(name: name, system: system, x: x) }

    /// The same figure in another unit; nil if the units measure different things.
    func converted(to unit: String) -> Self? {
        guard unit != self.unit else { return self }
        guard let factor = MeasureUnit.factor(from: self.unit, to: unit) else { return nil }
        return Self(
            workload: workload,
            name: name,
            system: system,
            unit: unit,
            better: better,
            runs: runs,
            min: min * factor,
            median: median * factor,
            max: max * factor,
            percentiles: percentiles.mapValues { $0 * factor },
            x: x,
            axis: axis,
            origin: origin
        )
    }

    /// Whether the ranges of two figures in one unit have a value in common.
    func overlaps(_ other: Self) -> Bool { min <= other.max && other.min <= max }
}
