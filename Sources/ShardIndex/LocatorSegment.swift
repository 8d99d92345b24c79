package import Bytes
internal import Hashing

/// A part of a shard's locator: from the keyed hash of a digest to where its section may start.
///
/// ```
///  0  u64 checksum           xxh64 of everything after it
///  8  u32 buckets            16 entries each on average
/// 12  u32 entries
/// 16  u8  offset bits        what the payload's size needs, at most 45
/// 17  u8  fingerprint bits   12
/// 18  6 bytes of zero
/// 24  u32 start[buckets + 1] entries before each bucket; the last is `entries`
///  …  entries                offset << 12 | fingerprint, packed, the lowest bit first
///  …  8 bytes of zero        so that every entry is read with one 8-byte load
/// ```
///
/// The hash of a digest is cut in three, all by multiplication: hash × segments, its high word, is the
/// segment; the low word × buckets, its high word, the bucket; the lowest 12 bits are the fingerprint.
/// An entry is a claim: whoever asks reads the section at the offset and compares the multihash.
///
/// *Cost*: a search reads two starts and 16 entries on average, without branches on the payload.
@safe package struct LocatorSegment: Sendable {
    package static let headerSize = 24
    package static let fingerprintBits = 12
    /// The widest offset: an entry is at most 57 bits, so that one unaligned load reads it.
    package static let offsetBitsMax = ByteView.bitWidthMax - fingerprintBits
    package static let entriesPerBucket = 16
    /// The zero bytes at the end.
    static let slack = 8

    /// Where a search stands.
    @frozen package struct Search: Sendable {
        @usableFromInline var next: Int
        @usableFromInline let end: Int
        @usableFromInline let fingerprint: UInt64

        @inlinable init(next: Int, end: Int, fingerprint: UInt64) {
            self.next = next
            self.end = end
            self.fingerprint = fingerprint
        }
    }

    /// The bytes of the segment; whoever made the segment keeps them alive.
    package let bytes: ByteView
    @usableFromInline let bucketCount: UInt64
    /// The number of entries.
    package let entryCount: Int
    @usableFromInline let entryBits: Int
    @usableFromInline let entriesStart: Int

    /// Checks the shape of a segment.
    ///
    /// *Cost*: O(1); the checksum is for `check()`.
    ///
    /// - Throws: `.malformed` if header and size do not agree.
    package init(reading bytes: ByteView) throws(ShardIndexError) {
        guard bytes.count >= Self.headerSize + 4 + Self.slack else {
            throw ShardIndexError(.malformed, "a locator segment of \(bytes.count) bytes")
        }
        self.bytes = bytes
        self.bucketCount = UInt64(bytes.loadUInt32(at: 8))
        self.entryCount = Int(bytes.loadUInt32(at: 12))
        let offsetBits = Int(bytes[16])
        self.entryBits = offsetBits + Self.fingerprintBits
        self.entriesStart = Self.headerSize + 4 * (Int(bucketCount) + 1)
        guard offsetBits <= Self.offsetBitsMax, bytes[17] == UInt8(Self.fingerprintBits),
            bucketCount > 0,
            bytes.count == entriesStart + (entryBits * entryCount + 7) / 8 + Self.slack
        else { throw ShardIndexError(.malformed, "a locator segment's header") }
    }

    /// Begins the search for a hash that belongs to this segment.
    ///
    /// - Parameters:
    ///   - hash: The hash.
    ///   - position: The low word of hash × segments.
    /// - Returns: Where to begin.
    @inlinable package func search(hash: UInt64, position: UInt64) -> Search {
        let bucket = Int(position.multipliedFullWidth(by: bucketCount).high)
        let start = Int(bytes.loadUInt32(at: Self.headerSize + 4 * bucket))
        let end = Int(bytes.loadUInt32(at: Self.headerSize + 4 * bucket + 4))
        // A damaged directory must not lead outside.
        return Search(
            next: start,
            end: min(end, entryCount),
            fingerprint: hash & (1 << UInt64(Self.fingerprintBits) - 1)
        )
    }

    /// The next offset that may be it, or nil if there is no more.
    @inlinable package func next(_ search: inout Search) -> UInt64? {
        let mask: UInt64 = (1 << UInt64(Self.fingerprintBits)) - 1
        let width = entryBits
        var index = search.next
        while index < search.end {
            let bit = index &* width
            let word = bytes.loadUInt64(at: entriesStart &+ bit >> 3) >> UInt64(bit & 7)
            index += 1
            if word & mask == search.fingerprint {
                search.next = index
                return (word & ((1 << UInt64(width)) - 1)) >> UInt64(Self.fingerprintBits)
            }
        }
        search.next = index
        return nil
    }

    /// Every offset that may be it.
    package func candidates(hash: UInt64, position: UInt64) -> [UInt64] {
        var search = search(hash: hash, position: position)
        var found: [UInt64] = []
        while let offset = next(&search) { found.append(offset) }
        return found
    }

    /// Checks checksum and directory.
    ///
    /// - Throws: `.malformed`.
    package func check() throws(ShardIndexError) {
        guard Checksum.xxh64(bytes[8..<bytes.count]) == bytes.loadUInt64(at: 0) else {
            throw ShardIndexError(.malformed, "a locator segment's checksum does not hold")
        }
        var last = 0
        for bucket in 0...Int(bucketCount) {
            let start = Int(bytes.loadUInt32(at: Self.headerSize + 4 * bucket))
            guard start >= last, start <= entryCount else {
                throw ShardIndexError(.malformed, "a locator segment's directory falls")
            }
            last = start
        }
        guard last == entryCount else {
            throw ShardIndexError(.malformed, "a locator segment's directory ends early")
        }
    }

    /// Writes a segment.
    ///
    /// - Parameters:
    ///   - entries: Sorted by hash, all of one segment, without repetitions.
    ///   - segmentCount: The number of segments of the locator.
    ///   - offsetBits: What every offset fits in.
    /// - Returns: The segment's bytes.
    static func encoded(
        _ entries: borrowing LocatorEntries,
        segmentCount: UInt64,
        offsetBits: Int
    ) -> [UInt8] {
        let bucketCount = max(1, UInt64(entries.count) / UInt64(entriesPerBucket))
        let entryBits = offsetBits + fingerprintBits
        let entriesStart = headerSize + 4 * (Int(bucketCount) + 1)
        let size = entriesStart + (entryBits * entries.count + 7) / 8 + slack
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        bytes.appendLittleEndian(UInt64(0))
        bytes.appendLittleEndian(UInt32(bucketCount))
        bytes.appendLittleEndian(UInt32(entries.count))
        bytes += [UInt8(offsetBits), UInt8(fingerprintBits), 0, 0, 0, 0, 0, 0]
        var bucket: UInt64 = 0
        bytes.appendLittleEndian(UInt32(0))
        for index in 0..<entries.count {
            let position = entries[index].hash &* segmentCount
            let own = position.multipliedFullWidth(by: bucketCount).high
            while bucket < own {
                bytes.appendLittleEndian(UInt32(index))
                bucket += 1
            }
        }
        while bucket < bucketCount {
            bytes.appendLittleEndian(UInt32(entries.count))
            bucket += 1
        }
        var bits = BitWriter()
        let mask: UInt64 = (1 << UInt64(fingerprintBits)) - 1
        for index in 0..<entries.count {
            let entry = entries[index]
            bits.append(
                entry.offset << UInt64(fingerprintBits) | entry.hash & mask,
                width: entryBits,
                to: &bytes
            )
        }
        bits.finish(to: &bytes)
        bytes += repeatElement(0, count: slack)
        assert(bytes.count == size)
        bytes.writeChecksum(at: 0)
        return bytes
    }
}
