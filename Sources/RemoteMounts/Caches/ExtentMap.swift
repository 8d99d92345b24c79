/// Parts of one object's bytes, by their offsets; parts do not overlap.
struct ExtentMap {
    /// A part of the object.
    struct Extent: Equatable {
        /// The offset in the object.
        let start: UInt64
        /// The bytes.
        let bytes: ArraySlice<UInt8>
        /// The offset behind the bytes.
        var end: UInt64 { start + UInt64(bytes.count) }
    }

    private(set) var extents: [Extent] = []

    /// Adds a part, without what is there already.
    ///
    /// - Returns: The number of bytes that the map now holds more.
    mutating func insert(_ bytes: ArraySlice<UInt8>, at start: UInt64) -> Int {
        var added = 0
        let range = start..<start + UInt64(bytes.count)
        for gap in gaps(in: range) {
            let first = bytes.startIndex + Int(gap.lowerBound - start)
            let part = bytes[first..<first + Int(gap.upperBound - gap.lowerBound)]
            let index = firstIndex(endingAfter: gap.lowerBound)
            extents.insert(Extent(start: gap.lowerBound, bytes: part), at: index)
            added += part.count
        }
        return added
    }

    /// Returns the parts of a range that are there, in order.
    func parts(in range: Range<UInt64>) -> [Extent] {
        var found: [Extent] = []
        var index = firstIndex(endingAfter: range.lowerBound)
        while index < extents.count, extents[index].start < range.upperBound {
            let extent = extents[index]
            let low = max(extent.start, range.lowerBound)
            let high = min(extent.end, range.upperBound)
            let first = extent.bytes.startIndex + Int(low - extent.start)
            found.append(
                Extent(start: low, bytes: extent.bytes[first..<first + Int(high - low)])
            )
            index += 1
        }
        return found
    }

    /// Returns the parts of a range that are missing, in order.
    func gaps(in range: Range<UInt64>) -> [Range<UInt64>] {
        var gaps: [Range<UInt64>] = []
        var position = range.lowerBound
        for part in parts(in: range) {
            if part.start > position { gaps.append(position..<part.start) }
            position = part.end
        }
        if position < range.upperBound { gaps.append(position..<range.upperBound) }
        return gaps
    }

    /// Returns the index of the first part that ends after `offset`; the number of parts if there is none.
    private func firstIndex(endingAfter offset: UInt64) -> Int {
        var low = 0
        var high = extents.count
        while low < high {
            let middle = (low + high) / 2
            if extents[middle].end > offset { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// The answer to a read, as its parts arrive.
struct Assembly {
    /// The range that is asked for.
    let range: Range<UInt64>
    /// The bytes; none before the first part.
    private var memory: [UInt8] = []
    private var known = ExtentMap()

    /// Creates an answer without any part.
    init(_ range: Range<UInt64>) { self.range = range }

    /// The bytes; zeros where a part is missing.
    var bytes: [UInt8] {
        memory.isEmpty ? [UInt8](repeating: 0, count: range.count) : memory
    }

    /// The parts that are missing, in order.
    var gaps: [Range<UInt64>] { known.gaps(in: range) }

    /// Adds the bytes at `start`, as far as they lie in the range.
    mutating func add(_ part: ArraySlice<UInt8>, at start: UInt64) {
        let low = max(start, range.lowerBound)
        let high = min(start + UInt64(part.count), range.upperBound)
        guard low < high else { return }
        let first = part.startIndex + Int(low - start)
        let count = Int(high - low)
        guard !memory.isEmpty || count < range.count else {
            // Mostly one part is all: one copy, and no zeros before it.
            memory = Array(part[first..<first + count])
            _ = known.insert(part[first..<first + count], at: low)
            return
        }
        if memory.isEmpty { memory = [UInt8](repeating: 0, count: range.count) }
        let place = Int(low - range.lowerBound)
        memory.replaceSubrange(place..<place + count, with: part[first..<first + count])
        _ = known.insert(part[first..<first + count], at: low)
    }
}
