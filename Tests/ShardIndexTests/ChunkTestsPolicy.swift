import TestSupport
import Testing

@testable import ShardIndex

@Suite("The choice of a cluster's merges")
struct ChunkTestsPolicy {
    /// A partition that publications and merges change.
    private struct Partition {
        var levelZero: [ClusterMergePolicy.LevelZeroRun] = []
        var merged: [ClusterMergePolicy.MergedRun] = []
        var publicationCount: UInt64 = 0
        var addedCount = 0.0
        var writtenCount = 0.0
        var mergedMax = 0

        mutating func publish(_ entryCount: UInt64, levelZeroMax: Int) {
            publicationCount += 1
            addedCount += Double(entryCount)
            levelZero.append(
                .init(number: publicationCount, entryCount: entryCount, byteCount: entryCount * 5)
            )
            guard levelZero.count % 16 == 0 else { return }
            let plan = ClusterMergePolicy.next(
                levelZero: levelZero,
                merged: merged,
                levelZeroMax: levelZeroMax
            )
            if let plan { apply(plan) }
        }

        mutating func apply(_ plan: ClusterMergePolicy.Plan) {
            #expect(plan.levelZeroCount == levelZero.count)
            #expect(plan.through == levelZero.last?.number)
            #expect(plan.merged.upperBound == merged.count)
            var sum: UInt64 = levelZero.reduce(0) { $0 + $1.entryCount }
            sum += merged[plan.merged].reduce(0) { $0 + $1.entryCount }
            levelZero.removeAll()
            let run = ClusterMergePolicy.MergedRun(through: plan.through, entryCount: sum)
            merged.replaceSubrange(plan.merged, with: [run])
            writtenCount += Double(sum)
            mergedMax = max(mergedMax, merged.count)
        }
    }

    enum Sizes: CaseIterable {
        case equal, mixed, growing, shrinking, largeFirst, alternating

        func size(_ number: Int, _ random: inout SplitMix64) -> UInt64 {
            switch self {
            case .equal: 1000
            case .mixed: 1 << UInt64.random(in: 0...24, using: &random)
            case .growing: UInt64(number)
            case .shrinking: UInt64(100_001 - number)
            case .largeFirst: number <= 64 ? 10_000_000 : 1
            case .alternating: number / 64 % 2 == 0 ? 1 : 100_000
            }
        }
    }

    @Test("100,000 publications: at most six runs, and few writes", arguments: Sizes.allCases)
    func writes(sizes: Sizes) {
        // With batches of 64 the binomial scheme writes an entry six times; with batches of 128 five times.
        for (levelZeroMax, equalMax, writesMax) in [(64, 6.0, 7.5), (128, 5.1, 6.5)] {
            var random = SplitMix64(seed: 1)
            var partition = Partition()
            for number in 1...100_000 {
                partition.publish(sizes.size(number, &random), levelZeroMax: levelZeroMax)
            }
            let writes = partition.writtenCount / partition.addedCount
            #expect(writes < (sizes == .equal ? equalMax : writesMax), "\(sizes): \(writes)")
            #expect(partition.mergedMax <= ClusterMergePolicy.mergedMax)
            #expect(partition.levelZero.count < levelZeroMax)
        }
    }

    @Test("a merge waits for enough runs or bytes, unless it is forced")
    func waits() {
        let small = (1...63 as ClosedRange<UInt64>).map {
            ClusterMergePolicy.LevelZeroRun(number: $0, entryCount: 10, byteCount: 50)
        }
        #expect(ClusterMergePolicy.next(levelZero: [], merged: [], isForced: true) == nil)
        #expect(ClusterMergePolicy.next(levelZero: small, merged: []) == nil)
        let forced = ClusterMergePolicy.next(levelZero: small, merged: [], isForced: true)
        #expect(forced == .init(levelZeroCount: 63, through: 63, merged: 0..<0))
        let large = ClusterMergePolicy.LevelZeroRun(
            number: 64,
            entryCount: 1 << 30,
            byteCount: ClusterMergePolicy.levelZeroSizeMax
        )
        let plan = ClusterMergePolicy.next(levelZero: [large], merged: [])
        #expect(plan == .init(levelZeroCount: 1, through: 64, merged: 0..<0))
    }

    @Test("small runs join a merge when no place is free, and a much larger run stays")
    func joins() {
        let levelZero = (1_000_001...1_000_064 as ClosedRange<UInt64>).map {
            ClusterMergePolicy.LevelZeroRun(number: $0, entryCount: 10, byteCount: 50)
        }
        let merged = [10_000_000, 640, 640, 640, 640, 640].map {
            ClusterMergePolicy.MergedRun(through: 1_000_000, entryCount: $0)
        }
        let four = ClusterMergePolicy.next(levelZero: levelZero, merged: Array(merged[..<4]))
        #expect(four?.merged == 4..<4)
        let six = ClusterMergePolicy.next(levelZero: levelZero, merged: merged)
        #expect(six?.merged == 1..<6)
        let seven = (0..<8).map {
            ClusterMergePolicy.MergedRun(through: $0, entryCount: 1 << (60 - 7 * $0))
        }
        let tooMany = ClusterMergePolicy.next(levelZero: levelZero, merged: seven)
        #expect(tooMany?.merged.lowerBound ?? 8 <= 5)
    }

    @Test("extreme sizes never trap")
    func extremes() {
        let run = ClusterMergePolicy.LevelZeroRun(number: .max, entryCount: .max, byteCount: .max)
        let none = ClusterMergePolicy.LevelZeroRun(number: 0, entryCount: 0, byteCount: 0)
        let merged = [0, .max, 1, .max, 0, .max, 3].map {
            ClusterMergePolicy.MergedRun(through: .max, entryCount: $0)
        }
        for levelZero in [[run], [none], [run, run, none]] {
            let plan = ClusterMergePolicy.next(
                levelZero: levelZero,
                merged: merged,
                isForced: true
            )
            #expect(plan?.levelZeroCount == levelZero.count)
            #expect(plan?.merged.upperBound == 7)
        }
    }
}
