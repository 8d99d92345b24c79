internal import DAGBytes

/// Writes a run of the inverse index, segment by segment, from entries in order.
///
/// *Memory*: one segment.
package struct InverseRunBuilder {
    /// A receiver of segments.
    package typealias Sink = (_ number: Int, _ bytes: [UInt8]) throws -> Void

    /// The shape of all segments; its counts grow with each segment.
    package private(set) var shape: InverseRunShape
    private let sink: Sink
    private let makeBuffer: () -> [UInt8]
    private let segmentSizeMax: Int
    private let restWidth: Int
    private let restMask: UInt64
    private let shardWidth: Int
    private let leastShard: UInt32
    private let bucketWidth: Int
    private let bucketMask: Int
    /// The number of entries that a list has no room for.
    private(set) var cutCount: UInt64 = 0
    /// The number of the current segment.
    private var number: Int
    private var starts: [UInt32] = []
    private var count: UInt32 = 0
    private var restBits = BitWriter()
    private var shardBits = BitWriter()
    private var lists: [UInt8] = []
    private var listedBits = BitWriter()
    private var listedCount: UInt32 = 0
    /// The first shard of `hash`, if it is not written yet.
    private var first: UInt32?
    /// The other shards of `hash` that are not written yet.
    private var others: [UInt32] = []
    private var hash: UInt64 = .max

    /// Creates a builder that begins with a segment.
    ///
    /// - Parameters:
    ///   - shape: The run's shape, for at least as many entries as will come.
    ///   - segment: The first segment to write; an earlier attempt wrote those before.
    ///   - segmentSizeMax: The largest size of a segment, in bytes. The builder cuts lists that reach it.
    ///   - makeBuffer: Returns an empty array for a segment.
    ///   - sink: Receives the segments in order.
    package init(
        _ shape: InverseRunShape,
        from segment: Int = 0,
        segmentSizeMax: Int = .max,
        makeBuffer: @escaping () -> [UInt8] = { [] },
        sink: @escaping Sink
    ) {
        self.shape = shape
        self.sink = sink
        self.makeBuffer = makeBuffer
        self.segmentSizeMax = segmentSizeMax
        restWidth = shape.restBits
        restMask = 1 << UInt64(shape.restBits) - 1
        shardWidth = shape.shardBits
        leastShard = shape.leastShard
        bucketWidth = shape.bucketBits
        bucketMask = 1 << shape.bucketBits - 1
        number = segment
        starts.reserveCapacity(1 << shape.bucketBits + 1)
    }

    /// Adds an entry; ignores one that equals the last.
    ///
    /// - Parameter entry: An entry that is not before the last one, nor before the first segment.
    /// - Throws: The error of the sink.
    @inline(__always)
    package mutating func append(_ entry: InverseEntry) throws {
        guard entry.hash == hash else {
            try flushGroup()
            hash = entry.hash
            first = entry.shard
            return
        }
        if entry.shard != others.last ?? first { others.append(entry.shard) }
    }

    /// Adds the hashes of sorted entries of one shard; ignores hashes that equal the last.
    ///
    /// - Parameter entries: Entries whose hashes are not before the last one's. The run has one shard.
    /// - Throws: The error of the sink.
    mutating func append(hashesOf entries: borrowing LocatorEntries) throws {
        precondition(shape.shardBits == 0, "a run of one shard")
        try flushGroup()
        for index in 0..<entries.count {
            try append(hash: InverseEntry.hash(of: entries[index].hash))
        }
    }

    /// Adds a hash of the run's only shard; ignores one that equals the last.
    ///
    /// - Parameter next: A hash that is not before the last one. Every earlier entry came through this method.
    /// - Throws: The error of the sink.
    @inline(__always)
    mutating func append(hash next: UInt64) throws {
        guard next != hash else { return }
        hash = next
        try completeBuckets(before: next)
        put(0)
        shape.entryCount += 1
    }

    @inline(__always)
    private mutating func flushGroup() throws {
        guard let first else { return }
        self.first = nil
        try completeBuckets(before: hash)
        guard others.isEmpty else { return flushShards(first) }
        put(UInt64(first &- leastShard))
        shape.entryCount &+= 1
    }

    /// Adds several shards of the hash to the current bucket.
    private mutating func flushShards(_ first: UInt32) {
        var group = [first] + others
        others.removeAll(keepingCapacity: true)
        if group.count >= InverseRunShape.listedFrom { cut(&group) }
        if group.count < InverseRunShape.listedFrom {
            for shard in group { put(UInt64(shard &- shape.leastShard)) }
        } else {
            put((1 << UInt64(shape.shardBits)) - 1)
            lists.append(littleEndian: hash)
            lists.append(littleEndian: listedCount)
            lists.append(littleEndian: UInt32(group.count))
            for shard in group {
                let value = UInt64(shard &- shape.leastShard)
                listedBits.append(value, width: shape.shardBits)
            }
            listedCount += UInt32(group.count)
        }
        shape.entryCount += UInt64(group.count)
    }

    /// Removes the least shards of a group that has no room.
    ///
    /// A list takes at most half of the room that its segment has left, less some for entries without a list.
    private mutating func cut(_ group: inout [UInt32]) {
        guard segmentSizeMax < .max else { return }
        let room = (segmentSizeMax - segmentSize) / 2 - Self.sizeReserved
        let shardsMax = max(InverseRunShape.listedFrom - 1, room * 8 / shape.shardBits)
        guard group.count > shardsMax else { return }
        cutCount += UInt64(group.count - shardsMax)
        group.removeFirst(group.count - shardsMax)
    }

    /// The room that lists leave for other entries, in bytes.
    private static let sizeReserved = 1 << 16

    /// The size of the current segment, in bytes.
    private var segmentSize: Int {
        InverseSegment.headerSize + 4 * (1 << shape.bucketBits + 1) + restBits.byteCount
            + shardBits.byteCount + lists.count + listedBits.byteCount + InverseSegment.slack
    }

    /// Adds an entry to the current bucket.
    @inline(__always)
    private mutating func put(_ shard: UInt64) {
        restBits.append(hash & restMask, width: restWidth)
        if shardWidth > 0 { shardBits.append(shard, width: shardWidth) }
        count &+= 1
    }

    /// Completes buckets and segments up to that of a hash.
    @inline(__always)
    private mutating func completeBuckets(before hash: UInt64) throws {
        let bucket = Int(truncatingIfNeeded: hash &>> UInt64(truncatingIfNeeded: restWidth))
        let segment = bucket &>> bucketWidth
        while number < segment { try flushSegment() }
        let own = bucket & bucketMask
        while starts.count <= own { starts.append(count.littleEndian) }
    }

    private mutating func flushSegment() throws {
        while starts.count <= 1 << shape.bucketBits { starts.append(count.littleEndian) }
        var bytes = makeBuffer()
        guard segmentSize <= segmentSizeMax else {
            throw ShardIndexError(.limitExceeded, "an inverse segment of \(segmentSize) bytes")
        }
        bytes.reserveCapacity(segmentSize)
        bytes.append(littleEndian: UInt64(0))
        bytes.append(littleEndian: count)
        bytes.append(littleEndian: UInt32(lists.count / InverseSegment.listSize))
        // SAFETY: integers may be read as bytes; they are little-endian, and the call only reads them.
        unsafe starts.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        restBits.finish(to: &bytes)
        shardBits.finish(to: &bytes)
        bytes += lists
        listedBits.finish(to: &bytes)
        bytes += repeatElement(0, count: InverseSegment.slack)
        bytes.writeChecksum(at: 0)
        shape.byteCount += UInt64(bytes.count)
        try sink(number, bytes)
        number += 1
        count = 0
        listedCount = 0
        starts.removeAll(keepingCapacity: true)
        lists.removeAll(keepingCapacity: true)
    }

    /// Writes the rest, with empty segments.
    ///
    /// - Parameter end: The segment after the last one to write; nil for all.
    /// - Returns: The shape, with the counts of what this builder wrote.
    /// - Throws: The error of the sink.
    package mutating func finish(before end: Int? = nil) throws -> InverseRunShape {
        try flushGroup()
        while number < end ?? shape.segmentCount { try flushSegment() }
        return shape
    }
}

/// A whole run.
package struct InverseRun: Sendable {
    /// The shape of all segments.
    package let shape: InverseRunShape
    /// The segments in order.
    package let segments: [InverseSegment]

    /// Creates a run from its segments, in the number that the shape has.
    package init(_ shape: InverseRunShape, segments: [InverseSegment]) {
        precondition(segments.count == shape.segmentCount)
        self.shape = shape
        self.segments = segments
    }

    /// Appends the entries of one bucket, in order.
    func append(bucket: UInt64, to entries: inout [InverseEntry]) {
        segments[Int(bucket >> UInt64(shape.bucketBits))].append(bucket: bucket, to: &entries)
    }

    var bits: Int { shape.segmentBits + shape.bucketBits }
}
