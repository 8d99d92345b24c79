extension CostCurve {
    /// The name of the line of the processes, in place of a system.
    static let processes = "processes"
    /// The name of the axis of these curves.
    static let threadAxis = "threads"

    /// The rate of every read of a run against the number of threads, in the order of its figures.
    static func threads(in run: BenchRun) -> [CostCurve] {
        let named = run.figures.compactMap {
            figure -> (name: ThreadFigure, figure: BenchRun.Figure)? in
            guard let name = ThreadFigure(name: figure.name), name.kind.unit == "M/s",
                figure.unit == "M/s", figure.system == Contest.store, figure.x == nil
            else { return nil }
            return (name, figure)
        }
        return unique(named.map(\.name.row)).map { row in
            let same = named.filter { $0.name.row == row }
            let lines = [(Contest.store, ThreadFigure.Kind.threads), (processes, .processes)]
            return CostCurve(
                name: "threads.\(row)",
                axis: threadAxis,
                unit: "M/s",
                better: .higher,
                lines: lines.map { system, kind in
                    let points = same.filter { $0.name.kind == kind }.map {
                        $0.figure.placed(at: Double($0.name.count), on: threadAxis)
                    }
                    return (system, points.sorted { ($0.x ?? 0) < ($1.x ?? 0) })
                }.filter { !$0.points.isEmpty }
            )
        }
    }

    /// The name of a line for people.
    func title(of system: String) -> String {
        guard axis == Self.threadAxis else { return Systems.title(system) }
        switch system {
        case Contest.store: return "threads on one store"
        case Self.processes: return "processes with a store each"
        default: return Systems.title(system)
        }
    }

    /// The titles of the reads.
    static let threadTitles = [
        "threads.get": "Get from one shard, one lease for all threads",
        "threads.get.own": "Get from one shard, a lease a thread",
        "threads.read": "Get from one shard, copied without the mapping guard",
        "threads.get.guarded": "Get from one shard, under the mapping guard",
        "threads.read.guarded": "Get from one shard, copied under the mapping guard",
        "threads.locate": "Locate in one shard",
        "threads.miss": "Look up what one shard lacks",
        "threads.acquire": "Acquire and release one shard",
        "threads.acquire.any": "Acquire and release any of 1,000 shards",
        "threads.get.any": "Get from any of 1,000 open shards",
        "threads.contains.any": "Contains, over 1,000 open shards",
        "threads.contains.closed.1000": "Contains, over 1,000 closed shards",
        "threads.contains.closed.10000": "Contains, over 10,000 closed shards",
        "threads.swift.get": "Get from one shard, from Swift",
        "threads.swift.acquire": "Acquire and release one shard, from Swift",
    ]
}
