internal import DAGBytes
internal import DAGLMDB

extension Catalog {
    /// A record, and the work that its shard waits for.
    package typealias Standing = (record: ShardRecord, pending: PendingWork?)

    /// The raw rows of one shard.
    private struct Rows {
        var number: UInt32
        var record: [UInt8]
        var pending: [UInt8]?

        func read() throws(CatalogError) -> Standing {
            let record = try record.withView { view throws(CatalogError) in
                try ShardRecord(number: number, reading: view)
            }
            return (record, try PendingWork(of: number, row: pending))
        }
    }

    /// Returns the record of the shard with this key, if there is one.
    ///
    /// - Throws: `.corrupt`, `.tooNew`.
    package func record(of key: String) throws(CatalogError) -> ShardRecord? {
        try standing(of: key)?.record
    }

    /// Returns the record of the shard with this key and the work that the shard waits for, in one snapshot.
    ///
    /// - Parameter key: The key.
    /// - Returns: Both; nil if the key has no shard.
    /// - Throws: `.corrupt`, `.tooNew`.
    ///
    /// *Cost*: three look-ups in one read transaction.
    package func standing(of key: String) throws(CatalogError) -> Standing? {
        let key = Array(key.utf8)
        let rows = try read { (reader) throws(LMDBError) -> Rows? in
            guard let number = try reader.get(tables.keys, key) else { return nil }
            guard number.count == 4 else { throw LMDBError(.corrupted) }
            let shard = number.withView { $0.loadUInt32(at: 0) }
            let row = TableKey.shard(shard)
            guard let record = try reader.get(tables.shards, row) else {
                throw LMDBError(.corrupted)
            }
            return Rows(
                number: shard,
                record: record,
                pending: try reader.get(tables.pending, row)
            )
        }
        guard let standing = try rows?.read() else { return nil }
        guard standing.record.key.utf8.elementsEqual(key) else {
            throw CatalogError(.corrupt, "a key leads to the record of another shard")
        }
        return standing
    }

    /// Returns some records, in order of registration.
    ///
    /// - Parameters:
    ///   - number: The call begins after this shard; nil for the first shards.
    ///   - limit: The largest number of records.
    /// - Returns: The records; fewer than `limit` only at the end.
    /// - Throws: `.corrupt`, `.tooNew`.
    package func records(after number: UInt32?, limit: Int) throws(CatalogError) -> [ShardRecord] {
        try rows(after: number, limit: limit, withPending: false)
            .map { (rows) throws(CatalogError) in try rows.read().record }
    }

    /// Calls `body` with the number of every shard from one on, in ascending order.
    ///
    /// *Cost*: a step of a cursor each; no record is read.
    ///
    /// - Throws: `.corrupt`.
    package func forEachShard(from least: UInt32, _ body: (UInt32) -> Void) throws(CatalogError) {
        try read { (reader) throws(LMDBError) in
            try reader.withCursor(tables.shards) { cursor throws(LMDBError) in
                var row = try TableKey.shard(least).withView { key throws(LMDBError) in
                    try cursor.seek(atLeast: key)
                }
                while let (key, _) = row {
                    guard key.count == TableKey.shardSize else { throw LMDBError(.corrupted) }
                    body(key.loadBigEndianUInt32(at: 0))
                    row = try cursor.next()
                }
            }
        }
    }

    /// Returns some records and the work that their shards wait for, in order of registration and in one snapshot.
    ///
    /// - Parameters:
    ///   - number: The call begins after this shard; nil for the first shards.
    ///   - limit: The largest number of records.
    /// - Returns: The records; fewer than `limit` only at the end.
    /// - Throws: `.corrupt`, `.tooNew`.
    package func standings(
        after number: UInt32?,
        limit: Int
    ) throws(CatalogError) -> [Standing] {
        try rows(after: number, limit: limit, withPending: true)
            .map { (rows) throws(CatalogError) in try rows.read() }
    }

    private func rows(
        after number: UInt32?,
        limit: Int,
        withPending: Bool
    ) throws(CatalogError) -> [Rows] {
        let lowest = number.map { $0 == .max ? $0 : $0 + 1 } ?? 0
        return try read { (reader) throws(LMDBError) in
            let isPendingRead =
                withPending ? try reader.statistics(of: tables.pending).entries > 0 : false
            return try reader.withCursor(tables.shards) { cursor throws(LMDBError) in
                var rows: [Rows] = []
                var row = try TableKey.shard(lowest).withView { key throws(LMDBError) in
                    try cursor.seek(atLeast: key)
                }
                while let (key, value) = row, rows.count < limit {
                    guard key.count == TableKey.shardSize,
                        key.loadBigEndianUInt32(at: 0) >= lowest
                    else { throw LMDBError(.corrupted) }
                    let pending = isPendingRead ? try reader.get(tables.pending, key) : nil
                    rows.append(
                        Rows(
                            number: key.loadBigEndianUInt32(at: 0),
                            record: value.copied,
                            pending: pending?.copied
                        )
                    )
                    row = try cursor.next()
                }
                return rows
            }
        }
    }
}
