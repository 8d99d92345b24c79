internal import DAGBytes
internal import DAGHashing

/// The shape of a run of a cluster's inverse index, and the sizes of its chunks.
///
/// A run is one object: its chunks one after another. A chunk is an `InverseSegment` whose number counts over the
/// hashes of all partitions. A run of one partition has only the chunks of that partition.
///
/// ```
///  0  u64 checksum          xxh64 of everything after it
///  8  u8  version = 1       9  u8 width of a size in bits     10  u16 zero
/// 12  u32 first chunk      16  u32 chunks                     20  u32 greatest shard
/// 24  u32 least size       28  u32 zero                       32  shape of the run, 32 bytes
/// 64  sizes                less the least one, packed
/// ```
///
/// A run without entries has no chunks.
///
/// *Memory*: 4.2 bytes a chunk.
package struct ChunkDirectory: Equatable, Sendable {
    /// The usual size of a chunk, in bytes; an average chunk has at most 95 % of it.
    package static let chunkSize = 1 << 16
    /// The largest size of a chunk, in bytes, which only long lists of shards reach.
    package static let chunkSizeMax = IndexPage.valueSizeMax
    /// The largest number of chunks in a run.
    package static let chunkCountMax = 1 << 22
    /// The largest number of first bits of a hash that name a partition.
    package static let partitionBitsMax = 16

    static let version: UInt8 = 1
    static let headerSize = 64
    private static let segmentBitsMax = 31
    /// The number of sizes that `byteRange(ofChunk:)` adds at most.
    private static let stride = 64

    /// The shape of every chunk.
    package let shape: InverseRunShape
    /// The greatest shard's number, or a greater one.
    package let greatestShard: UInt32
    /// The numbers of the run's chunks.
    package let chunks: Range<Int>
    private let sizes: [UInt32]
    /// Where every 64th chunk begins.
    private let starts: [UInt64]
    /// The size of all chunks, in bytes.
    package let totalSize: UInt64

    /// Creates a directory.
    ///
    /// - Parameters:
    ///   - shape: The shape of every chunk; its size in bytes is that of all chunks.
    ///   - greatestShard: The greatest shard's number, or a greater one that the shape can hold.
    ///   - firstChunk: The first chunk's number.
    ///   - sizes: The sizes of the chunks, in bytes.
    init(_ shape: InverseRunShape, greatestShard: UInt32, firstChunk: Int, sizes: [UInt32]) {
        self.shape = shape
        self.greatestShard = greatestShard
        self.sizes = sizes
        chunks = firstChunk..<firstChunk + sizes.count
        var starts: [UInt64] = []
        starts.reserveCapacity(sizes.count / Self.stride + 1)
        var start: UInt64 = 0
        for (index, size) in sizes.enumerated() {
            if index % Self.stride == 0 { starts.append(start) }
            start += UInt64(size)
        }
        self.starts = starts
        totalSize = start
    }

    /// Reads a directory.
    ///
    /// *Memory*: at most 17 MiB.
    ///
    /// - Parameter bytes: The encoded directory.
    /// - Throws: `.malformed`; `.unsupportedVersion` if a newer version wrote it.
    package init(reading bytes: [UInt8]) throws(ShardIndexError) {
        self = try bytes.withView { view throws(ShardIndexError) in
            try Self.read(view)
        }
    }

    private static func read(_ view: ByteView) throws(ShardIndexError) -> Self {
        let isWhole =
            view.count >= headerSize
            && Checksum.xxh64(view[8..<view.count]) == view.loadUInt64(at: 0)
        guard isWhole else { throw ShardIndexError(.malformed, "a directory of chunks is damaged") }
        guard view[8] <= version else {
            throw ShardIndexError(
                .unsupportedVersion,
                "the directory of a run has version \(view[8])"
            )
        }
        let width = Int(view[9])
        let first = Int(view.loadUInt32(at: 12))
        let count = Int(view.loadUInt32(at: 16))
        let greatest = view.loadUInt32(at: 20)
        let least = view.loadUInt32(at: 24)
        guard view[8] == version, view.loadUInt16(at: 10) == 0, view.loadUInt32(at: 28) == 0,
            width <= UInt32.bitWidth, count <= chunkCountMax,
            view.count == headerSize + (count * width + 7) / 8
        else { throw impossible }
        let shape = try InverseRunShape(
            reading: view[32..<headerSize].copied,
            segmentBitsMax: segmentBitsMax
        )
        guard shape.canHold(greatest), count > 0 || shape.entryCount == 0,
            first + count <= shape.segmentCount
        else { throw impossible }
        var sizes: [UInt32] = []
        sizes.reserveCapacity(count)
        let packed = view[headerSize..<view.count]
        for index in 0..<count {
            let size = UInt64(least) + packed.loadBits(at: index * width, width: width)
            guard size >= shape.emptySegmentSize, size <= chunkSizeMax else { throw impossible }
            sizes.append(UInt32(size))
        }
        let directory = Self(shape, greatestShard: greatest, firstChunk: first, sizes: sizes)
        // The cost of a merge follows from the number of entries, so their bits must fit.
        let entryBits = UInt64(shape.shardBits > 0 ? shape.shardBits : shape.restBits)
        guard directory.totalSize == shape.byteCount,
            shape.entryCount <= directory.totalSize * 8 / entryBits
        else { throw impossible }
        return directory
    }

    private static var impossible: ShardIndexError {
        ShardIndexError(.malformed, "a directory of chunks is impossible")
    }

    /// The encoded directory.
    package var encoded: [UInt8] {
        let least = sizes.min() ?? 0
        let width = UInt32.bitWidth - ((sizes.max() ?? 0) - least).leadingZeroBitCount
        var bytes: [UInt8] = []
        bytes.append(littleEndian: UInt64(0))
        bytes += [Self.version, UInt8(width), 0, 0]
        bytes.append(littleEndian: UInt32(chunks.lowerBound))
        bytes.append(littleEndian: UInt32(chunks.count))
        bytes.append(littleEndian: greatestShard)
        bytes.append(littleEndian: least)
        bytes.append(littleEndian: UInt32(0))
        bytes += shape.encoded
        var packed = BitWriter()
        for size in sizes { packed.append(UInt64(size - least), width: width) }
        packed.finish(to: &bytes)
        bytes.writeChecksum(at: 0)
        return bytes
    }

    /// Returns where a chunk is in the run, in bytes.
    ///
    /// *Cost*: adds at most 63 sizes.
    ///
    /// - Parameter chunk: The number of one of the run's chunks.
    /// - Returns: The range.
    package func byteRange(ofChunk chunk: Int) -> Range<UInt64> {
        precondition(chunks.contains(chunk), "a chunk of the run")
        let index = chunk - chunks.lowerBound
        var start = starts[index / Self.stride]
        for size in sizes[(index - index % Self.stride)..<index] { start += UInt64(size) }
        return start..<start + UInt64(sizes[index])
    }

    /// Returns the size of a chunk, in bytes.
    ///
    /// - Parameter chunk: The number of one of the run's chunks.
    /// - Returns: The size.
    package func size(ofChunk chunk: Int) -> Int {
        precondition(chunks.contains(chunk), "a chunk of the run")
        return Int(sizes[chunk - chunks.lowerBound])
    }

    /// Returns the number of the chunk that has the shards of a hash.
    ///
    /// - Parameter hash: The hash of a digest.
    /// - Returns: The number; nil if the run covers other hashes only.
    package func chunk(of hash: UInt64) -> Int? {
        guard hash >> UInt64(InverseEntry.hashBits) == 0 else { return nil }
        let chunk = shape.segment(of: hash)
        return chunks.contains(chunk) ? chunk : nil
    }

    /// Returns the numbers of the chunks that may have entries of a partition.
    ///
    /// - Parameters:
    ///   - partition: The first bits of the partition's hashes.
    ///   - bits: The number of these bits.
    /// - Returns: The numbers; an empty range if the run covers other hashes only.
    package func chunks(ofPartition partition: Int, bits: Int) -> Range<Int> {
        let hashes = InverseEntry.hashes(ofPartition: partition, bits: bits)
        let first = shape.segment(of: hashes.lowerBound)
        let last = shape.segment(of: hashes.upperBound - 1)
        return (first..<last + 1).clamped(to: chunks)
    }
}

extension InverseEntry {
    /// Returns the hashes of a partition.
    ///
    /// - Parameters:
    ///   - partition: The first bits of the partition's hashes.
    ///   - bits: The number of these bits, at most `ChunkDirectory.partitionBitsMax`.
    /// - Returns: The hashes.
    static func hashes(ofPartition partition: Int, bits: Int) -> Range<UInt64> {
        precondition((0...ChunkDirectory.partitionBitsMax).contains(bits), "bits of a partition")
        precondition((0..<1 << bits).contains(partition), "a partition")
        let low = UInt64(hashBits - bits)
        return UInt64(partition) << low..<UInt64(partition + 1) << low
    }
}

extension InverseRunShape {
    /// The size of a segment without entries, in bytes.
    fileprivate var emptySegmentSize: UInt64 {
        UInt64(InverseSegment.headerSize + 4 * (1 << bucketBits + 1) + InverseSegment.slack)
    }

    /// Returns whether a shard's number fits beside the least one.
    fileprivate func canHold(_ shard: UInt32) -> Bool {
        guard shard >= leastShard else { return false }
        guard shardBits > 0 else { return shard == leastShard }
        // All ones mean that a list follows.
        return UInt64(shard - leastShard) < UInt64(1) << UInt64(shardBits) - 1
    }
}
