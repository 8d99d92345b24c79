internal import DAGBytes

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
                cursors[index].appendBucket(bucket, ofBits: bits, &entries)
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
        mutating func appendBucket(
            _ bucket: UInt64,
            ofBits bits: Int,
            _ result: inout [InverseEntry]
        ) {
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
