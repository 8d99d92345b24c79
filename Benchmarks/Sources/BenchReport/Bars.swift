/// What the store must reach, row by row.
///
/// The table itself is in `Bars.rows`; `Bars.outcomes(of:)` holds a run against it.
public enum Bars {
    /// A row of the table: one measure, with all that must hold for it.
    public struct Row: Hashable, Sendable {
        /// The number of the row, from 1.
        public let number: Int
        /// What is measured, as a phrase.
        public let title: String
        /// What is measured, in two or three words.
        public let topic: String
        /// What must hold; never empty.
        public let bars: [Bar]
        /// The figures that peers have too; empty if no peer does this work.
        public let peers: [Peer]
    }

    /// A limit that one figure of the store must keep.
    public struct Bar: Hashable, Sendable {
        /// The name of the figure.
        public let figure: String
        /// What sets the bar apart from others of its row; empty if it is alone.
        public let label: String
        /// The side of the target that is good.
        public let comparison: Limit
        /// The limit, in `unit`.
        public let target: Double
        /// The unit of the limit, and as a rule of the figure.
        public let unit: String

        /// What the limit is measured by on another machine; nil if it is the same everywhere, such as a size.
        public var yardstick: Yardstick? {
            switch unit {
            // What waits for memory, as a search does; everything else is work for the processor.
            case "ns", "M/s": .searching
            case "us", "ms", "s", "k/s", "1/s", "GB/s": .hashing
            default: nil
            }
        }

        /// The limit on a machine that takes so many times longer.
        func target(slowness: Double) -> Double {
            comparison == .atMost ? target * slowness : target / slowness
        }

        /// The limit for people, as in `≤ 100 ns`.
        public var targetText: String { text(of: target) }

        func text(of target: Double) -> String {
            comparison.sign + " " + NumberText.quantity(target, unit, trimmed: true)
        }
    }

    /// What a machine does whatever the store does; targets are those of the machine that the reference ran on.
    public enum Yardstick: Hashable, Sendable {
        /// SHA-256 of blocks of 256 KiB, on one core.
        case hashing
        /// A get among a million rows, in LMDB as it comes.
        case searching

        /// The name of the figure.
        var figure: String { self == .hashing ? "line.sha256.262144" : "line.lmdb.get" }
        /// What the reference's machine reached, in `unit`.
        var reference: Double { self == .hashing ? 1.89 : 811 }
        var unit: String { self == .hashing ? "GB/s" : "ns" }
        /// What is said of it.
        var title: String { self == .hashing ? "SHA-256 of 256 KiB" : "an LMDB get among 1 M" }

        /// How many times longer than the reference's machine the machine of a run takes; nil if it was not measured.
        func slowness(in run: BenchRun) -> Double? {
            guard let figure = run.figure(figure)?.converted(to: unit), figure.median > 0 else {
                return nil
            }
            return self == .hashing ? reference / figure.median : figure.median / reference
        }
    }

    /// A figure that the store and its peers have in common.
    public struct Peer: Hashable, Sendable {
        /// The name of the figure.
        public let figure: String
        /// What sets it apart from others of its row; empty if it is alone.
        public let label: String
    }

    /// The side of a target that is good.
    public enum Limit: Hashable, Sendable {
        /// The figure must not be larger than the target.
        case atMost
        /// The figure must not be smaller than the target.
        case atLeast

        var sign: String { self == .atMost ? "≤" : "≥" }
    }
}

extension Bars.Row {
    init(
        _ number: Int,
        _ title: String,
        topic: String,
        _ bars: [Bars.Bar],
        peers: [Bars.Peer] = []
    ) {
        precondition(!bars.isEmpty)
        self.init(number: number, title: title, topic: topic, bars: bars, peers: peers)
    }
}

extension Bars.Bar {
    static func atMost(
        _ target: Double,
        _ unit: String,
        _ figure: String,
        _ label: String = ""
    ) -> Self {
        Self(figure: figure, label: label, comparison: .atMost, target: target, unit: unit)
    }

    static func atLeast(
        _ target: Double,
        _ unit: String,
        _ figure: String,
        _ label: String = ""
    ) -> Self {
        Self(figure: figure, label: label, comparison: .atLeast, target: target, unit: unit)
    }
}
