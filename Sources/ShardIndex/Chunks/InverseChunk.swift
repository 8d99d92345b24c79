package import DAGBytes

/// One chunk of a run of a cluster's inverse index.
///
/// *Concurrency*: immutable.
package struct InverseChunk: Sendable {
    let segment: InverseSegment
    private let number: Int
    private let greatestShard: UInt32

    /// Checks the size and the shape of a chunk.
    ///
    /// *Cost*: O(1); the checksum is for `check()`.
    ///
    /// - Parameters:
    ///   - bytes: The chunk; the caller keeps it alive.
    ///   - number: The number of one of the run's chunks.
    ///   - directory: The directory of the run.
    /// - Throws: `.malformed`.
    package init(
        reading bytes: ByteView,
        number: Int,
        of directory: ChunkDirectory
    ) throws(ShardIndexError) {
        let size = directory.size(ofChunk: number)
        guard bytes.count == size else {
            throw ShardIndexError(.malformed, "a chunk has \(bytes.count) bytes instead of \(size)")
        }
        segment = try InverseSegment(reading: bytes, of: directory.shape)
        self.number = number
        greatestShard = directory.greatestShard
    }

    /// Checks the checksum, the starts of the buckets, and the order of all entries.
    ///
    /// *Cost*: reads every entry.
    ///
    /// - Throws: `.malformed`.
    package func check() throws(ShardIndexError) {
        try segment.check()
        var walk = entries
        try walk.forEach(before: 1 << UInt64(InverseEntry.hashBits)) { _ in }
    }

    /// A walk over all entries.
    var entries: ChunkWalk { ChunkWalk(segment, number: number, greatestShard: greatestShard) }

    /// Appends the shards of a hash, in ascending order.
    ///
    /// The result of a damaged chunk is arbitrary, but has at most one shard for each bit of the chunk.
    ///
    /// - Parameters:
    ///   - hash: A hash that the chunk covers.
    ///   - shards: Receives the shards.
    package func appendShards(of hash: UInt64, to shards: inout [UInt32]) {
        var room = segment.bytes.count * 8
        _ = segment.forEachShard(of: hash) { shard -> Bool in
            shards.append(shard)
            room -= 1
            return room > 0
        }
    }
}

/// A walk over the entries of one chunk, which verifies their order.
///
/// The chunk's `segment.check()` has passed.
struct ChunkWalk {
    private let segment: InverseSegment
    private let shardsMax: UInt64
    /// The chunk's number, before the bits of a bucket.
    private let high: UInt64
    /// The bucket after the current one.
    private var bucket = 0
    private var bucketHigh: UInt64 = 0
    private var index = 0
    private var bucketEnd = 0
    /// The least hash that may follow.
    private var hashMin: UInt64 = 0
    private var last = InverseEntry(hash: .max, shard: 0)
    private var listIndex = 0
    private var listedCount = 0

    init(_ segment: InverseSegment, number: Int, greatestShard: UInt32) {
        self.segment = segment
        high = UInt64(number) << UInt64(segment.shape.bucketBits)
        shardsMax = UInt64(greatestShard - segment.shape.leastShard)
    }

    /// Calls `body` with the entries that the walk has not reached yet.
    ///
    /// - Parameters:
    ///   - end: The hash before which the walk stops.
    ///   - body: Receives the entries, in order.
    /// - Returns: Whether the walk is over.
    /// - Throws: `.malformed` if entries are out of order.
    @inline(__always)
    @discardableResult
    mutating func forEach(
        before end: UInt64,
        _ body: (InverseEntry) -> Void
    ) throws(ShardIndexError) -> Bool {
        let bytes = segment.bytes
        let shape = segment.shape
        let restBits = shape.restBits
        let shardBits = shape.shardBits
        let restsStart = segment.restsStart
        let shardsStart = segment.shardsStart
        let leastShard = shape.leastShard
        let listMark: UInt64 = shardBits == 0 ? .max : 1 << UInt64(shardBits) &- 1
        while true {
            var index = index
            var hashMin = hashMin
            var last = last
            while index < bucketEnd {
                let rest = bytes.loadBits(at: restsStart, bit: index &* restBits, width: restBits)
                let hash = bucketHigh | rest
                guard hash < end else {
                    keep(index, hashMin, last)
                    return false
                }
                guard hash >= hashMin else { throw Self.disorder }
                var shard: UInt64 = 0
                if shardBits > 0 {
                    shard = bytes.loadBits(
                        at: shardsStart,
                        bit: index &* shardBits,
                        width: shardBits
                    )
                }
                index &+= 1
                hashMin = hash
                guard shard != listMark else {
                    guard hash != last.hash else { throw Self.disorder }
                    try emitList(hash, body)
                    // No other entry may have the hash.
                    hashMin = hash &+ 1
                    continue
                }
                guard shard <= shardsMax else { throw Self.disorder }
                let entry = InverseEntry(
                    hash: hash,
                    shard: leastShard &+ UInt32(truncatingIfNeeded: shard)
                )
                guard hash != last.hash || entry.shard > last.shard else { throw Self.disorder }
                last = entry
                body(entry)
            }
            keep(index, hashMin, last)
            guard bucket < 1 << shape.bucketBits else { return true }
            bucketHigh = (high | UInt64(bucket)) << UInt64(restBits)
            guard bucketHigh < end else { return false }
            self.index = Int(bytes.loadUInt32(at: InverseSegment.headerSize &+ 4 &* bucket))
            bucketEnd = Int(bytes.loadUInt32(at: InverseSegment.headerSize &+ 4 &* bucket &+ 4))
            bucket &+= 1
        }
    }

    @inline(__always)
    private mutating func keep(_ index: Int, _ hashMin: UInt64, _ last: InverseEntry) {
        self.index = index
        self.hashMin = hashMin
        self.last = last
    }

    /// Emits the next list, which has to be that of the hash.
    private mutating func emitList(
        _ hash: UInt64,
        _ body: (InverseEntry) -> Void
    ) throws(ShardIndexError) {
        let bytes = segment.bytes
        let width = segment.shape.shardBits
        let room = (bytes.count - InverseSegment.slack - segment.listedStart) * 8 / width
        let place = segment.listsStart + listIndex * InverseSegment.listSize
        guard listIndex < segment.listCount, bytes.loadUInt64(at: place) == hash,
            Int(bytes.loadUInt32(at: place + 8)) == listedCount
        else { throw Self.disorder }
        let end = listedCount + Int(bytes.loadUInt32(at: place + 12))
        guard end <= room else { throw Self.disorder }
        var shardMin: UInt64 = 0
        for index in listedCount..<end {
            let shard = bytes.loadBits(at: segment.listedStart, bit: index * width, width: width)
            guard shard >= shardMin, shard <= shardsMax else { throw Self.disorder }
            shardMin = shard + 1
            body(
                InverseEntry(
                    hash: hash,
                    shard: segment.shape.leastShard &+ UInt32(truncatingIfNeeded: shard)
                )
            )
        }
        listIndex += 1
        listedCount = end
    }

    private static var disorder: ShardIndexError {
        ShardIndexError(.malformed, "the entries of a chunk are out of order")
    }
}
