extension Bars {
    /// Whether a row holds.
    public enum Verdict: String, Hashable, Sendable {
        /// Every bar of the row holds.
        case pass
        /// The run misses a bar of the row, or did not measure it.
        case fail
    }

    /// The result of a run for one bar.
    struct BarOutcome {
        let row: Row
        let bar: Bar
        /// The figure in the unit of the bar; nil if the run did not measure it.
        let figure: BenchRun.Figure?
        /// How many times longer this machine takes than the reference's; 1 if that is unknown or does not matter.
        let slowness: Double

        /// The limit on this machine.
        var target: Double { bar.target(slowness: slowness) }

        /// The limit on this machine for people, with the reference's if it differs.
        var targetText: String {
            let there = bar.text(of: bar.target)
            return slowness == 1 ? there : "\(bar.text(of: target)) (\(there) there)"
        }

        /// Whether the run measured the median and it keeps the limit.
        var holds: Bool {
            guard let figure else { return false }
            return bar.comparison == .atMost ? figure.median <= target : figure.median >= target
        }

        /// How many times better than the target the median is; below 1 if the run misses the bar.
        ///
        /// It is nil if there is no figure, or if the median is not above zero.
        var margin: Double? {
            guard let figure, figure.median > 0 else { return nil }
            return bar.comparison == .atMost ? target / figure.median : figure.median / target
        }

        /// The name of the bar, as in `lookup: hit, confirmed`.
        var name: String { bar.label.isEmpty ? row.topic : "\(row.topic): \(bar.label)" }
    }

    /// The result of a run for a figure that peers have too.
    struct PeerOutcome {
        let peer: Peer
        /// The store's figure; nil if the run did not measure it.
        let ours: BenchRun.Figure?
        /// The best peer's figure, in the unit of `ours`; nil if the run measured no peer.
        let best: BenchRun.Figure?

        /// How many times better the store is than the best peer; below 1 if the peer is better.
        ///
        /// It is nil if one of the two is missing or not above zero.
        var ratio: Double? {
            guard let ours, let best else { return nil }
            return Contest.advantage(of: ours, over: best)
        }
    }

    /// The result of a run for one row.
    public struct RowOutcome {
        let row: Row
        let bars: [BarOutcome]
        let peers: [PeerOutcome]

        /// Whether all bars hold.
        public var verdict: Verdict { bars.allSatisfy(\.holds) ? .pass : .fail }
    }

    /// Compares a run, complete or not, with every row.
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
