package import Bytes
internal import LMDB
package import ShardIndex

/// A piece of an index, on its way into the catalogue.
package enum IndexPiece: Sendable {
    /// A value of index pages.
    case pages(number: UInt32, bytes: [UInt8])
    /// A locator segment.
    case segment(number: UInt32, bytes: [UInt8])

    /// The size in bytes.
    package var size: Int {
        switch self {
        case .pages(_, let bytes), .segment(_, let bytes): bytes.count
        }
    }
}

/// Bytes of a generation that stay where they are while nobody deletes it.
package struct PinnedValue: Sendable {
    /// The bytes.
    package let bytes: ByteView
    /// What keeps them alive, if they were copied.
    private let owner: OwnedBytes?

    init(_ bytes: ByteView, owner: OwnedBytes?) {
        self.bytes = bytes
        self.owner = owner
    }
}

extension Catalog {
    /// Takes the numbers for a new index and marks its generation as being written.
    ///
    /// - Parameter pieces: The first pieces, written in the same transaction.
    /// - Returns: The generation.
    /// - Throws: `.full`, `.readOnly`, `.io`.
    package func beginGeneration(_ pieces: [IndexPiece]) throws(CatalogError) -> UInt64 {
        try write { (writer) throws(LMDBError) in
            let generation = try Self.takeGeneration(writer, tables)
            try writer.put(tables.pending, TableKey.generation(generation), [])
            try Self.put(pieces, generation, writer, tables)
            return generation
        }
    }

    /// Adds pieces to a generation that is being written.
    package func append(_ pieces: [IndexPiece], to generation: UInt64) throws(CatalogError) {
        try write { (writer) throws(LMDBError) in
            try Self.put(pieces, generation, writer, tables)
        }
    }

    private static func takeGeneration(
        _ writer: borrowing WriteTransaction,
        _ tables: Tables
    ) throws(LMDBError) -> UInt64 {
        var counters = try currentCounters(writer, tables)
        let generation = counters.nextGeneration
        guard generation < .max else { throw LMDBError(.corrupted) }
        counters.nextGeneration += 1
        try writer.put(tables.meta, MetaRow.counters.bytes, counters.encoded())
        return generation
    }

    /// The counters inside a write transaction.
    private static func currentCounters(
        _ writer: borrowing WriteTransaction,
        _ tables: Tables
    ) throws(LMDBError) -> Counters {
        let bytes = try writer.get(tables.meta, MetaRow.counters.bytes)
        // The row is written when the catalogue is made, and by `Counters` only.
        guard let counters = try? counters(bytes) else {
            throw LMDBError(.corrupted)
        }
        return counters
    }

    private static func put(
        _ pieces: [IndexPiece],
        _ generation: UInt64,
        _ writer: borrowing WriteTransaction,
        _ tables: Tables
    ) throws(LMDBError) {
        for piece in pieces {
            switch piece {
            case .pages(let number, let bytes):
                try writer.put(tables.pages, TableKey.value(generation, number), bytes)
            case .segment(let number, let bytes):
                try writer.put(tables.locators, TableKey.value(generation, number), bytes)
            }
        }
    }

    /// Makes an index and its record visible, in one transaction, or a record without an index.
    ///
    /// - Parameters:
    ///   - record: The record; its number and generation are filled in here.
    ///   - root: The root page, if there is an index.
    ///   - generation: Where the earlier pieces are; nil if there are none.
    ///   - pieces: The last pieces.
    /// - Returns: The record as it was written.
    /// - Throws: `.exists` if the key is taken; nothing was written then.
    package func publish(
        _ record: ShardRecord,
        root: [UInt8]?,
        generation: UInt64?,
        pieces: [IndexPiece]
    ) throws(CatalogError) -> ShardRecord {
        var record = record
        precondition(record.key.utf8.count <= ShardRecord.keySizeMax)
        let key = Array(record.key.utf8)
        let outcome = try write { (writer) throws(LMDBError) -> ShardRecord? in
            guard try writer.get(tables.keys, key) == nil else { return nil }
            if let root {
                let own: UInt64
                if let generation {
                    own = generation
                } else {
                    own = try Self.takeGeneration(writer, tables)
                }
                record.generation = own
                try Self.put(pieces, own, writer, tables)
                try writer.put(tables.roots, TableKey.generation(own), root)
                try writer.delete(tables.pending, TableKey.generation(own))
            }
            var counters = try Self.currentCounters(writer, tables)
            record.number = counters.nextShard
            guard record.number < .max else { throw LMDBError(.mapFull) }
            counters.nextShard += 1
            counters.count(record, isAdded: true)
            var number: [UInt8] = []
            number.appendLittleEndian(record.number)
            try writer.put(tables.keys, key, number)
            try writer.put(tables.shards, TableKey.shard(record.number), record.encoded())
            try writer.put(tables.meta, MetaRow.counters.bytes, counters.encoded())
            return record
        }
        guard let outcome else {
            throw CatalogError(.exists, "the key \(record.key) is taken")
        }
        return outcome
    }

    /// Writes a record anew, for a shard that changed its state.
    package func update(_ record: ShardRecord) throws(CatalogError) {
        try write { (writer) throws(LMDBError) in
            let row = TableKey.shard(record.number)
            guard let bytes = try writer.get(tables.shards, row),
                let before = try? bytes.withView({ view throws(CatalogError) in
                    try ShardRecord(number: record.number, reading: view)
                })
            else { throw LMDBError(.corrupted) }
            guard before != record else { return }
            var counters = try Self.currentCounters(writer, tables)
            counters.count(before, isAdded: false)
            counters.count(record, isAdded: true)
            try writer.put(tables.shards, row, record.encoded())
            try writer.put(tables.meta, MetaRow.counters.bytes, counters.encoded())
        }
    }

    /// Takes a shard out: its record and key at once; its index goes on `pending`.
    ///
    /// - Parameter record: The record as it stands in the catalogue.
    /// - Throws: `.full`, `.readOnly`, `.io`.
    package func remove(_ record: ShardRecord) throws(CatalogError) {
        try write { (writer) throws(LMDBError) in
            try writer.delete(tables.keys, Array(record.key.utf8))
            guard try writer.delete(tables.shards, TableKey.shard(record.number)) else { return }
            var counters = try Self.currentCounters(writer, tables)
            counters.count(record, isAdded: false)
            try writer.put(tables.meta, MetaRow.counters.bytes, counters.encoded())
            guard record.generation != 0 else { return }
            try writer.put(tables.pending, TableKey.generation(record.generation), [])
        }
    }

    /// The generations that no record names.
    package func pendingGenerations() throws(CatalogError) -> [UInt64] {
        try read { (reader) throws(LMDBError) in
            try reader.withCursor(tables.pending) { cursor throws(LMDBError) in
                var found: [UInt64] = []
                var row = try cursor.first()
                while let (key, _) = row {
                    guard key.count == 8, key.loadBigEndianUInt64(at: 0) < .max else {
                        throw LMDBError(.corrupted)
                    }
                    found.append(key.loadBigEndianUInt64(at: 0))
                    row = try cursor.next()
                }
                return found
            }
        }
    }

    /// Values deleted in one transaction: 64 MiB of pages.
    private static let deletionBatch = 64

    /// Deletes a generation that is on `pending` and that nobody reads.
    package func deleteGeneration(_ generation: UInt64) throws(CatalogError) {
        let lower = TableKey.generation(generation)
        let upper = TableKey.generation(generation + 1)
        for table in [tables.pages, tables.locators] {
            var deleted = Self.deletionBatch
            while deleted == Self.deletionBatch {
                deleted = try write { (writer) throws(LMDBError) in
                    try lower.withView { lower throws(LMDBError) in
                        try upper.withView { upper throws(LMDBError) in
                            try writer.deleteRange(
                                table,
                                from: lower,
                                below: upper,
                                limit: Self.deletionBatch
                            )
                        }
                    }
                }
            }
        }
        try write { (writer) throws(LMDBError) in
            try writer.delete(tables.roots, lower)
            try writer.delete(tables.pending, lower)
        }
    }

    /// The root page of a generation.
    ///
    /// - Throws: `.corrupt` if it is missing or damaged.
    package func root(_ generation: UInt64) throws(CatalogError) -> IndexRoot {
        let bytes = try read { (reader) throws(LMDBError) in
            try reader.get(tables.roots, TableKey.generation(generation))
        }
        guard let bytes else {
            throw CatalogError(.corrupt, "generation \(generation) has no root page")
        }
        do {
            return try bytes.withView { view throws(ShardIndexError) in
                try IndexRoot(reading: view)
            }
        } catch {
            throw CatalogError(error)
        }
    }

    /// A locator segment that stays readable after this call, as long as nobody deletes the generation.
    ///
    /// A value that fills overflow pages does not move while it exists; a smaller one stands inside a
    /// leaf that may be copied, so it is copied here.
    package func segment(_ generation: UInt64, _ number: UInt32) throws(CatalogError) -> PinnedValue
    {
        let pageSize = try usage().pageSize
        let value = try read { (reader) throws(LMDBError) -> PinnedValue? in
            try TableKey.value(generation, number).withView { key throws(LMDBError) in
                guard let bytes = try reader.get(tables.locators, key) else { return nil }
                guard bytes.count < pageSize / 2 else { return PinnedValue(bytes, owner: nil) }
                let copy = OwnedBytes(copying: bytes)
                return PinnedValue(copy.view, owner: copy)
            }
        }
        guard let value else {
            throw CatalogError(.corrupt, "generation \(generation) lacks segment \(number)")
        }
        return value
    }

    /// Calls `body` with a locator segment, inside a read transaction.
    package func withSegment<R>(
        _ generation: UInt64,
        _ number: UInt32,
        _ body: (ByteView) -> R
    ) throws(CatalogError) -> R {
        try withValue(tables.locators, generation, number, body)
    }

    /// Calls `body` with a value of index pages, inside a read transaction.
    package func withPages<R>(
        _ generation: UInt64,
        _ number: UInt32,
        _ body: (ByteView) -> R
    ) throws(CatalogError) -> R {
        try withValue(tables.pages, generation, number, body)
    }

    private func withValue<R>(
        _ table: Table,
        _ generation: UInt64,
        _ number: UInt32,
        _ body: (ByteView) -> R
    ) throws(CatalogError) -> R {
        let result = try read { (reader) throws(LMDBError) -> R? in
            try TableKey.value(generation, number).withView { key throws(LMDBError) in
                try reader.get(table, key).map(body)
            }
        }
        guard let result else {
            throw CatalogError(.corrupt, "generation \(generation) lacks value \(number)")
        }
        return result
    }
}
