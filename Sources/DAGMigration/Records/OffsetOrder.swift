internal import DAGBytes
internal import SystemPackage

/// The records of an index in the order of their offsets, in bounded memory.
///
/// Index files are sorted by digest, and the store builds indexes in CAR order. The offsets are counted first, and
/// divided into ranges that fit the budget. Then the file is read once for each range.
///
/// *Cost*: about 50 ns a record, and one or two passes over the file for each range. *Concurrency*: one thread.
struct OffsetOrder {
    /// The largest offset; nil if there are no records.
    private(set) var offsetMax: UInt64?
    /// Whether there are identity CIDs; false if the index has no hash functions.
    private(set) var hasIdentity = false

    private let index: any MigrationRecords
    /// Upper bounds of the ranges, each excluded by the next one.
    private var bounds: [UInt64] = []

    private static let binCount = 4096
    /// The bytes of a record in memory without its digest.
    private static let recordSize: UInt64 = 32

    /// Finds the ranges.
    ///
    /// - Parameters:
    ///   - index: The records.
    ///   - budget: The bytes of memory for the records of a range.
    /// - Throws: `.malformedIndex` if the records are not sorted, or if the records of one offset exceed the budget;
    ///   `.sourceChanged`, `.sourceUnreadable`.
    init(_ index: any MigrationRecords, budget: Int) throws(MigrationError) {
        self.index = index
        var maximum: UInt64 = 0
        var identity = false
        var total: UInt64 = 0
        try index.forEach { hashCode, digest, offset in
            maximum = max(maximum, offset)
            total += UInt64(digest.count) + Self.recordSize
            if hashCode == 0 { identity = true }
        }
        guard total > 0 else { return }
        offsetMax = maximum
        hasIdentity = identity
        guard total > UInt64(budget) else {
            bounds = [maximum]
            return
        }
        try split(0...maximum, UInt64(budget))
    }

    /// Chooses ranges by the bytes in each of 4,096 equal parts; a part that exceeds the budget is split again.
    private mutating func split(_ range: ClosedRange<UInt64>, _ budget: UInt64)
        throws(MigrationError)
    {
        let width = range.upperBound - range.lowerBound
        let shift = UInt64(max(0, 64 - width.leadingZeroBitCount - 12))
        var sizes = [UInt64](repeating: 0, count: Self.binCount)
        let maximum = offsetMax ?? 0
        try index.forEach { (_, digest, offset) throws(MigrationError) in
            guard offset <= maximum else {
                throw MigrationError(.sourceChanged, index.path, "the offset \(offset) is new")
            }
            guard range.contains(offset) else { return }
            sizes[Int((offset - range.lowerBound) >> shift)] +=
                UInt64(digest.count) + Self.recordSize
        }
        var size: UInt64 = 0
        for (bin, binSize) in sizes.enumerated() where binSize > 0 {
            let start = range.lowerBound + UInt64(bin) << shift
            if size > 0, size + binSize > budget {
                bounds.append(start - 1)
                size = 0
            }
            guard binSize <= budget else {
                let end = start + min(range.upperBound - start, 1 << shift - 1)
                guard start < end else {
                    let detail = "the records at offset \(start) take \(binSize) bytes"
                    throw MigrationError(.malformedIndex, index.path, detail)
                }
                try split(start...end, budget)
                continue
            }
            size += binSize
        }
        if size > 0 { bounds.append(range.upperBound) }
    }

    /// Calls `body` with every record, in the order of the offsets, and once for repeated records.
    ///
    /// - Throws: `.malformedIndex`, `.sourceChanged`, `.sourceUnreadable`, and what `body` throws.
    func forEach(
        _ body: (_ hashCode: UInt64?, _ digest: ByteView, _ offset: UInt64) throws -> Void
    ) throws {
        var last: UInt64?
        for upper in bounds {
            try forEach(from: last.map { $0 + 1 } ?? 0, through: upper, body)
            last = upper
        }
    }

    /// A record in memory: its offset, and where its digest begins.
    private struct Place {
        var offset: UInt64
        var start: UInt32
        var kind: UInt32
    }

    private func forEach(
        from lower: UInt64,
        through upper: UInt64,
        _ body: (_ hashCode: UInt64?, _ digest: ByteView, _ offset: UInt64) throws -> Void
    ) throws {
        var digests: [UInt8] = []
        var places: [Place] = []
        // The hash function and digest size of each bucket, in the order of the buckets.
        var kinds: [(hashCode: UInt64?, size: Int)] = []
        try index.forEach { (hashCode, digest, offset) throws(MigrationError) in
            if kinds.last?.hashCode != hashCode || kinds.last?.size != digest.count {
                kinds.append((hashCode, digest.count))
            }
            guard offset >= lower, offset <= upper else { return }
            places.append(
                Place(
                    offset: offset,
                    start: UInt32(digests.count),
                    kind: UInt32(kinds.count - 1)
                )
            )
            digests.append(digest)
        }
        Self.sort(&places, from: lower, through: upper)
        try digests.withView { view in
            var last: Place?
            for place in places {
                let (hashCode, size) = kinds[Int(place.kind)]
                let digest = view[Int(place.start)..<Int(place.start) + size]
                if let last, last.offset == place.offset, last.kind == place.kind,
                    view[Int(last.start)..<Int(last.start) + size].elementsEqual(digest)
                {
                    continue
                }
                last = place
                try body(hashCode, digest, place.offset)
            }
        }
    }

    /// Sorts by offset, with a radix sort of eleven bits at a time over the bits in which the offsets differ.
    private static func sort(_ places: inout [Place], from lower: UInt64, through upper: UInt64) {
        let bits = 64 - (upper - lower).leadingZeroBitCount
        var other = places
        for shift in stride(from: 0, to: bits, by: 11) {
            var starts = [Int](repeating: 0, count: 2048)
            for place in places { starts[Int((place.offset - lower) >> UInt64(shift) & 2047)] += 1 }
            var sum = 0
            for digit in starts.indices {
                let count = starts[digit]
                starts[digit] = sum
                sum += count
            }
            for place in places {
                let digit = Int((place.offset - lower) >> UInt64(shift) & 2047)
                other[starts[digit]] = place
                starts[digit] += 1
            }
            swap(&places, &other)
        }
    }
}
