internal import Bytes
internal import LMDB

extension Catalog {
    /// The number of the shard with this key, if there is one.
    package func number(of key: String) throws(CatalogError) -> UInt32? {
        let found = try read { (reader) throws(LMDBError) in
            try reader.get(tables.keys, Array(key.utf8))
        }
        guard let found else { return nil }
        guard found.count == 4 else { throw CatalogError(.corrupt, "the row of a key") }
        return found.withView { $0.loadUInt32(at: 0) }
    }

    /// The record of a shard, if there is one.
    package func record(_ number: UInt32) throws(CatalogError) -> ShardRecord? {
        let found = try read { (reader) throws(LMDBError) in
            try reader.get(tables.shards, TableKey.shard(number))
        }
        guard let found else { return nil }
        return try found.withView { view throws(CatalogError) in
            try ShardRecord(number: number, reading: view)
        }
    }

    /// The record of the shard with this key, if there is one.
    package func record(of key: String) throws(CatalogError) -> ShardRecord? {
        let rows = try read { (reader) throws(LMDBError) -> (number: [UInt8], record: [UInt8]?)? in
            guard let number = try reader.get(tables.keys, Array(key.utf8)) else { return nil }
            guard number.count == 4 else { return (number, nil) }
            let row = TableKey.shard(number.withView { $0.loadUInt32(at: 0) })
            return (number, try reader.get(tables.shards, row))
        }
        guard let (bytes, row) = rows else { return nil }
        guard let row else { throw CatalogError(.corrupt, "a key without its record") }
        let number = bytes.withView { $0.loadUInt32(at: 0) }
        let record = try row.withView { view throws(CatalogError) in
            try ShardRecord(number: number, reading: view)
        }
        guard record.key.utf8.elementsEqual(key.utf8) else {
            throw CatalogError(.corrupt, "a key that leads to another shard's record")
        }
        return record
    }

    /// Some records, in order of registration.
    ///
    /// - Parameters:
    ///   - number: The shards after this one; nil for the first ones.
    ///   - limit: How many at most.
    /// - Returns: The records; fewer than `limit` only at the end.
    /// - Throws: `.corrupt`, `.tooNew`.
    package func records(after number: UInt32?, limit: Int) throws(CatalogError) -> [ShardRecord] {
        let rows = try read { (reader) throws(LMDBError) in
            try reader.withCursor(tables.shards) { cursor throws(LMDBError) in
                var rows: [(UInt32, [UInt8])] = []
                let lowest = number.map { $0 == .max ? $0 : $0 + 1 } ?? 0
                var row = try TableKey.shard(lowest).withView { key throws(LMDBError) in
                    try cursor.seek(atLeast: key)
                }
                while let (key, value) = row, rows.count < limit {
                    guard key.count == 4 else { throw LMDBError(.corrupted) }
                    rows.append((key.loadBigEndianUInt32(at: 0), value.copied))
                    row = try cursor.next()
                }
                return rows
            }
        }
        var records: [ShardRecord] = []
        for (number, bytes) in rows {
            let record = try bytes.withView { view throws(CatalogError) in
                try ShardRecord(number: number, reading: view)
            }
            records.append(record)
        }
        return records
    }

    /// The counters.
    package func counters() throws(CatalogError) -> Counters {
        let bytes = try read { (reader) throws(LMDBError) in
            try reader.get(tables.meta, MetaRow.counters.bytes)
        }
        return try Self.counters(bytes)
    }

    static func counters(_ bytes: [UInt8]?) throws(CatalogError) -> Counters {
        guard let bytes else { throw CatalogError(.corrupt, "the counters are missing") }
        return try bytes.withView { view throws(CatalogError) in try Counters(reading: view) }
    }
}
