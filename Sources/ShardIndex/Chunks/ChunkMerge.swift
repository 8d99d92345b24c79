internal import DAGBytes

/// A run that a merge reads.
package struct ChunkInput {
    /// The run's directory.
    package let directory: ChunkDirectory
    /// A function that returns the bytes of one of the run's chunks; the merge reads each chunk once, in order.
    package let readChunk: (_ number: Int) throws -> [UInt8]

    /// Creates an input.
    ///
    /// - Parameters:
    ///   - directory: The run's directory.
    ///   - readChunk: Returns the bytes of a chunk.
    package init(_ directory: ChunkDirectory, readChunk: @escaping (Int) throws -> [UInt8]) {
        self.directory = directory
        self.readChunk = readChunk
    }
}

/// Merges the entries of one partition from many runs into one run.
///
/// The merge goes through the result chunk by chunk. It gathers the entries of one chunk from all inputs, distributes
/// them to the buckets of the chunk, and sorts each bucket. So the cost of an entry is independent of the number of
/// inputs.
///
/// A chunk has at most `ChunkDirectory.chunkSizeMax` bytes. A hash that hundreds of thousands of shards have is a list
/// that may exceed it: the merge then keeps the greatest shard numbers that fit. A search still finds the
/// digest as long as one kept shard exists.
///
/// *Memory*: one chunk of each input, the entries of one chunk of the result, and that chunk.
package struct ChunkMerge {
    /// The result of a merge.
    package struct Result: Equatable, Sendable {
        /// The directory of the new run.
        package let directory: ChunkDirectory
        /// The number of dropped entries, which were duplicates or belonged to unwanted shards.
        package let droppedCount: UInt64
        /// The number of entries that a list had no room for.
        package let cutCount: UInt64
    }

    private let partition: Int
    private let bits: Int
    private let inputs: [ChunkInput]
    private let isWanted: (UInt32) -> Bool

    /// Creates a merge.
    ///
    /// - Parameters:
    ///   - partition: The first bits of the partition's hashes.
    ///   - bits: The number of these bits.
    ///   - inputs: The runs, in any order. The caller may leave out runs of unwanted shards.
    ///   - isWanted: Whether the result keeps a shard's entries.
    package init(
        partition: Int,
        bits: Int,
        inputs: [ChunkInput],
        isWanted: @escaping (UInt32) -> Bool
    ) {
        self.partition = partition
        self.bits = bits
        self.inputs = inputs.filter { $0.directory.shape.entryCount > 0 }
        self.isWanted = isWanted
    }

    /// Merges all inputs.
    ///
    /// - Parameter sink: Receives the chunks of the result in order; none if the result has no entries.
    /// - Returns: The new run's directory, and counts.
    /// - Throws: `.malformed` if an input is damaged; `.limitExceeded` if the result has too many chunks, or the inputs
    ///   have far more entries than their directories say; the errors of inputs and sink.
    package func run(sink: @escaping ChunkedRunBuilder.Sink) throws -> Result {
        let least = inputs.map(\.directory.shape.leastShard).min() ?? 0
        let greatest = inputs.map(\.directory.greatestShard).max() ?? 0
        var builder = try ChunkedRunBuilder(
            entries: estimatedCount,
            shards: least...greatest,
            partition: partition,
            bits: bits,
            sink: sink
        )
        var sources = inputs.map { ChunkSource($0, partition: partition, bits: bits) }
        var window = MergeWindow(builder.shape)
        var droppedCount: UInt64 = 0
        let low = UInt64(InverseEntry.hashBits - builder.shape.segmentBits)
        for chunk in builder.chunkNumbers {
            window.begin(chunk: chunk)
            for index in sources.indices {
                try sources[index].gather(before: UInt64(chunk + 1) << low, into: &window)
            }
            droppedCount += try window.append(to: &builder, where: isWanted)
        }
        return Result(
            directory: try builder.finish(),
            droppedCount: droppedCount,
            cutCount: builder.cutCount
        )
    }

    /// The number of the partition's entries in all inputs, or a little more.
    ///
    /// A run has about the same number of entries for each hash that it covers.
    private var estimatedCount: UInt64 {
        var count = 0.0
        for input in inputs {
            let directory = input.directory
            let chunks = directory.chunks(ofPartition: partition, bits: bits)
            let share = Double(chunks.count) / Double(max(1, directory.chunks.count))
            // A chunk may cover several partitions.
            let partitions = 1 << max(0, bits - directory.shape.segmentBits)
            count += Double(directory.shape.entryCount) * share / Double(partitions)
        }
        // Four standard deviations more. A damaged directory may state any number.
        return UInt64(min(count + 4 * count.squareRoot(), 0x1p46)) + 1
    }
}

/// A place in an input of a merge.
private struct ChunkSource {
    private let input: ChunkInput
    private let hashes: Range<UInt64>
    private var rest: Range<Int>
    /// The owner of the walk's bytes.
    private var owner: OwnedBytes?
    private var walk: ChunkWalk?

    init(_ input: ChunkInput, partition: Int, bits: Int) {
        self.input = input
        hashes = InverseEntry.hashes(ofPartition: partition, bits: bits)
        rest = input.directory.chunks(ofPartition: partition, bits: bits)
    }

    /// Adds the next entries of the partition to a window.
    mutating func gather(before end: UInt64, into window: inout MergeWindow) throws {
        while true {
            if walk == nil {
                guard let number = rest.first, isBefore(end, number) else { return }
                try readChunk(number)
                rest.removeFirst()
            }
            let isOver = try walk?.forEach(before: end, { window.add($0) })
            guard window.count <= MergeWindow.countMax else {
                throw ShardIndexError(.limitExceeded, "\(window.count) entries for one chunk")
            }
            guard isOver == true else { return }
            walk = nil
            owner = nil
        }
    }

    private func isBefore(_ end: UInt64, _ chunk: Int) -> Bool {
        let low = UInt64(InverseEntry.hashBits - input.directory.shape.segmentBits)
        return max(hashes.lowerBound, UInt64(chunk) << low) < end
    }

    private mutating func readChunk(_ number: Int) throws {
        let bytes = try input.readChunk(number)
        let owner = bytes.withView { OwnedBytes(copying: $0) }
        let chunk = try InverseChunk(reading: owner.view, number: number, of: input.directory)
        try chunk.segment.check()
        var walk = chunk.entries
        // The first chunk may begin before the partition.
        try walk.forEach(before: hashes.lowerBound) { _ in }
        self.owner = owner
        self.walk = walk
    }
}
