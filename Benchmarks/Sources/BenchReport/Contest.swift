/// The figures of all systems that did the same work.
struct Contest: Hashable {
    /// The name of this repository's system.
    static let store = "dagstore"

    let name: String
    let x: Double?
    /// One figure a system, all in one unit, in the order of `Systems.sorted`.
    let figures: [BenchRun.Figure]

    /// The figures of `name` at `x`; nil if there are none.
    ///
    /// Figures in a unit that cannot be compared with the store's are left out.
    init?(of name: String, at x: Double?, in figures: [BenchRun.Figure]) {
        let same = figures.filter { $0.name == name && $0.x == x }
        guard let unit = (same.first { $0.system == Self.store } ?? same.first)?.unit else {
            return nil
        }
        self.name = name
        self.x = x
        self.figures = Systems.sorted(same.compactMap { $0.converted(to: unit) })
    }

    var ours: BenchRun.Figure? { figures.first { $0.system == Self.store } }
    var peers: [BenchRun.Figure] { figures.filter { $0.system != Self.store } }
    var unit: String { figures[0].unit }
    var better: BenchRun.Direction { figures[0].better }

    var bestPeer: BenchRun.Figure? {
        peers.min { Self.isBetter($0, than: $1) }
    }

    /// The peers whose median is better than the store's.
    var winners: [BenchRun.Figure] {
        guard let ours else { return [] }
        return peers.filter { Self.isBetter($0, than: ours) }
    }

    static func isBetter(_ one: BenchRun.Figure, than other: BenchRun.Figure) -> Bool {
        switch one.better {
        case .lower: one.median < other.median
        case .higher: one.median > other.median
        }
    }

    /// How many times better `one` is than `other`, by their medians; nil unless both are above 0.
    static func advantage(of one: BenchRun.Figure, over other: BenchRun.Figure) -> Double? {
        guard one.median > 0, other.median > 0 else { return nil }
        let ratio =
            switch one.better {
            case .lower: other.median / one.median
            case .higher: one.median / other.median
            }
        return ratio.isFinite ? ratio : nil
    }
}

extension Contest {
    /// The works without a place on an axis that more than one system did.
    static func sideBySide(in run: BenchRun) -> [Contest] {
        unique(run.figures.filter { $0.x == nil }.map(\.name))
            .compactMap { Contest(of: $0, at: nil, in: run.figures) }
            .filter { $0.figures.count > 1 }
            .sorted { ($0.row ?? .max) < ($1.row ?? .max) }
    }

    /// The number of the row that names the work for its peers, if there is one.
    var row: Int? {
        Bars.rows.first { $0.peers.contains { $0.figure == name } }?.number
    }

    /// The name of the work for people.
    var title: String { Self.titles[name] ?? name }

    private static let titles = [
        "peers.scan.n1m": "Read every section of a CAR, n1m",
        "peers.ingest.n1m": "Ingest n1m: from the CAR to a durable index",
        "peers.ingest.n100k": "Ingest n100k: from the CAR to a durable index",
        "peers.ingest.n16k": "Ingest n16k: from the CAR to a durable index",
        "peers.lookup.hit": "Random lookup, hit",
        "peers.lookup.miss": "Random lookup, miss",
        "peers.size": "Size on disk, an entry",
        "peers.restart": "Restart: open until the first answer",
        "peers.verify.n100k": "Verify every block, n100k",
        "flat.ingest.1k": "Ingest 1 k entries, in turn",
        "flat.ingest.10k": "Ingest 10 k entries, in turn",
        "flat.ingest.100k": "Ingest 100 k entries, in turn",
        "flat.ingest.1m": "Ingest 1 M entries, in turn",
        "flat.ingest.n100k": "Ingest n100k, in turn",
        "flat.ingest.n1m": "Ingest n1m, in turn",
        "first.1": "Open until the first answer, 1 shard of 1 M entries, in turn",
        "first.1000": "Open until the first answer, 1 k shards, in turn",
        "first.100000": "Open until the first answer, 100 k shards, in turn",
    ]
}

/// The values in their order, each once.
func unique<Value: Hashable>(_ values: [Value]) -> [Value] {
    var seen: Set<Value> = []
    return values.filter { seen.insert($0).inserted }
}
