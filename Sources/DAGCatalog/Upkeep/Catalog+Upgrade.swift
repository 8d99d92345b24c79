internal import DAGBytes
internal import DAGFailpoints
internal import DAGHashing
internal import DAGLMDB

/// The row with the key of the store's hash.
///
/// ```
///  0  u64 key    8  u64 key    16  u64 checksum    xxh64 of what is before it
/// ```
///
/// Formats before 4 had no checksum.
enum HashKeyRow {
    private static let keySize = 16

    static func encoded(_ key: (UInt64, UInt64)) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: key.0)
        bytes.append(littleEndian: key.1)
        bytes.append(littleEndian: bytes.withView { Checksum.xxh64($0) })
        return bytes
    }

    /// Returns the key in a row.
    ///
    /// - Throws: `.corrupt`.
    static func key(_ row: [UInt8]) throws(CatalogError) -> (UInt64, UInt64) {
        let key = row.withView { row -> (UInt64, UInt64)? in
            let hasChecksum = row.count == keySize + 8
            guard hasChecksum || row.count == keySize else { return nil }
            if hasChecksum, Checksum.xxh64(row[0..<keySize]) != row.loadUInt64(at: keySize) {
                return nil
            }
            return (row.loadUInt64(at: 0), row.loadUInt64(at: 8))
        }
        guard let key else {
            throw CatalogError(.corrupt, "the row with the key of the catalog's hash is damaged")
        }
        return key
    }
}

extension Catalog {
    /// Upgrades an earlier format with an inverse index to the current one, in one transaction.
    ///
    /// Records and rows of `recent` keep their format, which all readers accept.
    ///
    /// - Throws: `.corrupt`, `.full`, `.readOnly`, `.io`.
    func upgrade() throws(CatalogError) {
        do throws(CatalogError) {
            try write { (writer) throws(LMDBError) in
                try Self.putFormat(writer, tables)
                Failpoint.formatWritten.pass()
            }
        } catch {
            // Without room the catalog keeps its format, and a later opening upgrades it.
            guard error.code == .full else { throw error }
        }
        Failpoint.formatUpgraded.pass()
    }

    /// Writes the rows of `meta` in the current format.
    static func putFormat(
        _ writer: borrowing WriteTransaction,
        _ tables: Tables
    ) throws(LMDBError) {
        // A damaged row gets no new checksum, so that it stays recognizable.
        let keyRow = try writer.get(tables.meta, MetaRow.hashKey.bytes)
        if let keyRow, let key = try? HashKeyRow.key(keyRow) {
            try writer.put(tables.meta, MetaRow.hashKey.bytes, HashKeyRow.encoded(key))
        }
        if let counters = try? counters(try writer.get(tables.meta, MetaRow.counters.bytes)) {
            try writer.put(tables.meta, MetaRow.counters.bytes, counters.encoded())
        }
        try writer.put(tables.meta, MetaRow.format.bytes, formatVersionBytes)
    }
}
