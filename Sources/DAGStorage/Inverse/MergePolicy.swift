/// Which runs are merged next.
enum MergePolicy {
    /// So many runs a search may meet when nothing is left to merge.
    static let runsMax = 6
    /// From so many runs of about a size on they are merged.
    static let tierWidth = 4

    /// Chooses runs to merge.
    ///
    /// - Parameters:
    ///   - sizes: The entries of each run.
    ///   - live: About how many entries are of shards that are there.
    /// - Returns: Places in `sizes`, two or more; or all, to clean them; or none.
    static func choose(_ sizes: [UInt64], live: UInt64) -> [Int] {
        let all = sizes.reduce(0, +)
        // More than half of what is there leads nowhere.
        if !sizes.isEmpty, all / 2 > live + 1 << 16 { return Array(sizes.indices) }
        let order = sizes.indices.sorted { sizes[$0] < sizes[$1] }
        if let chosen = fullTier(order.map { (place: $0, size: sizes[$0]) }) { return chosen }
        guard sizes.count > runsMax else { return [] }
        // The smallest ones, as long as the next is not much larger than those before together.
        var chosen = Array(order.prefix(2))
        var sum = sizes[chosen[0]] + sizes[chosen[1]]
        for place in order.dropFirst(2) where sizes[place] <= 2 * sum {
            chosen.append(place)
            sum += sizes[place]
        }
        return chosen
    }

    private static func fullTier(_ runs: [(place: Int, size: UInt64)]) -> [Int]? {
        var start = 0
        while start < runs.count {
            let end =
                runs[start...].firstIndex { $0.size > 4 * max(1, runs[start].size) }
                ?? runs.count
            // Smaller runs are merged with them at no cost.
            if end - start >= tierWidth { return runs[..<end].map(\.place) }
            start = max(end, start + 1)
        }
        return nil
    }
}
