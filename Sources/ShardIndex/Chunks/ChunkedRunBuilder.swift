/// Writes a run of a cluster's inverse index, chunk by chunk, from entries in order.
///
/// *Memory*: one chunk, and 4 bytes for each chunk before it.
package struct ChunkedRunBuilder {
    /// A receiver of the chunks in order.
    package typealias Sink = (_ bytes: [UInt8]) throws -> Void

    /// The sizes of the chunks that the sink has.
    private final class Sizes {
        var all: [UInt32] = []
    }

    private let greatestShard: UInt32
    private let chunks: Range<Int>
    private let sizes: Sizes
    private var builder: InverseRunBuilder
    private var lastHash: UInt64 = 0
    private var isEmpty = true

    /// Creates a builder of a level-0 run, which has the entries of one shard.
    ///
    /// - Parameters:
    ///   - count: The number of entries, or a little more.
    ///   - shard: The shard's number in the cluster.
    ///   - sink: Receives the chunks in order.
    /// - Throws: `.limitExceeded` if the run would have more than `ChunkDirectory.chunkCountMax` chunks.
    package init(
        entries count: UInt64,
        shard: UInt32,
        sink: @escaping Sink
    ) throws(ShardIndexError) {
        try self.init(entries: count, shards: shard...shard, partition: 0, bits: 0, sink: sink)
    }

    /// Creates a builder of a run of one partition.
    ///
    /// - Parameters:
    ///   - count: The number of entries, or a little more.
    ///   - shards: The least and the greatest shard.
    ///   - partition: The first bits of the partition's hashes.
    ///   - bits: The number of these bits.
    ///   - sink: Receives the chunks in order.
    /// - Throws: `.limitExceeded` if the run would have more than `ChunkDirectory.chunkCountMax` chunks.
    package init(
        entries count: UInt64,
        shards: ClosedRange<UInt32>,
        partition: Int,
        bits: Int,
        sink: @escaping Sink
    ) throws(ShardIndexError) {
        let shape = InverseRunShape(
            entries: count,
            shards: shards,
            segmentSize: ChunkDirectory.chunkSize,
            partitionBits: bits
        )
        let hashes = InverseEntry.hashes(ofPartition: partition, bits: bits)
        let chunks =
            shape.segment(of: hashes.lowerBound)..<shape.segment(of: hashes.upperBound - 1) + 1
        guard chunks.count <= ChunkDirectory.chunkCountMax else {
            throw ShardIndexError(.limitExceeded, "a run of \(chunks.count) chunks")
        }
        let sizes = Sizes()
        greatestShard = shards.upperBound
        self.chunks = chunks
        self.sizes = sizes
        builder = InverseRunBuilder(
            shape,
            from: chunks.lowerBound,
            segmentSizeMax: ChunkDirectory.chunkSizeMax,
            sink: { _, bytes in
                sizes.all.append(UInt32(bytes.count))
                try sink(bytes)
            }
        )
    }

    /// The shape of every chunk.
    var shape: InverseRunShape { builder.shape }
    /// The numbers of the chunks to write.
    var chunkNumbers: Range<Int> { chunks }
    /// The number of entries that a list had no room for.
    var cutCount: UInt64 { builder.cutCount }

    /// Adds a hash of the only shard; ignores one that equals the last.
    ///
    /// - Parameter hash: A hash that is not before the last one.
    /// - Throws: `.limitExceeded` if far more entries come than the builder was created for; the error of the sink.
    package mutating func append(_ hash: UInt64) throws {
        precondition(hash >= lastHash, "hashes in order")
        precondition(hash >> UInt64(InverseEntry.hashBits) == 0, "a hash of 48 bits")
        precondition(builder.shape.shardBits == 0, "a run of one shard")
        lastHash = hash
        isEmpty = false
        try builder.append(hash: hash)
    }

    /// Adds an entry of the partition; ignores one that equals the last.
    ///
    /// - Parameter entry: An entry that is not before the last one.
    /// - Throws: `.limitExceeded` if far more entries come than the builder was created for; the error of the sink.
    @inline(__always)
    mutating func append(_ entry: InverseEntry) throws {
        isEmpty = false
        try builder.append(entry)
    }

    /// Writes the rest, with empty chunks; a run without entries has no chunks.
    ///
    /// - Returns: The directory.
    /// - Throws: The error of the sink.
    package mutating func finish() throws -> ChunkDirectory {
        let shape = isEmpty ? builder.shape : try builder.finish(before: chunks.upperBound)
        return ChunkDirectory(
            shape,
            greatestShard: greatestShard,
            firstChunk: chunks.lowerBound,
            sizes: sizes.all
        )
    }
}
