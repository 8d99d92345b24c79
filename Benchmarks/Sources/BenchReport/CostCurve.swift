/// The growth of a cost: the figures of one name at several places of an axis.
struct CostCurve {
    /// The expected growth of a cost.
    enum Theory {
        /// No growth.
        case constant
        /// In proportion to the axis.
        case linear
        /// At least this much for each unit of the axis, in the unit of the figures.
        case bound(Double)
    }

    let name: String
    let axis: String
    let unit: String
    let better: BenchRun.Direction
    /// The points of every system in the order of the axis; the store first.
    let lines: [(system: String, points: [BenchRun.Figure])]

    /// Every curve of a run, in the order of its figures.
    static func all(in run: BenchRun) -> [CostCurve] {
        unique(run.figures.filter { $0.x != nil }.map(\.name))
            .compactMap { curve(of: $0, in: run.figures) }
    }

    private static func curve(of name: String, in figures: [BenchRun.Figure]) -> CostCurve? {
        let same = figures.filter { $0.name == name && $0.x != nil }
        let first = same.first { $0.system == Contest.store } ?? same.first
        guard let first else { return nil }
        let points = same.compactMap { $0.converted(to: first.unit) }
        return CostCurve(
            name: name,
            axis: first.axis ?? "x",
            unit: first.unit,
            better: first.better,
            lines: Systems.sorted(points.map(\.system)).map { system in
                let line = points.filter { $0.system == system }
                return (system, line.sorted { ($0.x ?? 0) < ($1.x ?? 0) })
            }
        )
    }

    /// The places on the axis at which any system was measured.
    var places: [Double] { Set(lines.flatMap(\.points).compactMap(\.x)).sorted() }

    /// The figure of `system` at `x`.
    func point(of system: String, at x: Double) -> BenchRun.Figure? {
        lines.first { $0.system == system }?.points.first { $0.x == x }
    }

    /// The name of the work for people.
    var title: String { Self.known[name]?.title ?? Self.threadTitles[name] ?? name }

    /// The expected growth, if it is known.
    var theory: Theory? { Self.known[name]?.theory }

    /// The theory in a word.
    var theoryName: String? {
        switch theory {
        case .constant: "constant"
        case .linear: "linear"
        case .bound: "bound"
        case nil: nil
        }
    }

    /// The theory in words, with its relation to the figures.
    var theoryText: String? {
        switch theory {
        case .constant: "constant, at the middle of dagstore's medians"
        case .linear: "linear, through dagstore's largest point"
        case .bound(let slope):
            "bound, \(NumberText.significant(slope, trimmed: true)) \(unit) each"
        case nil: nil
        }
    }

    /// The cost that the theory gives at `x`; nil if there is no theory, or no point of the store.
    ///
    /// A constant goes through the median of the store's medians. A line goes from the origin through the store's
    /// largest point. A bound needs no point.
    func theoretical(at x: Double) -> Double? {
        let ours = lines.first { $0.system == Contest.store }?.points ?? []
        switch theory {
        case nil:
            return nil
        case .bound(let slope):
            return slope * x
        case .linear:
            guard let last = ours.last, let largest = last.x, largest > 0 else { return nil }
            return last.median / largest * x
        case .constant:
            let medians = ours.map(\.median).sorted()
            guard !medians.isEmpty else { return nil }
            return (medians[medians.count / 2] + medians[(medians.count - 1) / 2]) / 2
        }
    }

    private static let known: [String: (title: String, theory: Theory)] = [
        "curve.lookup": ("Random lookup against entries", .constant),
        "curve.acquire": ("Acquire and release against entries", .constant),
        "curve.ingest": ("Ingest against entries", .linear),
        "curve.open": ("Open against entries", .constant),
        "curve.size": ("Size on disk against entries", .bound(33.2)),
        "curve.shards.acquire": ("Acquire and release against shards", .constant),
        "curve.shards.open": ("Open against shards", .constant),
        "curve.shards.register": ("Register against shards", .linear),
        "curve.shards.size": ("Size on disk against shards", .linear),
        "curve.shards.find": ("Inverse lookup against shards", .constant),
    ]
}
