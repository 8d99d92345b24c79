import DAGBytes
import TestSupport
import Testing

@testable import ShardIndex

@Suite("Merges of chunks")
struct ChunkTestsMerge {
    /// A partition of the hashes of all runs.
    private static func expected(
        _ entries: [InverseEntry],
        _ partition: Int,
        _ bits: Int,
        _ isWanted: (UInt32) -> Bool
    ) -> [InverseEntry] {
        let hashes = InverseEntry.hashes(ofPartition: partition, bits: bits)
        return Set(entries.filter { hashes.contains($0.hash) && isWanted($0.shard) })
            .sorted(by: <)
    }

    @Test(
        "a merge has the entries of its partition, without removed shards",
        arguments: [0, 1, 3, 5] as [UInt64],
        [0, 1, 4]
    )
    func partitions(seed: UInt64, bits: Int) throws {
        let sizes = [0, 1, 5, 300, 2000, 30_000, 40, 7].prefix(seed == 0 ? 3 : 8)
        let shards = ChunkShards.random(Array(sizes), first: 10, seed: seed)
        let entries = ChunkShards.entries(shards)
        let runs = try ChunkShards.runs(shards)
        let isWanted: (UInt32) -> Bool = { $0 % 3 != 2 }
        var total = 0
        var kept: [InverseEntry] = []
        for partition in 0..<1 << bits {
            let (run, result) = try ChunkedRun.merged(runs, partition, bits, isWanted)
            try run.checkShape()
            let expected = Self.expected(entries, partition, bits, isWanted)
            let found = try run.entries()
            #expect(found == expected)
            #expect(result.directory.shape.entryCount == UInt64(expected.count))
            #expect(result.cutCount == 0)
            #expect(run.chunks.isEmpty == expected.isEmpty)
            total += Int(result.droppedCount) + expected.count
            kept += found
            for entry in expected.prefix(50) {
                let shards = try run.shards(of: entry.hash)
                #expect(shards == expected.filter { $0.hash == entry.hash }.map(\.shard))
            }
        }
        #expect(total == entries.count)
        #expect(kept == entries.filter { isWanted($0.shard) })
    }

    @Test("4,096 partitions of small runs have every entry once", arguments: [1, 2] as [UInt64])
    func manyPartitions(seed: UInt64) throws {
        let shards = ChunkShards.random([3, 50, 0, 400, 1, 9], seed: seed)
        let runs = try ChunkShards.runs(shards)
        var found: [InverseEntry] = []
        for partition in 0..<4096 {
            let run = try ChunkedRun(merging: runs, partition: partition, bits: 12)
            #expect(run.chunks.count <= 1)
            found += try run.entries()
        }
        #expect(found == ChunkShards.entries(shards))
    }

    @Test("merges of merges have what one merge has", arguments: [0, 2, 6])
    func repeatedMerges(bits: Int) throws {
        var random = SplitMix64(seed: 4)
        let shards = ChunkShards.random(
            (0..<90).map { _ in Int.random(in: 0...600, using: &random) },
            seed: 11
        )
        let runs = try shards.sorted { $0.key < $1.key }.map { try ChunkedRun($1, shard: $0) }
        let entries = ChunkShards.entries(shards)
        let isDead: (UInt32) -> Bool = { $0 % 7 == 3 }
        for partition in [0, (1 << bits) / 2, 1 << bits - 1] {
            var merged: [ChunkedRun] = []
            for start in stride(from: 0, to: 90, by: 10) {
                let newest = merged.suffix(start / 10 % 3)
                let next = Array(runs[start..<start + 10]) + newest
                merged.removeLast(newest.count)
                merged.append(try ChunkedRun(merging: next, partition: partition, bits: bits))
            }
            let last = try ChunkedRun(merging: merged, partition: partition, bits: bits) {
                !isDead($0)
            }
            try last.checkShape()
            let found = try last.entries()
            #expect(found == Self.expected(entries, partition, bits) { !isDead($0) })
            let again = try ChunkedRun(merging: [last, last], partition: partition, bits: bits)
            #expect(try again.entries() == found)
            let none = try ChunkedRun(merging: [last], partition: partition, bits: bits) { _ in
                false
            }
            #expect(none.chunks.isEmpty && none.directory.shape.entryCount == 0)
            try none.checkShape()
        }
    }

    @Test("a merge takes runs of coarser and finer partitions")
    func otherPartitions() throws {
        let shards = ChunkShards.random(Array(repeating: 500, count: 8), seed: 21)
        let entries = ChunkShards.entries(shards)
        let runs = try ChunkShards.runs(shards)
        let coarse = try ChunkedRun(merging: Array(runs[..<4]), partition: 1, bits: 2)
        let fine = try (4..<8).map {
            try ChunkedRun(merging: Array(runs[4...]), partition: $0, bits: 4)
        }
        let run = try ChunkedRun(merging: [coarse] + fine, partition: 2, bits: 3)
        let kept = Self.expected(entries, 2, 3) { _ in true }
        #expect(try run.entries() == kept)
        let elsewhere = try ChunkedRun(merging: [coarse] + fine, partition: 6, bits: 3)
        #expect(elsewhere.chunks.isEmpty)
    }

    @Test("a hash that many shards have survives merges of merges")
    func lists() throws {
        var random = SplitMix64(seed: 12)
        let hash: UInt64 = 0x1234_5678_9abc
        let shards = (0..<300 as Range<UInt32>).map { shard -> (UInt32, [UInt64]) in
            (shard * 3, [hash, hash + 1, 5] + (0..<20).map { _ in random.next() >> 16 })
        }
        let runs = try shards.map { try ChunkedRun($1, shard: $0) }
        var merged = try stride(from: 0, to: 300, by: 60).map {
            try ChunkedRun(merging: Array(runs[$0..<$0 + 60]))
        }
        merged = try [ChunkedRun(merging: merged) { $0 % 2 == 0 }]
        let live = shards.map(\.0).filter { $0 % 2 == 0 }
        for listed in [hash, hash + 1, 5] {
            #expect(try merged[0].shards(of: listed) == live)
        }
        #expect(try merged[0].shards(of: 6) == [])
    }

    @Test("a list that exceeds a chunk keeps the greatest shards")
    func cutLists() throws {
        // Two runs that share a hash with 300,000 shards each: 21 bits a shard are more than 1 MiB.
        let runs = try ([0, 700_000] as [UInt32]).map { first -> ChunkedRun in
            var chunks: [[UInt8]] = []
            let shards = first...first + 300_000
            var builder = try ChunkedRunBuilder(
                entries: 300_001,
                shards: shards,
                partition: 3,
                bits: 4
            ) { chunks.append($0) }
            for shard in shards {
                try builder.append(InverseEntry(hash: 3 << 44 | 9, shard: shard))
            }
            try builder.append(InverseEntry(hash: 3 << 44 | 10, shard: first + 5))
            return ChunkedRun(try builder.finish(), chunks)
        }
        let (run, result) = try ChunkedRun.merged(runs, 3, 4) { _ in true }
        try run.checkShape()
        #expect(run.chunks.allSatisfy { $0.count <= ChunkDirectory.chunkSizeMax })
        #expect(result.cutCount > 0)
        let found = try run.shards(of: 3 << 44 | 9)
        #expect(found.count > 170_000)
        #expect(found.last == 1_000_000)
        #expect(try run.shards(of: 3 << 44 | 10) == [5, 700_005])
        #expect(run.directory.shape.entryCount == UInt64(found.count + 2))
        let total = runs.reduce(0) { $0 + $1.directory.shape.entryCount }
        #expect(total == run.directory.shape.entryCount + result.cutCount)
    }

    @Test("a merged entry costs less than 4.8 bytes")
    func sizes() throws {
        // One of 1,024 partitions of 1,000 shards with 100,000 hashes each.
        var random = SplitMix64(seed: 30)
        let runs = try (0..<10 as Range<UInt32>).map { hundred -> ChunkedRun in
            let shards = hundred * 100...hundred * 100 + 99
            let entries = (0..<9766).map { index in
                InverseEntry(
                    hash: 77 << 38 | random.next() >> 26,
                    shard: shards.lowerBound + UInt32(index % 100)
                )
            }
            var chunks: [[UInt8]] = []
            var builder = try ChunkedRunBuilder(
                entries: 9766,
                shards: shards,
                partition: 77,
                bits: 10
            ) { chunks.append($0) }
            for entry in entries.sorted(by: <) { try builder.append(entry) }
            return ChunkedRun(try builder.finish(), chunks)
        }
        let run = try ChunkedRun(merging: runs, partition: 77, bits: 10)
        try run.checkShape()
        let entryCount = run.directory.shape.entryCount
        #expect(entryCount == 97_660)
        #expect(run.chunks.allSatisfy { $0.count <= ChunkDirectory.chunkSize })
        #expect(run.chunks.allSatisfy { $0.count >= ChunkDirectory.chunkSize * 45 / 100 })
        #expect(Double(run.size) / Double(entryCount) < 4.8)
    }
}
