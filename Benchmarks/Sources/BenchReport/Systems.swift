/// The measured systems: their order and their names for people.
enum Systems {
    private static let known: [(system: String, title: String)] = [
        (Contest.store, "dagstore"),
        ("leveldb", "LevelDB"),
        ("rocksdb", "RocksDB"),
        ("lmdb", "LMDB"),
        ("flat", "flat file"),
    ]

    /// The name for people; an unknown system has the name in its figures.
    static func title(_ system: String) -> String {
        known.first { $0.system == system }?.title ?? system
    }

    /// The place of a system: the store first, then known peers, then the others by name.
    private static func place(_ system: String) -> (Int, String) {
        (known.firstIndex { $0.system == system } ?? known.count, system)
    }

    static func sorted(_ figures: [BenchRun.Figure]) -> [BenchRun.Figure] {
        figures.sorted { place($0.system) < place($1.system) }
    }

    static func sorted(_ systems: [String]) -> [String] {
        unique(systems).sorted { place($0) < place($1) }
    }

    /// The color and marker of each system; known systems keep theirs from plot to plot.
    static func styles(_ systems: [String]) -> [String: Int] {
        var next = known.count
        var result: [String: Int] = [:]
        for system in sorted(systems) {
            if let place = known.firstIndex(where: { $0.system == system }) {
                result[system] = place
            } else {
                result[system] = next
                // The first style stays the store's, however many systems there are.
                next = next + 1 < PlotStyle.seriesCount ? next + 1 : 1
            }
        }
        return result
    }
}
