internal import Bytes
internal import ShardIndex

/// New entries of the inverse index, as one commit writes them.
///
/// ```
/// { u32 shard, u32 count, { u48 hash }[count] }*
/// ```
struct RecentBatch {
    static let headerSize = 8
    static let hashSize = 6

    private(set) var encoded: [UInt8] = []

    var isEmpty: Bool { encoded.isEmpty }

    mutating func append(_ hashes: [UInt64], of shard: UInt32) {
        guard !hashes.isEmpty else { return }
        encoded.reserveCapacity(encoded.count + Self.headerSize + hashes.count * Self.hashSize)
        encoded.append(littleEndian: shard)
        encoded.append(littleEndian: UInt32(hashes.count))
        for hash in hashes {
            encoded.append(littleEndian: UInt32(truncatingIfNeeded: hash))
            encoded.append(littleEndian: UInt16(truncatingIfNeeded: hash >> 32))
        }
    }

    /// The entries in a row.
    ///
    /// - Throws: `.corrupt`.
    static func entries(_ row: [UInt8]) throws(CatalogError) -> [InverseEntry] {
        let damaged = CatalogError(.corrupt, "a row of new entries of the inverse index")
        var entries: [InverseEntry] = []
        let isWhole = row.withView { row in
            var place = 0
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
}
