/// The entries of one chunk of a merge's result, and their order.
///
/// The window has eight places for each bucket of the result, so most places have two entries or fewer. The order of
/// the places is the order of the entries. A place knows the first 16 bits of its hashes or more, and its keys have
/// the others:
///
/// ```
/// key       low 32 bits of the hash << 32 | shard
/// ```
struct MergeWindow {
    /// The largest number of entries, which bounds the memory that damaged inputs can take.
    static let countMax = 1 << 24
    /// The bits of a hash that a key has.
    private static let keyBits = 32

    /// The number of bits of a hash after its place.
    private let placeShift: UInt64
    private let placeMask: UInt64
    private var keys: [UInt64] = []
    private var places: [UInt32] = []
    private var sorted: [UInt64] = []
    /// While entries come, the number in each place; then where each place ends.
    private var ends: [UInt32]
    /// The number of the current chunk.
    private var chunk = 0

    init(_ shape: InverseRunShape) {
        let missing = InverseEntry.hashBits - Self.keyBits - shape.segmentBits
        let placeBits = max(shape.bucketBits + min(3, shape.restBits), missing)
        placeShift = UInt64(InverseEntry.hashBits - shape.segmentBits - placeBits)
        placeMask = 1 << UInt64(placeBits) - 1
        ends = Array(repeating: 0, count: 1 << placeBits)
    }

    /// The number of entries.
    var count: Int { keys.count }

    /// Removes all entries, and begins with a chunk.
    mutating func begin(chunk: Int) {
        self.chunk = chunk
        keys.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        for index in ends.indices { ends[index] = 0 }
    }

    /// Adds an entry of the chunk.
    @inline(__always)
    mutating func add(_ entry: InverseEntry) {
        let place = UInt32(truncatingIfNeeded: entry.hash &>> placeShift & placeMask)
        places.append(place)
        keys.append(entry.hash &<< UInt64(Self.keyBits) | UInt64(entry.shard))
        ends[Int(place)] &+= 1
    }

    /// Appends the entries in order, each once.
    ///
    /// - Parameters:
    ///   - builder: Receives the entries.
    ///   - isWanted: Whether to keep the entries of a shard.
    /// - Returns: The number of dropped entries.
    /// - Throws: The error of the builder.
    mutating func append(
        to builder: inout ChunkedRunBuilder,
        where isWanted: (UInt32) -> Bool
    ) throws -> UInt64 {
        guard !keys.isEmpty else { return 0 }
        let missing = keys.count - sorted.count
        if missing > 0 { sorted += repeatElement(0, count: missing) }
        Self.distribute(keys, places, &ends, &sorted)
        Self.sort(&sorted, ends)
        let sorted = sorted.span
        var droppedCount: UInt64 = 0
        var start = 0
        var high = UInt64(chunk) << UInt64(placeMask.nonzeroBitCount)
        let keyMask: UInt64 = 1 << UInt64(Self.keyBits) - 1
        for end in ends {
            let first = high &<< placeShift & ~keyMask
            var before: UInt64?
            while start < Int(end) {
                let key = sorted[start]
                start &+= 1
                let shard = UInt32(truncatingIfNeeded: key)
                guard key != before, isWanted(shard) else {
                    droppedCount &+= 1
                    continue
                }
                before = key
                try builder.append(
                    InverseEntry(hash: first | key &>> UInt64(Self.keyBits), shard: shard)
                )
            }
            high &+= 1
        }
        return droppedCount
    }

    /// Copies the keys, place by place.
    ///
    /// - Parameters:
    ///   - keys: The keys.
    ///   - places: The place of each key.
    ///   - ends: The number of keys in each place; on return, where each place ends.
    ///   - sorted: Receives the keys; has room for all of them.
    private static func distribute(
        _ keys: [UInt64],
        _ places: [UInt32],
        _ ends: inout [UInt32],
        _ sorted: inout [UInt64]
    ) {
        var ends = ends.mutableSpan
        var sorted = sorted.mutableSpan
        var start: UInt32 = 0
        for index in ends.indices {
            let count = ends[index]
            ends[index] = start
            start += count
        }
        for index in keys.indices {
            let place = Int(places[index])
            sorted[Int(ends[place])] = keys[index]
            ends[place] &+= 1
        }
    }

    /// The largest number of keys that a plain insertion sorts.
    private static let insertionMax = 32

    /// Sorts the keys of each place.
    private static func sort(_ sorted: inout [UInt64], _ ends: [UInt32]) {
        var start = 0
        for end in ends {
            let end = Int(end)
            if end - start > insertionMax { sorted[start..<end].sort() }
            start = end
        }
        var sorted = sorted.mutableSpan
        start = 0
        for end in ends {
            let end = Int(end)
            if end &- start > 1, end &- start <= insertionMax { insert(start..<end, &sorted) }
            start = end
        }
    }

    @inline(__always)
    private static func insert(_ range: Range<Int>, _ keys: inout MutableSpan<UInt64>) {
        var index = range.lowerBound &+ 1
        while index < range.upperBound {
            let key = keys[index]
            var place = index
            while place > range.lowerBound, key < keys[place &- 1] {
                keys[place] = keys[place &- 1]
                place &-= 1
            }
            keys[place] = key
            index &+= 1
        }
    }
}
