internal import DAGBytes
internal import DAGLMDB

/// The work that a shard waits for: the row of `pending` that resumes it when a store opens.
///
/// ```
///  0  u8  kind      1 initialize, 2 recover
///  1  7 zero
///  8  u64 since     milliseconds since 1970
/// ```
package struct PendingWork: Equatable, Sendable {
    /// The kind of work.
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// The first indexing of the shard.
        case initialize = 1
        /// The recovery of the failed shard.
        case recover = 2
    }

    static let size = 16

    /// The kind of work.
    package var kind: Kind
    /// The start of the wait, in milliseconds since 1970.
    package var since: UInt64

    /// Creates the work of a shard.
    ///
    /// - Parameters:
    ///   - kind: The kind of work.
    ///   - since: The start of the wait, in milliseconds since 1970.
    package init(kind: Kind, since: UInt64) {
        self.kind = kind
        self.since = since
    }

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.size)
        bytes.append(littleEndian: UInt64(kind.rawValue))
        bytes.append(littleEndian: since)
        return bytes
    }

    init(of number: UInt32, reading bytes: ByteView) throws(CatalogError) {
        // The kind is the lowest byte of a word; the other bytes are zero.
        guard bytes.count == Self.size, bytes.loadUInt64(at: 0) <= UInt64(UInt8.max),
            let kind = Kind(rawValue: bytes[0])
        else { throw CatalogError(.corrupt, "the pending row of shard \(number) is damaged") }
        self.init(kind: kind, since: bytes.loadUInt64(at: 8))
    }

    init?(of number: UInt32, row: [UInt8]?) throws(CatalogError) {
        guard let row else { return nil }
        self = try row.withView { view throws(CatalogError) in
            try PendingWork(of: number, reading: view)
        }
    }
}

extension Catalog {
    /// Returns the generations on `pending`.
    ///
    /// *Cost*: O(rows of `pending`).
    package func pendingGenerations() throws(CatalogError) -> [UInt64] {
        try pendingRows(keySize: TableKey.generationSize) { key, _ in key.loadBigEndianUInt64(at: 0)
        }
        .map { (generation) throws(CatalogError) in
            guard generation < .max else {
                throw CatalogError(.corrupt, "an impossible generation is on pending")
            }
            return generation
        }
    }

    /// Returns the shards that wait for work, by number.
    ///
    /// - Throws: `.corrupt` if a row cannot be read.
    ///
    /// *Cost*: O(rows of `pending`), whatever the number of shards.
    package func pendingShards() throws(CatalogError) -> [(number: UInt32, work: PendingWork)] {
        let rows = try pendingRows(keySize: TableKey.shardSize) { key, value in
            (number: key.loadBigEndianUInt32(at: 0), value: value.copied)
        }
        return try rows.map { (row) throws(CatalogError) in
            let work = try row.value.withView { view throws(CatalogError) in
                try PendingWork(of: row.number, reading: view)
            }
            return (row.number, work)
        }
    }

    /// Returns the rows of `pending` whose keys have this size, which is that of shards or that of generations.
    private func pendingRows<R>(
        keySize: Int,
        _ body: (ByteView, ByteView) -> R
    ) throws(CatalogError) -> [R] {
        try read { (reader) throws(LMDBError) in
            try reader.withCursor(tables.pending) { cursor throws(LMDBError) in
                var found: [R] = []
                var row = try cursor.first()
                while let (key, value) = row {
                    guard key.count == TableKey.shardSize || key.count == TableKey.generationSize
                    else { throw LMDBError(.corrupted) }
                    if key.count == keySize { found.append(body(key, value)) }
                    row = try cursor.next()
                }
                return found
            }
        }
    }
}
