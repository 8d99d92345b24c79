internal import DAGBytes
internal import DAGHashing

/// That a shard has a digest with this hash.
@frozen public struct InverseEntry: Hashable, Sendable {
    /// The first 48 bits of the keyed hash of the digest.
    public var hash: UInt64
    /// The shard's number.
    public var shard: UInt32

    /// The bits of a hash that are kept.
    public static let hashBits = 48

    /// An entry.
    @inlinable public init(hash: UInt64, shard: UInt32) {
        self.hash = hash
        self.shard = shard
    }

    /// What is kept of the first 64 bits of a keyed hash.
    @inlinable public static func hash(of high: UInt64) -> UInt64 { high >> 16 }

    /// By hash, then by shard.
    @inlinable public static func < (one: Self, other: Self) -> Bool {
        one.hash == other.hash ? one.shard < other.shard : one.hash < other.hash
    }
}

/// What the inverse index learns of a shard.
public enum InverseParts: Sendable {
    /// The hashes of a small shard, which join the entries that are in no run yet.
    case recent([UInt64])
    /// A run of its own, of one shard that is to be filled in; its segments went to the sink.
    case run(InverseRunShape)

    /// From so many multihashes on a shard has a run of its own.
    public static let ownRunFrom = 1 << 15
}

/// How the entries of a run lie: what every segment of it has in common.
///
/// ```
///  0  u8  version = 1      1  u8 segment bits      2  u8 bucket bits      3  u8 shard bits
///  4  u32 least shard      8  u64 entries         16  u64 size of all segments
/// 24  u64 checksum         xxh64 of what is before it
/// ```
public struct InverseRunShape: Equatable, Sendable {
    static let version: UInt8 = 1
    /// The size of the encoded shape.
    public static let size = 32
    private static let entryCountMax: UInt64 = 1 << 44
    /// From so many shards with one hash on they are a list beside the buckets.
    static let listedFrom = 4

    /// The first bits of a hash: the number of its segment.
    public var segmentBits: Int
    /// The next bits: the number of its bucket within the segment.
    public var bucketBits: Int
    /// The bits of a shard, less the least one; 0 if there is one shard only.
    public var shardBits: Int
    /// The least shard's number.
    public var leastShard: UInt32
    /// The number of entries.
    public var entryCount: UInt64 = 0
    /// The bytes of all segments.
    public var byteCount: UInt64 = 0

    /// The number of segments.
    public var segmentCount: Int { 1 << segmentBits }
    /// The bits of a hash that are stored with an entry.
    var restBits: Int { InverseEntry.hashBits - segmentBits - bucketBits }

    /// A shape for so many entries: 11 to 22 in a bucket, and segments of less than 1 MiB.
    ///
    /// - Parameters:
    ///   - count: The entries, or a few more than there will be.
    ///   - shards: The least and the greatest shard.
    public init(entries count: UInt64, shards: ClosedRange<UInt32>) {
        let spread = shards.upperBound - shards.lowerBound
        // All ones say that a list follows, so that no shard may be it.
        shardBits = spread == 0 ? 0 : UInt32.bitWidth - (spread &+ 1).leadingZeroBitCount
        if spread == .max { shardBits = 33 }
        leastShard = shards.lowerBound
        let buckets = max(1, count / 11)
        let bits = min(40, 63 - buckets.leadingZeroBitCount)
        let restBits = UInt64(InverseEntry.hashBits - bits + shardBits)
        let size = count * restBits / 8 + 4 << UInt64(bits)
        let share = UInt64(IndexPage.valueSizeMax) * 95 / 100
        let segments = (size + share - 1) / share
        segmentBits = segments <= 1 ? 0 : 64 - (segments - 1).leadingZeroBitCount
        segmentBits = min(segmentBits, bits)
        bucketBits = bits - segmentBits
    }

    /// Reads a shape.
    ///
    /// - Throws: `.malformed`; `.unsupportedVersion` if a newer version wrote it.
    public init(reading bytes: some Collection<UInt8>) throws(ShardIndexError) {
        let bytes = Array(bytes)
        let isWhole = bytes.withView { view in
            view.count == Self.size
                && Checksum.xxh64(view[0..<24]) == view.loadUInt64(at: 24)
        }
        if let version = bytes.first, version > Self.version, isWhole || bytes.count != Self.size {
            throw ShardIndexError(.unsupportedVersion, "the shape of a run has version \(version)")
        }
        guard isWhole, bytes[0] == Self.version else {
            throw ShardIndexError(.malformed, "the shape of a run")
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
            segmentBits <= 24, shardBits <= 33
        else { throw ShardIndexError(.malformed, "the shape of a run") }
    }

    /// The shape as it is stored.
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

    /// The segment of a hash.
    @inlinable public func segment(of hash: UInt64) -> Int {
        Int(hash >> UInt64(InverseEntry.hashBits &- segmentBits))
    }
}
