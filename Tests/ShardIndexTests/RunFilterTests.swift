import DAGBytes
import Testing

@testable import ShardIndex

@Suite("Filters of runs")
struct RunFilterTests {
    private static func hashes(_ count: Int, seed: UInt64) -> [UInt64] {
        var state = seed
        return (0..<count).map { _ in
            // The step of SplitMix64.
            state &+= 0x9e37_79b9_7f4a_7c15
            var value = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
            value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
            return InverseEntry.hash(of: value ^ value >> 31)
        }
    }

    @Test("a filter passes each hash of its run, and few others", arguments: [1, 100, 50_000])
    func passes(count: Int) throws {
        let run = try ChunkedRun(Self.hashes(count, seed: 1), shard: 3)
        var filter = RunFilter(entryCount: count)
        for (number, bytes) in zip(run.directory.chunks, run.chunks) {
            try bytes.withView { view in
                let chunk = try InverseChunk(reading: view, number: number, of: run.directory)
                try filter.insert(chunk)
            }
        }
        #expect(Self.hashes(count, seed: 1).allSatisfy { filter.mayContain($0) })
        let others = Self.hashes(100_000, seed: 2).count { filter.mayContain($0) }
        #expect(others < 1000)
        #expect(filter.size <= count * 2 + 64)
    }

    @Test("an empty filter passes no hash, and one of too many entries passes all of them")
    func extremes() {
        let empty = RunFilter(entryCount: 0)
        #expect(!Self.hashes(1000, seed: 3).contains { empty.mayContain($0) })
        var small = RunFilter(entryCount: 0)
        for hash in Self.hashes(1000, seed: 3) { small.insert(hash) }
        #expect(Self.hashes(1000, seed: 3).allSatisfy { small.mayContain($0) })
        var full = RunFilter(entryCount: 1)
        let limits: [UInt64] = [0, 1 << UInt64(InverseEntry.hashBits) - 1]
        for hash in limits { full.insert(hash) }
        #expect(limits.allSatisfy { full.mayContain($0) })
    }
}
