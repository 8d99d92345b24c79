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
    /// The number of the current segment.
    private var number: Int
    private var starts: [UInt32] = []
    private var count: UInt32 = 0
    private var restBits = BitWriter()
    private var shardBits = BitWriter()
    private var lists: [UInt8] = []
    private var listedBits = BitWriter()
    private var listedCount: UInt32 = 0
    /// The shards of `hash` that are not written yet.
    private var group: [UInt32] = []
    private var hash: UInt64 = .max

    /// Creates a builder that begins with a segment.
    ///
    /// - Parameters:
    ///   - shape: The run's shape, for at least as many entries as will come.
    ///   - segment: The first segment to write; an earlier attempt wrote those before.
    ///   - makeBuffer: Returns an empty array for a segment.
    ///   - sink: Receives the segments in order.
    package init(
        _ shape: InverseRunShape,
        from segment: Int = 0,
        makeBuffer: @escaping () -> [UInt8] = { [] },
        sink: @escaping Sink
    ) {
        self.shape = shape
        self.sink = sink
        self.makeBuffer = makeBuffer
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
            group.append(entry.shard)
            return
        }
        if entry.shard != group[group.count &- 1] { group.append(entry.shard) }
    }

    /// Adds the hashes of sorted entries of one shard; ignores hashes that equal the last.
    ///
    /// - Parameter entries: Entries whose hashes are not before the last one's. The run has one shard.
    /// - Throws: The error of the sink.
    mutating func append(hashesOf entries: borrowing LocatorEntries) throws {
        precondition(shape.shardBits == 0, "a run of one shard")
        try flushGroup()
        for index in 0..<entries.count {
            let next = InverseEntry.hash(of: entries[index].hash)
            guard next != hash else { continue }
            hash = next
            try completeBuckets(before: next)
            put(0)
            shape.entryCount += 1
        }
    }

    private mutating func flushGroup() throws {
        guard !group.isEmpty else { return }
        try completeBuckets(before: hash)
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
        group.removeAll(keepingCapacity: true)
    }

    /// Adds an entry to the current bucket.
    @inline(__always)
    private mutating func put(_ shard: UInt64) {
        let rest = hash & ((1 << UInt64(shape.restBits)) &- 1)
        restBits.append(rest, width: shape.restBits)
        if shape.shardBits > 0 { shardBits.append(shard, width: shape.shardBits) }
        count &+= 1
    }

    /// Completes buckets and segments up to that of a hash.
    @inline(__always)
    private mutating func completeBuckets(before hash: UInt64) throws {
        let bucket = Int(hash >> UInt64(shape.restBits))
        let segment = bucket >> shape.bucketBits
        while number < segment { try flushSegment() }
        let own = bucket & (1 << shape.bucketBits &- 1)
        while starts.count <= own { starts.append(count.littleEndian) }
    }

    private mutating func flushSegment() throws {
        while starts.count <= 1 << shape.bucketBits { starts.append(count.littleEndian) }
        var bytes = makeBuffer()
        bytes.reserveCapacity(
            InverseSegment.headerSize + 4 * starts.count + restBits.byteCount
                + shardBits.byteCount + lists.count + listedBits.byteCount + InverseSegment.slack
        )
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
    fileprivate func append(bucket: UInt64, to entries: inout [InverseEntry]) {
        segments[Int(bucket >> UInt64(shape.bucketBits))].append(bucket: bucket, to: &entries)
    }

    fileprivate var bits: Int { shape.segmentBits + shape.bucketBits }
}

/// Merges runs into one, segment by segment.
///
/// Bucket counts are powers of two. So a bucket of the result is some whole buckets of each run, or a part of one.
/// The merge needs no heap, but sorts a few dozen entries at a time.
package struct InverseMerge {
    private let runs: [InverseRun]
    private let isWanted: (UInt32) -> Bool

    /// The shape of the result.
    package let shape: InverseRunShape

    /// Creates a merge of runs.
    ///
    /// - Parameters:
    ///   - runs: Two or more runs, or one that the merge cleans.
    ///   - shape: The shape of a result that exists in part; nil for a new one.
    ///   - isWanted: Whether the result keeps a shard's entries.
    package init(
        _ runs: [InverseRun],
        shape: InverseRunShape? = nil,
        isWanted: @escaping (UInt32) -> Bool
    ) {
        precondition(!runs.isEmpty)
        self.runs = runs
        self.isWanted = isWanted
        self.shape = shape ?? Self.shape(of: runs.map(\.shape))
    }

    /// Returns the shape of a merge of runs with these shapes.
    package static func shape(of shapes: [InverseRunShape]) -> InverseRunShape {
        let least = shapes.map(\.leastShard).min() ?? 0
        let greatest = shapes.map(\.greatestShard).max() ?? 0
        let count = shapes.reduce(0) { $0 + $1.entryCount }
        return InverseRunShape(entries: count, shards: least...max(least, greatest))
    }

    /// Appends the entries of some segments of the result to a builder that begins there.
    ///
    /// - Parameters:
    ///   - segments: The numbers of the segments.
    ///   - builder: Receives the entries.
    /// - Returns: The number of dropped entries, which were duplicates or belonged to removed shards.
    /// - Throws: The error of the builder's sink.
    package func run(
        _ segments: Range<Int>,
        into builder: inout InverseRunBuilder
    ) throws -> UInt64 {
        let bits = shape.segmentBits + shape.bucketBits
        var cursors = runs.map { Cursor($0) }
        var entries: [InverseEntry] = []
        var dropped: UInt64 = 0
        let first = UInt64(segments.lowerBound) << UInt64(shape.bucketBits)
        let last = UInt64(segments.upperBound) << UInt64(shape.bucketBits)
        var bucket = first
        while bucket < last {
            entries.removeAll(keepingCapacity: true)
            for index in cursors.indices {
                cursors[index].take(bucket, ofBits: bits, &entries)
            }
            Self.sort(&entries)
            var before: InverseEntry?
            for entry in entries {
                guard entry != before, isWanted(entry.shard) else {
                    dropped += 1
                    continue
                }
                before = entry
                try builder.append(entry)
            }
            bucket += 1
        }
        return dropped
    }

    /// Sorts a few dozen entries, which come in ascending stretches.
    private static func sort(_ entries: inout [InverseEntry]) {
        guard entries.count <= 64 else { return entries.sort(by: <) }
        var index = 1
        while index < entries.count {
            let entry = entries[index]
            var place = index
            while place > 0, entry < entries[place &- 1] {
                entries[place] = entries[place &- 1]
                place &-= 1
            }
            entries[place] = entry
            index &+= 1
        }
    }

    /// A place in a run.
    private struct Cursor {
        private let run: InverseRun
        /// The entries of a bucket that is larger than the result's, and how many of them are merged.
        private var entries: [InverseEntry] = []
        private var taken = 0
        private var held: UInt64?

        init(_ run: InverseRun) { self.run = run }

        /// Appends the entries of a bucket of the result.
        mutating func take(_ bucket: UInt64, ofBits bits: Int, _ result: inout [InverseEntry]) {
            guard bits < run.bits else {
                let shift = UInt64(bits - run.bits)
                guard shift > 0 else { return run.append(bucket: bucket, to: &result) }
                return mergePart(bucket, shift, UInt64(InverseEntry.hashBits - bits), &result)
            }
            let shift = UInt64(run.bits - bits)
            for own in (bucket << shift)..<((bucket + 1) << shift) {
                run.append(bucket: own, to: &result)
            }
        }

        private mutating func mergePart(
            _ bucket: UInt64,
            _ shift: UInt64,
            _ low: UInt64,
            _ result: inout [InverseEntry]
        ) {
            let own = bucket >> shift
            if held != own {
                entries.removeAll(keepingCapacity: true)
                run.append(bucket: own, to: &entries)
                held = own
                // A resumed merge may begin in the middle of a bucket.
                let start = bucket << low
                taken = entries.firstIndex { $0.hash >= start } ?? entries.count
            }
            let end = (bucket + 1) << low
            while taken < entries.count, entries[taken].hash < end {
                result.append(entries[taken])
                taken += 1
            }
        }
    }
}

extension InverseRunShape {
    /// The largest shard number that the run can have.
    fileprivate var greatestShard: UInt32 {
        guard shardBits > 0 else { return leastShard }
        let spread = UInt64(1) << UInt64(shardBits) - 2
        return UInt32(clamping: UInt64(leastShard) + spread)
    }
}
