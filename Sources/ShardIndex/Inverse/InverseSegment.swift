package import DAGBytes
internal import DAGHashing

/// A segment of a run of the inverse index: it maps hashes of digests to shards.
///
/// ```
///  0  u64 checksum            xxh64 of everything after it
///  8  u32 entries             in the buckets
/// 12  u32 lists               digests that many shards have
/// 16  u32 start[buckets + 1]  entries before each bucket
///  …  rests                   the bits of the hash after segment and bucket, packed, ascending in a bucket
///  …  shards                  number - the run's least number, packed; all ones: there is a list
///  …  { u64 hash, u32 start, u32 count }[lists]     by hash
///  …  shards of the lists     packed as above, ascending
///  …  16 zero
/// ```
///
/// Every packed column begins at a byte. The run's shape has the widths of the columns.
///
/// *Cost*: a search reads two starts and, on average, half of 15 packed hashes.
package struct InverseSegment: Sendable {
    static let headerSize = 16
    static let listSize = 16
    static let slack = 16

    let bytes: ByteView
    let shape: InverseRunShape
    /// The number of entries in the buckets.
    let count: Int
    let listCount: Int
    let restsStart: Int
    let shardsStart: Int
    let listsStart: Int
    let listedStart: Int

    /// Checks the shape of a segment.
    ///
    /// *Cost*: O(1); the checksum is for `check()`.
    ///
    /// - Parameters:
    ///   - bytes: The segment; the caller keeps it alive.
    ///   - shape: The shape of the run.
    /// - Throws: `.malformed`.
    package init(reading bytes: ByteView, of shape: InverseRunShape) throws(ShardIndexError) {
        let buckets = 1 << shape.bucketBits
        guard bytes.count >= Self.headerSize + 4 * (buckets + 1) + Self.slack else {
            throw ShardIndexError(.malformed, "an inverse segment of \(bytes.count) bytes")
        }
        self.bytes = bytes
        self.shape = shape
        count = Int(bytes.loadUInt32(at: 8))
        listCount = Int(bytes.loadUInt32(at: 12))
        restsStart = Self.headerSize + 4 * (buckets + 1)
        shardsStart = restsStart + (count * shape.restBits + 7) / 8
        listsStart = shardsStart + (count * shape.shardBits + 7) / 8
        listedStart = listsStart + listCount * Self.listSize
        guard listedStart + Self.slack <= bytes.count else {
            throw ShardIndexError(.malformed, "the header of an inverse segment is impossible")
        }
    }

    /// Calls `body` with every shard of a hash, in ascending order, until it returns false.
    ///
    /// - Returns: Whether `body` always returned true.
    package func forEachShard(of hash: UInt64, while body: (UInt32) -> Bool) -> Bool {
        let (bucket, rest) = place(of: hash)
        let (start, end) = bounds(of: bucket)
        let width = shape.restBits
        var index = start
        while index < end {
            let found = bytes.loadBits(at: restsStart, bit: index &* width, width: width)
            if found >= rest {
                guard found == rest else { return true }
                guard emit(index, hash, body) else { return false }
            }
            index &+= 1
        }
        return true
    }

    /// Calls `body` with every shard of a hash.
    package func forEachShard(of hash: UInt64, _ body: (UInt32) -> Void) {
        _ = forEachShard(
            of: hash,
            while: { shard -> Bool in
                body(shard)
                return true
            }
        )
    }

    /// Prefetches the memory that a search for the hash reads.
    @inline(__always)
    package func prefetch(_ hash: UInt64) {
        bytes.prefetch(at: Self.headerSize &+ place(of: hash).bucket &* 4)
    }

    @inline(__always)
    private func place(of hash: UInt64) -> (bucket: Int, rest: UInt64) {
        let low = UInt64(shape.restBits)
        let bucket = (hash >> low) & ((1 << UInt64(shape.bucketBits)) &- 1)
        return (Int(bucket), hash & ((1 << low) &- 1))
    }

    @inline(__always)
    private func bounds(of bucket: Int) -> (start: Int, end: Int) {
        let start = Int(bytes.loadUInt32(at: Self.headerSize &+ bucket &* 4))
        let end = Int(bytes.loadUInt32(at: Self.headerSize &+ bucket &* 4 &+ 4))
        // The bounds of a damaged directory must stay inside the segment.
        let last = min(end, count)
        return (min(start, last), last)
    }

    @inline(__always)
    private func emit(_ index: Int, _ hash: UInt64, _ body: (UInt32) -> Bool) -> Bool {
        let width = shape.shardBits
        let shard = bytes.loadBits(at: shardsStart, bit: index &* width, width: width)
        guard width > 0, shard == (1 << UInt64(width)) &- 1 else {
            return body(shape.leastShard &+ UInt32(truncatingIfNeeded: shard))
        }
        return emitList(hash, body)
    }

    private func emitList(_ hash: UInt64, _ body: (UInt32) -> Bool) -> Bool {
        var low = 0
        var high = listCount
        while low < high {
            let middle = (low + high) / 2
            if bytes.loadUInt64(at: listsStart + middle * Self.listSize) < hash {
                low = middle + 1
            } else {
                high = middle
            }
        }
        let place = listsStart + low * Self.listSize
        guard low < listCount, bytes.loadUInt64(at: place) == hash else { return true }
        let width = shape.shardBits
        let room = (bytes.count - Self.slack - listedStart) * 8 / width
        let start = min(Int(bytes.loadUInt32(at: place + 8)), room)
        let end = min(start + Int(bytes.loadUInt32(at: place + 12)), room)
        for index in start..<end {
            let shard = bytes.loadBits(at: listedStart, bit: index * width, width: width)
            guard body(shape.leastShard &+ UInt32(truncatingIfNeeded: shard)) else { return false }
        }
        return true
    }

    /// Calls `body` with every entry, in order.
    ///
    /// - Parameters:
    ///   - number: The segment's number in its run.
    ///   - body: Receives the entries.
    package func forEach(number: Int, _ body: (InverseEntry) -> Void) {
        let width = shape.restBits
        for bucket in 0..<1 << shape.bucketBits {
            let (start, end) = bounds(of: bucket)
            let high = UInt64(number << shape.bucketBits | bucket) << UInt64(width)
            for index in start..<end {
                let rest = bytes.loadBits(at: restsStart, bit: index * width, width: width)
                let hash = high | rest
                _ = emit(index, hash) { shard in
                    body(InverseEntry(hash: hash, shard: shard))
                    return true
                }
            }
        }
    }

    /// Appends the entries of one bucket, in order.
    ///
    /// - Parameters:
    ///   - bucket: The bucket's number in the whole run.
    ///   - entries: Receives the entries.
    func append(bucket: UInt64, to entries: inout [InverseEntry]) {
        let width = shape.restBits
        let own = bucket & ((1 << UInt64(shape.bucketBits)) - 1)
        let (start, end) = bounds(of: Int(own))
        let high = bucket << UInt64(width)
        for index in start..<end {
            let hash = high | bytes.loadBits(at: restsStart, bit: index &* width, width: width)
            _ = emit(index, hash) { shard in
                entries.append(InverseEntry(hash: hash, shard: shard))
                return true
            }
        }
    }

    /// Checks the checksum, the directory and the order of entries.
    ///
    /// - Throws: `.malformed`.
    package func check() throws(ShardIndexError) {
        bytes.willNeed()
        guard Checksum.xxh64(bytes[8..<bytes.count]) == bytes.loadUInt64(at: 0) else {
            throw ShardIndexError(.malformed, "the checksum of an inverse segment is wrong")
        }
        var last: UInt32 = 0
        for bucket in 0...1 << shape.bucketBits {
            let start = bytes.loadUInt32(at: Self.headerSize + 4 * bucket)
            guard start >= last, start <= UInt32(count) else {
                throw ShardIndexError(
                    .malformed,
                    "the directory of an inverse segment is not in order"
                )
            }
            last = start
        }
        guard last == UInt32(count) else {
            throw ShardIndexError(.malformed, "the directory of an inverse segment ends early")
        }
    }
}

extension ByteView {
    /// Returns a packed number of up to 57 bits.
    @inline(__always)
    func loadBits(at base: Int, bit: Int, width: Int) -> UInt64 {
        let word = loadUInt64(at: base &+ bit >> 3) &>> UInt64(truncatingIfNeeded: bit & 7)
        return word & (1 &<< UInt64(truncatingIfNeeded: width) &- 1)
    }
}
