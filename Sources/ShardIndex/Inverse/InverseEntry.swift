internal import DAGBytes
internal import DAGHashing

/// An entry of the inverse index: this shard has a digest with this hash.
@frozen public struct InverseEntry: Hashable, Sendable {
    /// The first 48 bits of the keyed hash of the digest.
    public var hash: UInt64
    /// The shard's number.
    public var shard: UInt32

    /// The number of bits of a hash.
    public static let hashBits = 48

    /// Creates an entry.
    @inlinable public init(hash: UInt64, shard: UInt32) {
        self.hash = hash
        self.shard = shard
    }

    /// Returns the part of a keyed hash's first 64 bits that an entry has.
    @inlinable public static func hash(of high: UInt64) -> UInt64 { high >> 16 }

    /// Orders by hash, then by shard.
    @inlinable public static func < (one: Self, other: Self) -> Bool {
        one.hash == other.hash ? one.shard < other.shard : one.hash < other.hash
    }
}

/// The entries of a shard for the inverse index.
public enum InverseParts: Sendable {
    /// The hashes of a small shard, which join the recent entries.
    case recent([UInt64])
    /// A run of one shard; the sink has its segments.
    case run(InverseRunShape)

    /// The number of multihashes from which on a shard has a run of its own.
    public static let ownRunFrom = 1 << 15
}

/// The shape of a run, which all of its segments share.
///
/// ```
///  0  u8  version = 1      1  u8 segment bits      2  u8 bucket bits      3  u8 shard bits
///  4  u32 least shard      8  u64 entries         16  u64 size of all segments
/// 24  u64 checksum         xxh64 of what is before it
/// ```
public struct InverseRunShape: Equatable, Sendable {
    static let version: UInt8 = 1
    /// The size of the encoded shape in bytes.
    public static let size = 32
    private static let entryCountMax: UInt64 = 1 << 44
    /// From this number of shards on, one hash has a list beside the buckets.
    static let listedFrom = 4

    /// The number of first bits of a hash, which are the number of its segment.
    public var segmentBits: Int
    /// The number of next bits, which are the number of its bucket within the segment.
    public var bucketBits: Int
    /// The number of bits of a shard, relative to the least one; 0 if there is one shard only.
    public var shardBits: Int
    /// The least shard's number.
    public var leastShard: UInt32
    /// The number of entries.
    public var entryCount: UInt64 = 0
    /// The size of all segments in bytes.
    public var byteCount: UInt64 = 0

    /// The number of segments.
    public var segmentCount: Int { 1 << segmentBits }
    /// The number of bits of a hash that an entry stores.
    var restBits: Int { InverseEntry.hashBits - segmentBits - bucketBits }

    /// Creates a shape with 11 to 22 entries in a bucket, and segments of less than 1 MiB.
    ///
    /// - Parameters:
    ///   - count: The number of entries, or a little more.
    ///   - shards: The least and the greatest shard.
    public init(entries count: UInt64, shards: ClosedRange<UInt32>) {
        self.init(
            entries: count,
            shards: shards,
            segmentSize: IndexPage.valueSizeMax,
            partitionBits: 0
        )
    }

    /// Creates a shape with 11 to 22 entries in a bucket.
    ///
    /// - Parameters:
    ///   - count: The number of entries, or a little more.
    ///   - shards: The least and the greatest shard.
    ///   - segmentSize: The size that an average segment stays 5 % below, in bytes.
    ///   - partitionBits: The number of first bits that all hashes share. A segment has no others.
    package init(
        entries count: UInt64,
        shards: ClosedRange<UInt32>,
        segmentSize: Int,
        partitionBits: Int
    ) {
        let spread = shards.upperBound - shards.lowerBound
        // All ones mean that a list follows, so no shard may have this number.
        shardBits = spread == 0 ? 0 : UInt32.bitWidth - (spread &+ 1).leadingZeroBitCount
        if spread == .max { shardBits = 33 }
        leastShard = shards.lowerBound
        let buckets = max(1, count / 11)
        let bits = min(40 - partitionBits, 63 - buckets.leadingZeroBitCount)
        let restBits = UInt64(InverseEntry.hashBits - partitionBits - bits + shardBits)
        let size = count * restBits / 8 + 4 << UInt64(bits)
        let share = UInt64(segmentSize) * 95 / 100
        let segments = (size + share - 1) / share
        let ownBits = segments <= 1 ? 0 : 64 - (segments - 1).leadingZeroBitCount
        segmentBits = partitionBits + min(ownBits, bits)
        bucketBits = partitionBits + bits - segmentBits
    }

    /// Reads a shape.
    ///
    /// - Throws: `.malformed`; `.unsupportedVersion` if a newer version wrote it.
    public init(reading bytes: some Collection<UInt8>) throws(ShardIndexError) {
        try self.init(reading: bytes, segmentBitsMax: 24)
    }

    /// Reads a shape that may have more segments.
    ///
    /// - Parameters:
    ///   - bytes: The encoded shape.
    ///   - segmentBitsMax: The largest number of segment bits that the caller takes.
    /// - Throws: `.malformed`; `.unsupportedVersion` if a newer version wrote it.
    init(
        reading bytes: some Collection<UInt8>,
        segmentBitsMax: Int
    ) throws(ShardIndexError) {
        let bytes = Array(bytes)
        let isWhole = bytes.withView { view in
            view.count == Self.size
                && Checksum.xxh64(view[0..<24]) == view.loadUInt64(at: 24)
        }
        if let version = bytes.first, version > Self.version, isWhole || bytes.count != Self.size {
            throw ShardIndexError(.unsupportedVersion, "the shape of a run has version \(version)")
        }
        guard isWhole, bytes[0] == Self.version else {
            throw ShardIndexError(.malformed, "the shape of a run is impossible")
        }
        segmentBits = Int(bytes[1])
        bucketBits = Int(bytes[2])
        shardBits = Int(bytes[3])
        func number(_ range: Range<Int>) -> UInt64 {
            bytes[range].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        leastShard = UInt32(number(4..<8))
        entryCount = number(8..<16)
        byteCount = number(16..<24)
        guard entryCount <= Self.entryCountMax, segmentBits + bucketBits <= 40, bucketBits <= 24,
            segmentBits <= segmentBitsMax, shardBits <= 33
        else { throw ShardIndexError(.malformed, "the shape of a run is impossible") }
    }

    /// The encoded shape.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = [
            Self.version, UInt8(segmentBits), UInt8(bucketBits), UInt8(shardBits),
        ]
        bytes.append(littleEndian: leastShard)
        bytes.append(littleEndian: entryCount)
        bytes.append(littleEndian: byteCount)
        let checksum = bytes.withView { Checksum.xxh64($0) }
        bytes.append(littleEndian: checksum)
        return bytes
    }

    /// Returns the segment of a hash.
    @inlinable public func segment(of hash: UInt64) -> Int {
        Int(hash >> UInt64(InverseEntry.hashBits &- segmentBits))
    }
}
