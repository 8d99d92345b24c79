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

    /// A part of a list of shards: those that may pass a filter.
    package struct Candidates {
        /// The shards, in order of registration.
        package let standings: [Standing]
        /// The last shard that was looked at; nil if there was none.
        package let last: UInt32?
        /// The number of shards that were looked at; fewer than allowed only at the end.
        package let count: Int
    }

    /// Returns the shards among the next `count` ones that may pass a filter, and the work that they wait for.
    ///
    /// *Cost*: a look at the bytes of each record; only candidates are decoded.
    ///
    /// - Parameters:
    ///   - number: The call begins after this shard; nil for the first shards.
    ///   - count: The number of shards to look at.
    ///   - states: Persisted states, one of which a candidate has; nil for all.
    ///   - part: Bytes that occur in a candidate's record, with ASCII letters in lower case; empty for all.
    /// - Returns: The candidates; a record may have the bytes elsewhere than where the caller looks for them.
    /// - Throws: `.corrupt`, `.tooNew`.
    package func candidates(
        after number: UInt32?,
        count: Int,
        states: Set<ShardRecord.State>?,
        part: [UInt8]
    ) throws(CatalogError) -> Candidates {
        let numbers = states.map { Set($0.map(\.rawValue)) }
        var (looked, last): (Int, UInt32?) = (0, nil)
        let rows = try rows(after: number, withPending: true) { shard, value in
            guard looked < count else { return .end }
            looked += 1
            last = shard
            // A damaged row is a candidate, so that its decoder throws.
            guard value.count > 1 else { return .take }
            if let numbers, !numbers.contains(value[1]) { return .skip }
            return part.isEmpty || Self.has(value, part) ? .take : .skip
        }
        return Candidates(
            standings: try rows.map { (rows) throws(CatalogError) in try rows.read() },
            last: last,
            count: looked
        )
    }

    private static func has(_ bytes: ByteView, _ part: [UInt8]) -> Bool {
        guard bytes.count >= part.count else { return false }
        let first = part[0]
        let isLetter = first >= UInt8(ascii: "a") && first <= UInt8(ascii: "z")
        let other = isLetter ? first & ~0x20 : first
        for start in 0...(bytes.count - part.count) {
            let byte = bytes[start]
            guard byte == first || byte == other else { continue }
            var length = 1
            while length < part.count, lowered(bytes[start + length]) == part[length] {
                length += 1
            }
            if length == part.count { return true }
        }
        return false
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }

    private func rows(
        after number: UInt32?,
        limit: Int,
        withPending: Bool
    ) throws(CatalogError) -> [Rows] {
        var count = 0
        return try rows(after: number, withPending: withPending) { _, _ in
            guard count < limit else { return .end }
            count += 1
            return .take
        }
    }

    /// What to do with a row.
    private enum Choice { case take, skip, end }

    private func rows(
        after number: UInt32?,
        withPending: Bool,
        _ choose: (UInt32, ByteView) -> Choice
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
                while let (key, value) = row {
                    guard key.count == TableKey.shardSize,
                        key.loadBigEndianUInt32(at: 0) >= lowest
                    else { throw LMDBError(.corrupted) }
                    let shard = key.loadBigEndianUInt32(at: 0)
                    switch choose(shard, value) {
                    case .end: return rows
                    case .skip: break
                    case .take:
                        let pending = isPendingRead ? try reader.get(tables.pending, key) : nil
                        rows.append(
                            Rows(number: shard, record: value.copied, pending: pending?.copied)
                        )
                    }
                    row = try cursor.next()
                }
                return rows
            }
        }
    }
}
