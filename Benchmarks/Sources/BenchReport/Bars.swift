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

        /// The limit for people, as in `≤ 100 ns`.
        public var targetText: String {
            comparison.sign + " " + NumberText.quantity(target, unit, trimmed: true)
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
