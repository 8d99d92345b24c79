internal import DAGBytes
internal import DAGLMDB

extension Catalog {
    /// Returns the number of the shard with this key, if there is one.
    package func number(of key: String) throws(CatalogError) -> UInt32? {
        let found = try read { (reader) throws(LMDBError) in
            try reader.get(tables.keys, Array(key.utf8))
        }
        guard let found else { return nil }
        guard found.count == 4 else { throw CatalogError(.corrupt, "the row of a key is damaged") }
        return found.withView { $0.loadUInt32(at: 0) }
    }

    /// Returns the record of a shard, if there is one.
    package func record(_ number: UInt32) throws(CatalogError) -> ShardRecord? {
        let found = try read { (reader) throws(LMDBError) in
            try reader.get(tables.shards, TableKey.shard(number))
        }
        guard let found else { return nil }
        return try found.withView { view throws(CatalogError) in
            try ShardRecord(number: number, reading: view)
        }
    }

    /// Returns whether a shard has a record, readable or not.
    ///
    /// - Throws: `.corrupt`, `.io`.
    package func hasRecord(_ number: UInt32) throws(CatalogError) -> Bool {
        try read { (reader) throws(LMDBError) in
            try TableKey.shard(number).withView { key throws(LMDBError) in
                try reader.get(tables.shards, key) != nil
            }
        }
    }

    /// Returns the counters.
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
