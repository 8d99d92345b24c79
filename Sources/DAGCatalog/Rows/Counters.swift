internal import DAGBytes
internal import DAGHashing

/// Counts that each commit updates together with its changes.
///
/// ```
///  0  u32 next shard number      8  u64 next generation      16  u64 shards
/// 24  u64 available             32  u64 failed               40  u64 sections
/// 48  u64 payload bytes         56  u64 index bytes    64  u64 checksum    xxh64 of what is before it
/// ```
///
/// Formats before 4 had no checksum.
package struct Counters: Equatable, Sendable {
    static let size = 72
    private static let sizeWithoutChecksum = 64

    /// The number of the next shard.
    package var nextShard: UInt32 = 1
    /// The number of the next generation.
    package var nextGeneration: UInt64 = 1
    /// The number of shards with a record.
    package var shards: UInt64 = 0
    /// The number of available shards.
    package var available: UInt64 = 0
    /// The number of failed shards.
    package var failed: UInt64 = 0
    /// The number of sections of all indexed shards.
    package var sections: UInt64 = 0
    /// The payload bytes of all indexed shards.
    package var payloadBytes: UInt64 = 0
    /// The bytes of pages and locators.
    package var indexBytes: UInt64 = 0

    package init() {}

    /// Adds a record to the counts, or subtracts it.
    mutating func count(_ record: ShardRecord, isAdded: Bool) {
        func change(_ value: inout UInt64, by amount: UInt64) {
            value = isAdded ? value &+ amount : value &- min(value, amount)
        }
        change(&shards, by: 1)
        change(&available, by: record.state == .available ? 1 : 0)
        change(&failed, by: record.state == .failed ? 1 : 0)
        change(&sections, by: record.sectionCount)
        change(&payloadBytes, by: record.payloadSize)
        change(&indexBytes, by: record.indexSize)
    }

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: nextShard)
        bytes.append(littleEndian: UInt32(0))
        for value in [
            nextGeneration, shards, available, failed, sections, payloadBytes, indexBytes,
        ] {
            bytes.append(littleEndian: value)
        }
        bytes.append(littleEndian: bytes.withView { Checksum.xxh64($0) })
        return bytes
    }

    init(reading bytes: ByteView) throws(CatalogError) {
        let end = Self.sizeWithoutChecksum
        let isWhole =
            bytes.count == Self.size
            ? Checksum.xxh64(bytes[0..<end]) == bytes.loadUInt64(at: end) : bytes.count == end
        guard isWhole else { throw CatalogError(.corrupt, "the counters are damaged") }
        nextShard = bytes.loadUInt32(at: 0)
        nextGeneration = bytes.loadUInt64(at: 8)
        shards = bytes.loadUInt64(at: 16)
        available = bytes.loadUInt64(at: 24)
        failed = bytes.loadUInt64(at: 32)
        sections = bytes.loadUInt64(at: 40)
        payloadBytes = bytes.loadUInt64(at: 48)
        indexBytes = bytes.loadUInt64(at: 56)
    }
}
