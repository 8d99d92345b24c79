/// The choice of the runs of one partition of a cluster to merge next.
///
/// A partition has at most six merged runs, whose sizes fall from the oldest to the newest. A merge takes all level-0
/// runs of the partition, and some of the newest merged runs.
///
/// The choice follows the binomial scheme. Let `u` be the usual size of one merge's level-0 runs. A run with `k - 1`
/// places after it and a size of `C(m + k - 1, k) * u` joins a merge if the newer runs have `k / m` of its size
/// together: with them it has `C(m + k, k) * u`. After `C(m + k, k)` merges with `k` places, no entry was written
/// more than `m` times.
///
/// *Source*: Bentley and Saxe, "Decomposable searching problems I", 1980, the binomial transform.
package struct ClusterMergePolicy {
    /// The largest number of merged runs in a partition.
    package static let mergedMax = 6
    /// The number of unmerged level-0 runs that causes a merge.
    package static let levelZeroMax = 64
    /// The size of unmerged level-0 runs in one partition that causes a merge, in bytes.
    package static let levelZeroSizeMax: UInt64 = 1 << 30

    /// A level-0 run that the partition has not merged.
    package struct LevelZeroRun: Equatable, Sendable {
        /// The number of the publication.
        package var number: UInt64
        /// The number of entries in the partition, or about that number.
        package var entryCount: UInt64
        /// The size of these entries in bytes, or about that size.
        package var byteCount: UInt64

        /// Creates a description of a run.
        ///
        /// - Parameters:
        ///   - number: The number of the publication.
        ///   - entryCount: The number of entries in the partition.
        ///   - byteCount: The size of these entries in bytes.
        package init(number: UInt64, entryCount: UInt64, byteCount: UInt64) {
            self.number = number
            self.entryCount = entryCount
            self.byteCount = byteCount
        }
    }

    /// A merged run of the partition.
    package struct MergedRun: Equatable, Sendable {
        /// The number of the last publication that the run has.
        package var through: UInt64
        /// The number of entries.
        package var entryCount: UInt64

        /// Creates a description of a run.
        ///
        /// - Parameters:
        ///   - through: The number of the last publication that the run has.
        ///   - entryCount: The number of entries.
        package init(through: UInt64, entryCount: UInt64) {
            self.through = through
            self.entryCount = entryCount
        }
    }

    /// A merge.
    package struct Plan: Equatable, Sendable {
        /// The number of level-0 runs to merge, from the first on.
        package var levelZeroCount: Int
        /// The number of the last publication that is merged afterwards.
        package var through: UInt64
        /// The places of the merged runs to merge, which are the newest ones.
        package var merged: Range<Int>
    }

    /// Chooses the runs to merge.
    ///
    /// - Parameters:
    ///   - levelZero: The level-0 runs that the partition has not merged, in the order of their numbers.
    ///   - merged: The merged runs, the oldest first.
    ///   - levelZeroMax: The number of level-0 runs that causes a merge.
    ///   - isForced: Whether to merge fewer and smaller level-0 runs too.
    /// - Returns: The merge; nil if there is nothing to merge yet.
    package static func next(
        levelZero: [LevelZeroRun],
        merged: [MergedRun],
        levelZeroMax: Int = Self.levelZeroMax,
        isForced: Bool = false
    ) -> Plan? {
        guard let last = levelZero.last else { return nil }
        let size = levelZero.reduce(0) { $0 + Double($1.byteCount) }
        guard isForced || levelZero.count >= levelZeroMax || size >= Double(levelZeroSizeMax)
        else { return nil }
        let added = levelZero.reduce(0) { $0 + Double($1.entryCount) }
        let all = merged.reduce(added) { $0 + Double($1.entryCount) }
        // Numbers of publications begin at 1.
        let mean = all / Double(max(1, last.number)) * Double(levelZeroMax)
        let first = firstMerged(merged, added: added, all: all, unit: max(1, added, mean))
        return Plan(
            levelZeroCount: levelZero.count,
            through: last.number,
            merged: first..<merged.count
        )
    }

    /// Returns the place of the oldest run that joins the merge.
    private static func firstMerged(
        _ merged: [MergedRun],
        added: Double,
        all: Double,
        unit: Double
    ) -> Int {
        var newer = all
        for (place, run) in merged.enumerated() {
            let size = Double(run.entryCount)
            newer -= size
            let places = mergedMax - place
            // The last place has no place after it.
            guard places > 1 else { return place }
            let writes = writeCount(ofSize: size / unit, places: Double(places))
            if newer * writes >= size * Double(places) { return place }
        }
        return merged.count
    }

    /// Returns the least `m` from 1 on with `C(m + places - 1, places) >= size`.
    private static func writeCount(ofSize size: Double, places: Double) -> Double {
        var combinations = 1.0
        var count = 1.0
        while combinations < size, count < 1_000_000 {
            combinations *= (count + places) / count
            count += 1
        }
        return count
    }
}
