import DAGBytes
import TestSupport
import Testing

@testable import ShardIndex

/// A run of chunks in memory.
struct ChunkedRun {
    var directory: ChunkDirectory
    var chunks: [[UInt8]]

    var input: ChunkInput {
        ChunkInput(directory) { number in
            #expect(directory.chunks.contains(number))
            return chunks[number - directory.chunks.lowerBound]
        }
    }

    /// The number of bytes of all chunks and the directory.
    var size: Int { Int(directory.totalSize) + directory.encoded.count }

    /// Builds the level-0 run of a shard.
    init(_ hashes: [UInt64], shard: UInt32, count: Int? = nil) throws {
        let kept = Kept()
        var builder = try ChunkedRunBuilder(
            entries: UInt64(count ?? hashes.count),
            shard: shard,
            sink: kept.add
        )
        for hash in hashes.sorted() { try builder.append(hash) }
        directory = try builder.finish()
        chunks = kept.chunks
    }

    /// Merges inputs.
    init(
        merging runs: [Self],
        partition: Int = 0,
        bits: Int = 0,
        isWanted: @escaping (UInt32) -> Bool = { _ in true }
    ) throws {
        (self, _) = try Self.merged(runs, partition, bits, isWanted)
    }

    init(_ directory: ChunkDirectory, _ chunks: [[UInt8]]) {
        self.directory = directory
        self.chunks = chunks
    }

    static func merged(
        _ runs: [Self],
        _ partition: Int,
        _ bits: Int,
        _ isWanted: @escaping (UInt32) -> Bool
    ) throws -> (Self, ChunkMerge.Result) {
        let kept = Kept()
        let merge = ChunkMerge(
            partition: partition,
            bits: bits,
            inputs: runs.map(\.input),
            isWanted: isWanted
        )
        let result = try merge.run(sink: kept.add)
        return (Self(result.directory, kept.chunks), result)
    }

    /// Returns the shards of a hash, as a node finds them.
    func shards(of hash: UInt64) throws -> [UInt32] {
        guard let number = directory.chunk(of: hash) else { return [] }
        let bytes = chunks[number - directory.chunks.lowerBound]
        return try bytes.withView { view in
            let chunk = try InverseChunk(reading: view, number: number, of: directory)
            try chunk.check()
            var shards: [UInt32] = []
            chunk.appendShards(of: hash, to: &shards)
            return shards
        }
    }

    /// Returns every entry, in order.
    func entries() throws -> [InverseEntry] {
        var found: [InverseEntry] = []
        for (number, bytes) in zip(directory.chunks, chunks) {
            try bytes.withView { view in
                let chunk = try InverseChunk(reading: view, number: number, of: directory)
                try chunk.check()
                chunk.segment.forEach(number: number) { found.append($0) }
            }
        }
        return found
    }

    /// Checks what is true of every run.
    func checkShape() throws {
        #expect(directory.chunks.count == chunks.count)
        #expect(directory.totalSize == UInt64(chunks.reduce(0) { $0 + $1.count }))
        #expect(directory.shape.byteCount == directory.totalSize)
        #expect(try ChunkDirectory(reading: directory.encoded) == directory)
        var end: UInt64 = 0
        for (number, bytes) in zip(directory.chunks, chunks) {
            let range = directory.byteRange(ofChunk: number)
            #expect(range == end..<end + UInt64(bytes.count))
            end = range.upperBound
        }
    }

    /// Takes chunks.
    private final class Kept {
        var chunks: [[UInt8]] = []

        func add(_ bytes: [UInt8]) { chunks.append(bytes) }
    }
}

/// Random shards of a cluster.
enum ChunkShards {
    /// Makes shards that share some hashes.
    ///
    /// - Parameters:
    ///   - sizes: The number of hashes of each shard.
    ///   - first: The number of the first shard.
    ///   - seed: The seed.
    /// - Returns: The hashes of each shard.
    static func random(_ sizes: [Int], first: UInt32 = 0, seed: UInt64) -> [UInt32: [UInt64]] {
        var random = SplitMix64(seed: seed)
        var common: [UInt64] = [0, 1, 1 << 48 - 1]
        for _ in 0..<50 { common.append(random.next() >> 16) }
        var shards: [UInt32: [UInt64]] = [:]
        for (index, size) in sizes.enumerated() {
            var hashes: Set<UInt64> = []
            while hashes.count < size {
                let isCommon = random.next() % 4 == 0 && hashes.count < 20
                let place = Int(random.next() % UInt64(common.count))
                hashes.insert(isCommon ? common[place] : random.next() >> 16)
            }
            shards[first + UInt32(index)] = Array(hashes)
        }
        return shards
    }

    /// Returns the entries of shards, in order.
    static func entries(_ shards: [UInt32: [UInt64]]) -> [InverseEntry] {
        shards.flatMap { shard, hashes -> [InverseEntry] in
            hashes.map { InverseEntry(hash: $0, shard: shard) }
        }.sorted(by: <)
    }

    static func runs(_ shards: [UInt32: [UInt64]]) throws -> [ChunkedRun] {
        try shards.map { try ChunkedRun($1, shard: $0) }
    }
}
