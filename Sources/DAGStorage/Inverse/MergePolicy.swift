/// The choice of the runs to merge next.
enum MergePolicy {
    /// The largest number of runs without a merge.
    static let runsMax = 6
    /// The number of runs of similar size that causes a merge.
    static let tierWidth = 4

    /// Chooses runs to merge.
    ///
    /// - Parameters:
    ///   - sizes: The number of entries of each run.
    ///   - live: The approximate number of entries of existing shards.
    /// - Returns: Two or more places in `sizes`; all places to drop stale entries; none without a merge.
    static func choose(_ sizes: [UInt64], live: UInt64) -> [Int] {
        let all = sizes.reduce(0, +)
        // More than half of the entries are stale.
        if !sizes.isEmpty, all / 2 > live + 1 << 16 { return Array(sizes.indices) }
        let order = sizes.indices.sorted { sizes[$0] < sizes[$1] }
        if let chosen = fullTier(order.map { (place: $0, size: sizes[$0]) }) { return chosen }
        guard sizes.count > runsMax else { return [] }
        // The smallest runs, as long as the next run is at most twice as large as all chosen ones together.
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
            // Smaller runs join the merge at nearly no cost.
            if end - start >= tierWidth { return runs[..<end].map(\.place) }
            start = max(end, start + 1)
        }
        return nil
    }
}
