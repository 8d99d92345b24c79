/// The targets of the store, row by row.
///
/// `Bars.rows` is the table; `Bars.outcomes(of:)` compares a run with it.
public enum Bars {
    /// A row of the table: one measure, and its bars.
    public struct Row: Hashable, Sendable {
        /// The number of the row, from 1.
        public let number: Int
        /// The measure, in two or three words.
        public let topic: String
        /// The measure, as a phrase.
        public let title: String
        /// The limits that must hold; never empty.
        public private(set) var bars: [Bar] = []
        /// The figures that peers have too; empty if no peer does this work.
        public private(set) var peers: [Peer] = []

        init(_ number: Int, _ topic: String, _ title: String) {
            self.number = number
            self.topic = topic
            self.title = title
        }

        func atMost(_ target: Double, _ unit: String, _ figure: String, _ label: String = "")
            -> Self
        {
            adding(.atMost, target, unit, figure, label)
        }

        func atLeast(_ target: Double, _ unit: String, _ figure: String, _ label: String = "")
            -> Self
        {
            adding(.atLeast, target, unit, figure, label)
        }

        private func adding(
            _ limit: Limit,
            _ target: Double,
            _ unit: String,
            _ figure: String,
            _ label: String
        ) -> Self {
            var row = self
            row.bars.append(
                Bar(figure: figure, label: label, comparison: limit, target: target, unit: unit)
            )
            return row
        }

        func peer(_ figure: String, _ label: String = "") -> Self {
            var row = self
            row.peers.append(Peer(figure: figure, label: label))
            return row
        }
    }

    /// A limit that one figure of the store must keep.
    public struct Bar: Hashable, Sendable {
        /// The name of the figure.
        public let figure: String
        /// The name of the bar in its row; empty if it is the only one.
        public let label: String
        /// The side of the target that is good.
        public let comparison: Limit
        /// The limit, in `unit`.
        public let target: Double
        /// The unit of the limit, and usually of the figure.
        public let unit: String

        /// The measure of another machine's speed; nil if the target is the same on every machine, such as a size.
        var yardstick: Yardstick? {
            switch unit {
            // These wait for memory, as a search does; everything else is work for the processor.
            case "ns", "M/s": .searching
            case "us", "ms", "s", "k/s", "1/s", "GB/s": .hashing
            default: nil
            }
        }

        /// The limit on a machine that takes `slowness` times longer.
        func target(slowness: Double) -> Double {
            comparison == .atMost ? target * slowness : target / slowness
        }

        /// The limit for people, as in `≤ 100 ns`.
        func text(of target: Double) -> String {
            comparison.sign + " " + NumberText.quantity(target, unit, trimmed: true)
        }
    }

    /// Work that measures a machine and not the store; targets are those of the reference's machine.
    enum Yardstick: Hashable, Sendable {
        /// SHA-256 of blocks of 256 KiB, on one core.
        case hashing
        /// A get among a million rows, in LMDB with its defaults.
        case searching

        /// The name of the figure.
        var figure: String { self == .hashing ? "line.sha256.262144" : "line.lmdb.get" }
        /// The value of the reference's machine, in `unit`.
        var reference: Double { self == .hashing ? 1.89 : 811 }
        var unit: String { self == .hashing ? "GB/s" : "ns" }
        var title: String { self == .hashing ? "SHA-256 of 256 KiB" : "an LMDB get among 1 M" }

        /// How many times longer a run's machine takes than the reference's; nil if the run did not measure it.
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
        /// The name of the figure in its row; empty if it is the only one.
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
