extension Bars {
    /// Whether a row holds.
    public enum Verdict: String, Hashable, Sendable {
        /// Every bar of the row holds.
        case pass
        /// A bar of the row was missed, or was not measured.
        case fail
    }

    /// What a run has to say about one bar.
    public struct BarOutcome: Hashable, Sendable {
        /// The row that the bar is in.
        public let row: Row
        /// The bar.
        public let bar: Bar
        /// What the run measured, in the unit of the bar; nil if it did not measure this.
        public let figure: BenchRun.Figure?
        /// How many times longer than the reference's machine this one takes for what the bar is measured by; 1 if
        /// that was not measured, or does not matter.
        public let slowness: Double

        /// The limit on this machine.
        public var target: Double { bar.target(slowness: slowness) }

        /// The limit on this machine for people, and the reference's where it is another one.
        public var targetText: String {
            slowness == 1 ? bar.targetText : "\(bar.text(of: target)) (\(bar.targetText) there)"
        }

        /// Whether the median was measured and keeps the limit.
        public var holds: Bool {
            guard let figure else { return false }
            return switch bar.comparison {
            case .atMost: figure.median <= target
            case .atLeast: figure.median >= target
            }
        }

        /// How many times better than the target the median is; below 1 where the bar is missed.
        ///
        /// It is nil where nothing was measured, and where the median is not above zero.
        public var margin: Double? {
            guard let figure, figure.median > 0 else { return nil }
            return switch bar.comparison {
            case .atMost: target / figure.median
            case .atLeast: figure.median / target
            }
        }
    }

    /// What a run has to say about the peers of a row.
    public struct PeerOutcome: Hashable, Sendable {
        /// The figure that is compared.
        public let peer: Peer
        /// What the store reached; nil if it was not measured.
        public let ours: BenchRun.Figure?
        /// What the best peer reached, in the unit of `ours`; nil if no peer was measured.
        public let best: BenchRun.Figure?

        /// How many times better the store is than the best peer; below 1 if the peer is better.
        ///
        /// It is nil if one of the two is missing or not above zero.
        public var ratio: Double? {
            guard let ours, let best else { return nil }
            return Contest.advantage(of: ours, over: best)
        }
    }

    /// What a run has to say about one row.
    public struct RowOutcome: Hashable, Sendable {
        /// The row.
        public let row: Row
        /// Every bar of it, in order.
        public let bars: [BarOutcome]
        /// Every figure of it that peers have too, in order.
        public let peers: [PeerOutcome]

        /// Whether all bars hold.
        public var verdict: Verdict { bars.allSatisfy(\.holds) ? .pass : .fail }
    }

    /// Holds a run against every row.
    ///
    /// - Parameter run: The run, complete or not.
    /// - Returns: One outcome for each of `rows`, in order.
    public static func outcomes(of run: BenchRun) -> [RowOutcome] {
        rows.map { row in
            RowOutcome(
                row: row,
                bars: row.bars.map { bar in
                    let figure = run.figure(bar.figure)?.converted(to: bar.unit)
                    let slowness = bar.yardstick.flatMap { $0.slowness(in: run) } ?? 1
                    return BarOutcome(row: row, bar: bar, figure: figure, slowness: slowness)
                },
                peers: row.peers.map { peer in
                    let contest = Contest(of: peer.figure, at: nil, in: run.figures)
                    return PeerOutcome(peer: peer, ours: contest?.ours, best: contest?.bestPeer)
                }
            )
        }
    }
}
