public import DAGBytes
internal import DAGHashing

/// A segment of a shard's locator: it maps the keyed hash of a digest to the offset of a possible section.
///
/// ```
///  0  u64 checksum           xxh64 of everything after it
///  8  u32 buckets            16 entries each on average
/// 12  u32 entries
/// 16  u8  offset bits        what the payload's size needs, at most 45
/// 17  u8  fingerprint bits   12
/// 18  6 bytes of zero
/// 24  u32 start[buckets + 1] entries before each bucket; the last is `entries`
///  …  u8  tag[entries]       the first 8 bits of the fingerprint
///  …  entries                offset << 4 | the other 4 bits, packed, the lowest bit first
///  …  32 bytes of zero       so that tags and entries are read in whole words
/// ```
///
/// Multiplications cut the hash of a digest: each high word is the next part, and each low word goes on. Hash ×
/// segments gives the segment, then × buckets the bucket, and the highest 12 bits of the rest are the fingerprint. So
/// the order of hashes is also the order of segments and buckets.
///
/// An entry is a claim: the reader reads the section at the offset and compares the multihash. One search in 256 for
/// a missing digest finds a false claim.
///
/// Tags lie apart from entries, so that the tags of a million sections stay in the second-level cache. With tags and
/// entries of a bucket side by side, a search took twice as long.
///
/// *Cost*: a search reads two starts and 32 tags, with no branch that depends on them. It then reads the entries with
/// the same tag: one for a digest that is there, one in 16 searches for a missing one.
@safe public struct LocatorSegment: Sendable {
    /// The number of bytes before the directory.
    public static let headerSize = 24
    /// The number of bits of a fingerprint, with the tag.
    public static let fingerprintBits = 12
    @usableFromInline static let restBits = 4
    /// The largest width of an offset, in bits: 32 TiB, more than any piece.
    public static let offsetBitsMax = 45
    /// The average number of entries in a bucket.
    public static let entriesPerBucket = 16
    /// The number of zero bytes at the end.
    static let slack = 32
    /// The number of tags in one comparison.
    @usableFromInline static let groupSize = 32

    /// The state of a search.
    @frozen public struct Search: Sendable {
        /// Bit i is set if entry `group` + i has the tag.
        @usableFromInline var matches: UInt32
        @usableFromInline var group: Int
        @usableFromInline let end: Int
        /// The tag in every byte.
        @usableFromInline let tags: UInt64
        @usableFromInline let rest: UInt64

        @inlinable init(matches: UInt32, group: Int, end: Int, tags: UInt64, rest: UInt64) {
            self.matches = matches
            self.group = group
            self.end = end
            self.tags = tags
            self.rest = rest
        }

        /// A search without results.
        @inlinable public static var none: Search {
            Search(matches: 0, group: 0, end: 0, tags: 0, rest: 0)
        }
    }

    /// The bytes of the segment; its creator keeps them alive.
    public let bytes: ByteView
    @usableFromInline let bucketCount: UInt64
    /// The number of entries.
    public let entryCount: Int
    @usableFromInline let entryBits: Int
    @usableFromInline let tagsStart: Int
    @usableFromInline let entriesStart: Int

    /// Checks the shape of a segment.
    ///
    /// *Cost*: O(1); the checksum is for `check()`.
    ///
    /// - Throws: `.malformed` if header and size disagree.
    public init(reading bytes: ByteView) throws(ShardIndexError) {
        guard bytes.count >= Self.headerSize + 8 + Self.slack else {
            throw ShardIndexError(.malformed, "a locator segment of \(bytes.count) bytes")
        }
        self.bytes = bytes
        self.bucketCount = UInt64(bytes.loadUInt32(at: 8))
        self.entryCount = Int(bytes.loadUInt32(at: 12))
        let offsetBits = Int(bytes[16])
        self.entryBits = offsetBits + Self.restBits
        self.tagsStart = Self.headerSize + 4 * (Int(bucketCount) + 1)
        self.entriesStart = tagsStart + entryCount
        guard offsetBits <= Self.offsetBitsMax, bytes[17] == UInt8(Self.fingerprintBits),
            bucketCount > 0,
            bytes.count == entriesStart + (entryBits * entryCount + 7) / 8 + Self.slack
        else { throw ShardIndexError(.malformed, "the header of a locator segment is impossible") }
    }

    /// Prefetches the memory that `prefetchBucket` reads.
    @inlinable public func prefetchStarts(position: UInt64) {
        let bucket = position.multipliedFullWidth(by: bucketCount).high
        bytes.prefetch(at: Self.headerSize &+ Int(bucket) &* 4)
    }

    /// Prefetches the memory that `search` reads.
    @inlinable public func prefetchBucket(position: UInt64) {
        let bucket = position.multipliedFullWidth(by: bucketCount).high
        let starts = bytes.loadUInt64(at: Self.headerSize &+ Int(bucket) &* 4)
        let start = min(Int(starts & 0xffff_ffff), entryCount)
        bytes.prefetch(at: tagsStart &+ start)
        bytes.prefetch(at: tagsStart &+ start &+ 31)
        let entries = entriesStart &+ (start &* entryBits) >> 3
        bytes.prefetch(at: entries)
        bytes.prefetch(at: entries &+ 64)
    }

    /// Begins the search for a hash that belongs to this segment.
    ///
    /// - Parameter position: The low word of hash × segments.
    /// - Returns: The state of the search.
    @inlinable public func search(position: UInt64) -> Search {
        let (bucket, rest) = position.multipliedFullWidth(by: bucketCount)
        let starts = bytes.loadUInt64(at: Self.headerSize &+ Int(bucket) &* 4)
        // The bounds of a damaged directory must stay inside the segment.
        let end = min(Int(starts >> 32), entryCount)
        let start = min(Int(starts & 0xffff_ffff), end)
        // Tags and entries lie apart: this fetches the entries while the tags are compared.
        let entries = entriesStart &+ (start &* entryBits) >> 3
        bytes.prefetch(at: entries)
        bytes.prefetch(at: entries &+ 64)
        let tags = (rest >> 56) &* 0x0101_0101_0101_0101
        return Search(
            matches: matches(tags, start, end),
            group: start,
            end: end,
            tags: tags,
            rest: (rest >> 52) & 15
        )
    }

    /// Returns the set of the next 32 entries that have the tag.
    @inlinable func matches(_ tags: UInt64, _ start: Int, _ end: Int) -> UInt32 {
        var found: UInt32 = 0
        var word = 0
        while word < 4 {
            // A byte is zero if its tag is equal; for other bytes the sum carries into the high bit.
            let difference = bytes.loadUInt64(at: tagsStart &+ start &+ word &* 8) ^ tags
            let low = (difference & 0x7f7f_7f7f_7f7f_7f7f) &+ 0x7f7f_7f7f_7f7f_7f7f
            let equal = ~(low | difference | 0x7f7f_7f7f_7f7f_7f7f)
            // Gathers the eight high bits.
            let bits = ((equal >> 7) &* 0x0102_0408_1020_4080) >> 56
            found |= UInt32(truncatingIfNeeded: bits) << UInt32(word &* 8)
            word &+= 1
        }
        let count = min(end &- start, Self.groupSize)
        return found & UInt32(truncatingIfNeeded: (1 << UInt64(count)) &- 1)
    }

    /// Returns the next possible offset, or nil after the last.
    @inlinable public func next(_ search: inout Search) -> UInt64? {
        while true {
            while search.matches != 0 {
                let index = search.group &+ search.matches.trailingZeroBitCount
                search.matches &= search.matches &- 1
                let bit = index &* entryBits
                let word = bytes.loadUInt64(at: entriesStart &+ (bit >> 3)) >> UInt64(bit & 7)
                guard word & 15 == search.rest else { continue }
                return (word & ((1 << UInt64(entryBits)) &- 1)) >> UInt64(Self.restBits)
            }
            search.group &+= Self.groupSize
            guard search.group < search.end else { return nil }
            search.matches = matches(search.tags, search.group, search.end)
        }
    }

    /// Returns all possible offsets.
    public func candidates(position: UInt64) -> [UInt64] {
        var search = search(position: position)
        var found: [UInt64] = []
        while let offset = next(&search) { found.append(offset) }
        return found
    }

    /// Checks the checksum and the directory.
    ///
    /// - Throws: `.malformed`.
    public func check() throws(ShardIndexError) {
        // A fault reads four kilobytes, so a cold segment would wait some hundred times.
        bytes.willNeed()
        guard Checksum.xxh64(bytes[8..<bytes.count]) == bytes.loadUInt64(at: 0) else {
            throw ShardIndexError(.malformed, "the checksum of a locator segment is wrong")
        }
        var last = 0
        for bucket in 0...Int(bucketCount) {
            let start = Int(bytes.loadUInt32(at: Self.headerSize + 4 * bucket))
            guard start >= last, start <= entryCount else {
                throw ShardIndexError(
                    .malformed,
                    "the directory of a locator segment is not in order"
                )
            }
            last = start
        }
        guard last == entryCount else {
            throw ShardIndexError(.malformed, "the directory of a locator segment ends early")
        }
    }

    /// Writes a segment.
    ///
    /// - Parameters:
    ///   - entries: The entries of one segment, sorted by hash, without duplicates.
    ///   - segmentCount: The number of segments of the locator.
    ///   - offsetBits: The width of the offsets in bits.
    ///   - buffer: An empty array; the call uses its memory.
    /// - Returns: The segment's bytes.
    static func encoded(
        _ entries: borrowing LocatorEntries,
        segmentCount: UInt64,
        offsetBits: Int,
        buffer: consuming [UInt8] = []
    ) -> [UInt8] {
        let bucketCount = max(1, UInt64(entries.count) / UInt64(entriesPerBucket))
        let entryBits = offsetBits + restBits
        let tagsStart = headerSize + 4 * (Int(bucketCount) + 1)
        let size = tagsStart + entries.count + (entryBits * entries.count + 7) / 8 + slack
        var bytes = buffer
        bytes.reserveCapacity(size)
        bytes.append(littleEndian: UInt64(0))
        bytes.append(littleEndian: UInt32(bucketCount))
        bytes.append(littleEndian: UInt32(entries.count))
        bytes += [UInt8(offsetBits), UInt8(fingerprintBits), 0, 0, 0, 0, 0, 0]
        var bucket: UInt64 = 0
        var starts: [UInt32] = [0]
        starts.reserveCapacity(Int(bucketCount) + 1)
        var tags: [UInt8] = []
        tags.reserveCapacity(entries.count)
        for index in 0..<entries.count {
            let position = entries[index].hash &* segmentCount
            let (own, rest) = position.multipliedFullWidth(by: bucketCount)
            while bucket < own {
                starts.append(UInt32(index).littleEndian)
                bucket += 1
            }
            tags.append(UInt8(truncatingIfNeeded: rest >> 56))
        }
        while bucket < bucketCount {
            starts.append(UInt32(entries.count).littleEndian)
            bucket += 1
        }
        // SAFETY: integers may be read as bytes, and the call only reads them.
        unsafe starts.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        bytes += tags
        var bits = BitWriter()
        bits.reserve(entryBits * entries.count)
        for index in 0..<entries.count {
            let entry = entries[index]
            let rest = entry.hash &* segmentCount &* bucketCount
            bits.append(
                entry.offset << UInt64(restBits) | (rest >> 52) & 15,
                width: entryBits
            )
        }
        bits.finish(to: &bytes)
        bytes += repeatElement(0, count: slack)
        assert(bytes.count == size)
        bytes.writeChecksum(at: 0)
        return bytes
    }
}
