internal import DAGBytes
internal import DAGLMDB
internal import ShardIndex

/// The state of a transaction over records, between its changes.
///
/// It reads the counters once, writes them once, and compares every row before it writes it. So a write transaction
/// without changes costs no flush.
struct CatalogBatch {
    private let tables: Catalog.Tables
    private var counters: Counters?
    private var countersBefore: Counters?
    /// Whether the transaction has written anything.
    private(set) var isDirty = false
    /// Why the batch was refused: a change that does not fit the rows.
    ///
    /// Nil if it was not refused.
    private(set) var refusal: CatalogError?
    /// The recent entries of all changes together.
    private var recent = RecentBatch()

    init(_ tables: Catalog.Tables) {
        self.tables = tables
    }

    /// Applies one change.
    ///
    /// - Returns: The written record.
    mutating func apply(
        _ change: CatalogChange,
        _ writer: borrowing WriteTransaction
    ) throws(LMDBError) -> ShardRecord {
        switch change {
        case .insert(let record, let pending): try insert(record, pending: pending, writer)
        case .adopt(let record, let parts):
            try publish(insert(record, pending: nil, writer), parts, writer)
        case .update(let record, let pending): try update(record, pending: pending, writer)
        case .publish(let record, let parts): try publish(record, parts, writer)
        case .remove(let record): try remove(record, writer)
        }
    }

    /// Writes the rows that all changes share: the recent entries, and the counters.
    mutating func finish(_ writer: borrowing WriteTransaction) throws(LMDBError) {
        if !recent.isEmpty {
            // Generations only grow, so this is the last row.
            let sequence = try allocateGeneration(writer)
            try put(tables.recent, TableKey.generation(sequence), recent.encoded, writer)
            recent = RecentBatch()
        }
        guard let counters, counters != countersBefore else { return }
        try put(tables.meta, MetaRow.counters.bytes, counters.encoded(), writer)
        countersBefore = counters
    }

    mutating func insert(
        _ record: ShardRecord,
        pending: PendingWork?,
        _ writer: borrowing WriteTransaction
    ) throws(LMDBError) -> ShardRecord {
        precondition(record.generation == 0, "a new shard names a generation")
        var record = record
        var counters = try currentCounters(writer)
        record.number = counters.nextShard
        guard record.number < .max else { throw LMDBError(.mapFull) }
        counters.nextShard += 1
        counters.count(record, isAdded: true)
        self.counters = counters
        var number: [UInt8] = []
        number.append(littleEndian: record.number)
        isDirty = true
        do {
            try writer.put(tables.keys, Array(record.key.utf8), number, flags: .noOverwrite)
        } catch {
            guard error.code == .keyExists else { throw error }
            throw refuse(.exists, "the key \(record.key) is taken")
        }
        let row = TableKey.shard(record.number)
        do {
            // Numbers only grow, so LMDB fills the leaves of `shards` completely.
            try writer.put(tables.shards, row, record.encoded(), flags: .append)
        } catch {
            guard error.code == .keyExists else { throw error }
            throw refuse(
                .corrupt,
                "the counters would allocate the existing shard \(record.number) again"
            )
        }
        if let pending { try put(tables.pending, row, pending.encoded(), writer) }
        return record
    }

    mutating func update(
        _ record: ShardRecord,
        pending: PendingWork?,
        _ writer: borrowing WriteTransaction
    ) throws(LMDBError) -> ShardRecord {
        guard let before = try current(record, writer) else { throw refuseMissing(record) }
        guard record.generation == 0 || record.generation == before.record.generation else {
            throw refuse(
                .corrupt,
                "shard \(record.number) does not have generation \(record.generation)"
            )
        }
        try replace(before, by: record, writer)
        let row = TableKey.shard(record.number)
        let pendingBytes = pending?.encoded()
        guard try writer.get(tables.pending, row) != pendingBytes else { return record }
        if let pendingBytes {
            try put(tables.pending, row, pendingBytes, writer)
        } else {
            try delete(tables.pending, row, writer)
        }
        return record
    }

    mutating func publish(
        _ record: ShardRecord,
        _ parts: IndexParts,
        _ writer: borrowing WriteTransaction
    ) throws(LMDBError) -> ShardRecord {
        guard let before = try current(record, writer) else { throw refuseMissing(record) }
        var record = record
        if let generation = parts.generation {
            // A generation that is missing here was deleted, or another record names it. No record may name it now.
            guard try delete(tables.pending, TableKey.generation(generation), writer) else {
                throw refuse(.corrupt, "generation \(generation) is not on pending")
            }
            record.generation = generation
        } else {
            record.generation = try allocateGeneration(writer)
        }
        isDirty = true
        try Catalog.put(parts.pieces, record.generation, writer, tables)
        let root = TableKey.generation(record.generation)
        try put(tables.roots, root, parts.root, writer)
        switch parts.inverse {
        case .recent(let hashes): recent.append(hashes, of: record.number)
        case .run(var shape):
            shape.leastShard = record.number
            try put(tables.runs, root, shape.encoded, writer)
            try Catalog.addTotals(writer, tables) { totals in
                totals.added += shape.entryCount
                totals.written += shape.entryCount
            }
        }
        try delete(tables.pending, TableKey.shard(record.number), writer)
        try replace(before, by: record, writer)
        return record
    }

    mutating func remove(
        _ record: ShardRecord,
        _ writer: borrowing WriteTransaction
    ) throws(LMDBError) -> ShardRecord {
        guard let before = try current(record, writer) else { return record }
        var counters = try currentCounters(writer)
        counters.count(before.record, isAdded: false)
        self.counters = counters
        var number: [UInt8] = []
        number.append(littleEndian: record.number)
        let key = Array(record.key.utf8)
        // The row of a damaged catalog may lead to another shard; then it stays.
        if try writer.get(tables.keys, key) == number { try delete(tables.keys, key, writer) }
        let row = TableKey.shard(record.number)
        try delete(tables.shards, row, writer)
        try delete(tables.pending, row, writer)
        try drop(before.record.generation, writer)
        return before.record
    }

    private mutating func refuseMissing(_ record: ShardRecord) -> LMDBError {
        refuse(.corrupt, "shard \(record.number) has no record")
    }

    /// Sets the reason why the batch is refused.
    ///
    /// - Returns: An error that undoes the transaction and leaves the disk in a known state.
    private mutating func refuse(_ code: CatalogError.Code, _ detail: String) -> LMDBError {
        refusal = CatalogError(code, detail)
        return LMDBError(.keyExists)
    }

    /// Allocates the number of a new generation.
    mutating func allocateGeneration(
        _ writer: borrowing WriteTransaction
    ) throws(LMDBError) -> UInt64 {
        var counters = try currentCounters(writer)
        let generation = counters.nextGeneration
        guard generation < .max else { throw LMDBError(.corrupted) }
        counters.nextGeneration += 1
        self.counters = counters
        return generation
    }

    /// A record on disk.
    private struct Current {
        let record: ShardRecord
        let bytes: [UInt8]
    }

    /// Returns the record on disk of the shard whose new record is `record`; nil if there is none.
    private mutating func current(
        _ record: ShardRecord,
        _ writer: borrowing WriteTransaction
    ) throws(LMDBError) -> Current? {
        guard let bytes = try writer.get(tables.shards, TableKey.shard(record.number)) else {
            return nil
        }
        let found: ShardRecord
        do {
            found = try bytes.withView { view throws(CatalogError) in
                try ShardRecord(number: record.number, reading: view)
            }
        } catch {
            throw refuse(error.code, error.detail)
        }
        guard found.key.utf8.elementsEqual(record.key.utf8) else {
            throw refuse(.corrupt, "shard \(record.number) has another key")
        }
        return Current(record: found, bytes: bytes)
    }

    /// Writes a record unless it equals the one on disk, and drops the generation that it no longer names.
    private mutating func replace(
        _ before: Current,
        by record: ShardRecord,
        _ writer: borrowing WriteTransaction
    ) throws(LMDBError) {
        let bytes = record.encoded()
        guard bytes != before.bytes else { return }
        // The bytes of version 1 always differ. The code compares bytes, because Swift treats some strings of
        // different bytes as equal.
        guard before.bytes[0] == ShardRecord.version || before.record.encoded() != bytes else {
            return
        }
        var counters = try currentCounters(writer)
        counters.count(before.record, isAdded: false)
        counters.count(record, isAdded: true)
        self.counters = counters
        try put(tables.shards, TableKey.shard(record.number), bytes, writer)
        guard before.record.generation != record.generation else { return }
        try drop(before.record.generation, writer)
    }

    /// Puts a generation on `pending`; does nothing for generation 0.
    private mutating func drop(
        _ generation: UInt64,
        _ writer: borrowing WriteTransaction
    ) throws(LMDBError) {
        guard generation != 0 else { return }
        try put(tables.pending, TableKey.generation(generation), [], writer)
    }

    private mutating func currentCounters(
        _ writer: borrowing WriteTransaction
    ) throws(LMDBError) -> Counters {
        if let counters { return counters }
        let found = try Catalog.currentCounters(writer, tables)
        counters = found
        countersBefore = found
        return found
    }

    private mutating func put(
        _ table: Table,
        _ key: [UInt8],
        _ value: [UInt8],
        _ writer: borrowing WriteTransaction
    ) throws(LMDBError) {
        isDirty = true
        try writer.put(table, key, value)
    }

    @discardableResult
    private mutating func delete(
        _ table: Table,
        _ key: [UInt8],
        _ writer: borrowing WriteTransaction
    ) throws(LMDBError) -> Bool {
        guard try writer.delete(table, key) else { return false }
        isDirty = true
        return true
    }
}
