internal import DAGBytes
internal import DAGHashing
internal import ShardIndex

/// The recent entries of one commit.
///
/// ```
///  0  u32 zero                  no shard has this number
///  4  u32 version = 1
///  8  u64 checksum              xxh64 of what is behind it
/// 16  { u32 shard, u32 count, { u48 hash }[count] }*
/// ```
///
/// Rows of formats before 4 begin with the first shard.
struct RecentBatch {
    static let headerSize = 8
    static let hashSize = 6

    private static let version: UInt32 = 1
    static let prefixSize = 16

    private var content: [UInt8] = []

    var isEmpty: Bool { content.isEmpty }

    /// The encoded row.
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.prefixSize + content.count)
        bytes.append(littleEndian: UInt32(0))
        bytes.append(littleEndian: Self.version)
        bytes.append(littleEndian: content.withView { Checksum.xxh64($0) })
        return bytes + content
    }

    mutating func append(_ hashes: [UInt64], of shard: UInt32) {
        guard !hashes.isEmpty else { return }
        content.reserveCapacity(content.count + Self.headerSize + hashes.count * Self.hashSize)
        content.append(littleEndian: shard)
        content.append(littleEndian: UInt32(hashes.count))
        for hash in hashes {
            content.append(littleEndian: UInt32(truncatingIfNeeded: hash))
            content.append(littleEndian: UInt16(truncatingIfNeeded: hash >> 32))
        }
    }

    /// Returns the entries in a row.
    ///
    /// - Throws: `.corrupt`; `.tooNew` if a newer version wrote it.
    static func entries(_ row: [UInt8]) throws(CatalogError) -> [InverseEntry] {
        let damaged = CatalogError(
            .corrupt,
            "a row of recent entries of the inverse index is damaged"
        )
        let start = try contentStart(row)
        var entries: [InverseEntry] = []
        let isWhole = row.withView { row in
            var place = start
            while place < row.count {
                guard place + headerSize <= row.count else { return false }
                let shard = row.loadUInt32(at: place)
                let count = Int(row.loadUInt32(at: place + 4))
                place += headerSize
                guard count <= (row.count - place) / hashSize else { return false }
                for _ in 0..<count {
                    let low = UInt64(row.loadUInt32(at: place))
                    let hash = UInt64(row.loadUInt16(at: place + 4)) << 32 | low
                    entries.append(InverseEntry(hash: hash, shard: shard))
                    place += hashSize
                }
            }
            return true
        }
        guard isWhole else { throw damaged }
        return entries
    }

    /// Returns the offset of the entries in a row.
    private static func contentStart(_ row: [UInt8]) throws(CatalogError) -> Int {
        try row.withView { row throws(CatalogError) in
            guard row.count >= 4, row.loadUInt32(at: 0) == 0 else { return 0 }
            guard row.count >= prefixSize else {
                throw CatalogError(
                    .corrupt,
                    "a row of recent entries of the inverse index is damaged"
                )
            }
            let version = row.loadUInt32(at: 4)
            guard version > 0, Checksum.xxh64(row[prefixSize..<row.count]) == row.loadUInt64(at: 8)
            else {
                throw CatalogError(
                    .corrupt,
                    "a row of recent entries of the inverse index is damaged"
                )
            }
            guard version <= Self.version else {
                throw CatalogError(
                    .tooNew,
                    "a row of recent entries of the inverse index has version \(version)"
                )
            }
            return prefixSize
        }
    }
}
