import DAGBytes
import DAGHashing
import TestSupport
import Testing

@testable import ShardIndex

@Suite("Chunks of the inverse index")
struct ChunkTests {
    @Test(
        "a level-0 run answers as a set does",
        arguments: [0, 1, 2, 11, 22, 500, 13_000, 60_000],
        [0, 7, .max] as [UInt32]
    )
    func levelZero(count: Int, shard: UInt32) throws {
        let hashes = Set(ChunkShards.random([count], first: shard, seed: 3)[shard] ?? [])
        let run = try ChunkedRun(Array(hashes), shard: shard)
        try run.checkShape()
        #expect(run.directory.shape.entryCount == UInt64(count))
        #expect(run.chunks.isEmpty == (count == 0))
        #expect(run.chunks.allSatisfy { $0.count <= ChunkDirectory.chunkSize })
        for hash in hashes.prefix(500) {
            let found = try run.shards(of: hash)
            #expect(found == [shard])
        }
        var random = SplitMix64(seed: 9)
        for _ in 0..<200 {
            let hash = random.next() >> 16
            let found = try run.shards(of: hash)
            #expect(found == (hashes.contains(hash) ? [shard] : []))
        }
        #expect(try run.entries().map(\.hash) == hashes.sorted())
    }

    @Test("a count that is too large or a little too small changes no answer")
    func counts() throws {
        let hashes = ChunkShards.random([3000], seed: 5)[0] ?? []
        for count in [0, 2800, 3001, 1_000_000] {
            let run = try ChunkedRun(hashes, shard: 1, count: count)
            try run.checkShape()
            let found = try run.entries().map(\.hash)
            #expect(found == hashes.sorted())
        }
    }

    @Test("a run of far more entries than planned is an error, not a large chunk")
    func tooManyEntries() throws {
        var random = SplitMix64(seed: 8)
        let hashes = (0..<200_000).map { _ in random.next() >> 16 }
        #expect(throws: ShardIndexError(.limitExceeded, "")) {
            try ChunkedRun(hashes, shard: 1, count: 1)
        }
        #expect(throws: ShardIndexError(.limitExceeded, "")) {
            try ChunkedRun([], shard: 1, count: 1 << 44)
        }
    }

    @Test("a directory says which chunks a partition needs", arguments: [0, 1, 4, 8, 12, 16])
    func partitions(bits: Int) throws {
        let hashes = ChunkShards.random([60_000], seed: 6)[0] ?? []
        let directory = try ChunkedRun(hashes, shard: 1).directory
        for partition in stride(from: 0, to: 1 << bits, by: max(1, (1 << bits) / 64)) {
            let chunks = directory.chunks(ofPartition: partition, bits: bits)
            let low = UInt64(48 - bits)
            let first = directory.chunk(of: UInt64(partition) << low)
            let last = directory.chunk(of: UInt64(partition + 1) << low - 1)
            #expect(first == chunks.first)
            #expect(last == chunks.last)
        }
        #expect(directory.chunk(of: 1 << 48) == nil)
        #expect(directory.chunk(of: .max) == nil)
    }

    @Test("the bytes of a directory and of a chunk")
    func goldenBytes() throws {
        let runs = try [3, 4].map { try ChunkedRun([5, 7 << 44, 7 << 44 | 9], shard: $0) }
        let run = try ChunkedRun(merging: runs, partition: 7, bits: 4)
        let directory = [
            // Checksum, version, width of a size, zero.
            "94a56a59601b2796", "01", "00", "0000",
            // First chunk, chunks, greatest shard, least size, zero.
            "07000000", "01000000", "04000000", "3f000000", "00000000",
            // The shape: version, bits, least shard, entries, bytes, checksum.
            "01040002", "03000000", "0400000000000000", "3f00000000000000", "3bb54a82c4a39768",
        ]
        let chunk = [
            // Checksum, entries, lists, starts.
            "f9000b9d35d1fcc2", "04000000", "00000000", "00000000", "04000000",
            // Rests of 44 bits, shards of 2 bits, slack.
            "00000000000000000000000900000000900000000000", "44",
            "00000000000000000000000000000000",
        ]
        #expect(run.directory.encoded.hexadecimal == directory.joined())
        #expect(run.chunks.map(\.hexadecimal) == [chunk.joined()])
    }

    @Test("a directory needs fewer than two bytes a chunk")
    func directorySize() throws {
        let hashes = ChunkShards.random([120_000], seed: 7)[0] ?? []
        let run = try ChunkedRun(hashes, shard: 1)
        #expect(run.directory.chunks.count == 16)
        #expect(run.directory.encoded.count < 64 + 2 * 16)
        let many = ChunkDirectory(
            run.directory.shape,
            greatestShard: 1,
            firstChunk: 0,
            sizes: (0..<1000).map { 33_000 + $0 }
        )
        for number in [0, 1, 63, 64, 65, 999] {
            let start = (0..<number).reduce(0) { $0 + 33_000 + $1 }
            let range = many.byteRange(ofChunk: number)
            #expect(range == UInt64(start)..<UInt64(start + 33_000 + number))
        }
    }
}

@Suite("Damaged chunks of the inverse index")
struct ChunkTestsDamage {
    private static func run() throws -> ChunkedRun {
        let shards = ChunkShards.random(Array(repeating: 12, count: 8), seed: 2)
        return try ChunkedRun(merging: try ChunkShards.runs(shards))
    }

    /// Calls `body` with `bytes` with each byte changed, and with each shorter length.
    private static func forEachDamage(
        of bytes: [UInt8],
        _ body: (_ damaged: [UInt8], _ what: String) throws -> Void
    ) throws {
        for index in bytes.indices {
            let mask = ([0x01, 0x80, 0xff] as [UInt8])[index % 3]
            var damaged = bytes
            damaged[index] ^= mask
            try body(damaged, "byte \(index) ^ \(mask)")
        }
        for count in bytes.indices { try body(Array(bytes[..<count]), "the first \(count)") }
    }

    @Test("a damaged directory is an error")
    func directory() throws {
        let encoded = try Self.run().directory.encoded
        try Self.forEachDamage(of: encoded) { bytes, what in
            #expect(throws: ShardIndexError(.malformed, ""), "\(what)") {
                try ChunkDirectory(reading: bytes)
            }
        }
    }

    @Test("a directory with a false field and a true checksum never traps")
    func hostileDirectory() throws {
        let run = try Self.run()
        try Self.forEachDamage(of: run.directory.encoded) { bytes, _ in
            guard bytes.count >= 64 else { return }
            var bytes = bytes
            bytes.writeShapeChecksum()
            bytes.writeChecksum(at: 0)
            guard let directory = try? ChunkDirectory(reading: bytes) else { return }
            _ = directory.chunk(of: 12345)
            _ = directory.chunks(ofPartition: 3, bits: 4)
            let again = try ChunkDirectory(reading: directory.encoded)
            #expect(again == directory)
            for number in directory.chunks { _ = directory.byteRange(ofChunk: number) }
            let input = ChunkInput(directory) { run.chunks[$0 % run.chunks.count] }
            let merge = ChunkMerge(partition: 0, bits: 0, inputs: [input]) { _ in true }
            _ = try? merge.run { _ in }
        }
    }

    @Test("a later version of a directory is named so")
    func laterVersion() throws {
        var bytes = try Self.run().directory.encoded
        bytes[8] = 2
        bytes.writeChecksum(at: 0)
        #expect(throws: ShardIndexError(.unsupportedVersion, "")) {
            try ChunkDirectory(reading: bytes)
        }
    }

    @Test("a damaged chunk is an error for a search and for a merge")
    func chunk() throws {
        let run = try Self.run()
        #expect(run.chunks.count == 1)
        try Self.forEachDamage(of: run.chunks[0]) { bytes, what in
            let damaged = ChunkedRun(run.directory, [bytes])
            #expect(throws: ShardIndexError(.malformed, ""), "\(what)") {
                try damaged.shards(of: 0)
            }
            #expect(throws: ShardIndexError(.malformed, ""), "\(what)") {
                try ChunkedRun(merging: [damaged, run])
            }
        }
    }

    @Test("a chunk with false entries and a true checksum never traps")
    func hostileChunk() throws {
        let run = try Self.run()
        let entries = try run.entries()
        var count = 0
        try Self.forEachDamage(of: run.chunks[0]) { bytes, _ in
            guard bytes.count == run.chunks[0].count else { return }
            var bytes = bytes
            bytes.writeChecksum(at: 0)
            let hostile = ChunkedRun(run.directory, [bytes])
            bytes.withView { view in
                let chunk = try? InverseChunk(reading: view, number: 0, of: run.directory)
                var shards: [UInt32] = []
                for entry in entries.prefix(50) {
                    chunk?.appendShards(of: entry.hash, to: &shards)
                }
            }
            let isSound = (try? hostile.entries()) != nil
            let merged = try? ChunkedRun(merging: [hostile, run])
            #expect(isSound == (merged != nil))
            count += merged == nil ? 1 : 0
            if let merged { try merged.checkShape() }
        }
        #expect(count > 50)
    }

    @Test("errors of an input and of the sink end a merge")
    func errors() throws {
        let run = try Self.run()
        let broken = ChunkInput(run.directory) { _ in throw ShardIndexError(.storage, "read") }
        let merge = ChunkMerge(partition: 0, bits: 0, inputs: [broken]) { _ in true }
        #expect(throws: ShardIndexError(.storage, "")) { try merge.run { _ in } }
        let sound = ChunkMerge(partition: 0, bits: 0, inputs: [run.input]) { _ in true }
        #expect(throws: ShardIndexError(.storage, "")) {
            try sound.run { _ in throw ShardIndexError(.storage, "write") }
        }
    }
}

extension [UInt8] {
    /// Writes the checksum of the shape in a directory.
    fileprivate mutating func writeShapeChecksum() {
        let checksum = Array(self[32..<56]).withView { Checksum.xxh64($0) }
        for index in 0..<8 {
            self[56 + index] = UInt8(truncatingIfNeeded: checksum >> UInt64(8 * index))
        }
    }
}
