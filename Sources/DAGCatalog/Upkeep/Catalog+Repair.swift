internal import DAGBytes
internal import DAGLMDB

/// Repairs without loss; each mends one finding of `damage(limit:)`.
///
/// *Concurrency*: no other thread or process may write meanwhile.
extension Catalog {
    /// Recounts everything and writes the counters, if they differ.
    ///
    /// The next numbers stay above those of the old counters, if these can be read.
    ///
    /// - Throws: `.corrupt` if a table cannot be walked; `.full`, `.readOnly`, `.io`.
    package func repairCounters() throws(CatalogError) {
        var scan = DamageScan(self, limit: nil)
        try scan.count()
        var counters = scan.recount
        let before = try? self.counters()
        if let before {
            counters.nextShard = max(counters.nextShard, before.nextShard)
            counters.nextGeneration = max(counters.nextGeneration, before.nextGeneration)
        }
        guard counters != before else { return }
        try write { (writer) throws(LMDBError) in
            try writer.put(tables.meta, MetaRow.counters.bytes, counters.encoded())
        }
    }

    /// Deletes the rows of a generation without a record.
    ///
    /// - Parameter generation: The generation.
    /// - Throws: `.exists` if a record names it, or may name it; `.corrupt`, `.full`, `.readOnly`, `.io`.
    ///
    /// *Cost*: reads every record once.
    package func dropOrphanGeneration(_ generation: UInt64) throws(CatalogError) {
        var owner: UInt32?
        try walk(tables.shards) { (_, key, value) throws(LMDBError) in
            guard key.count == TableKey.shardSize, value.count >= 16 else { return .next }
            // All versions have the generation here, so an unreadable record counts too.
            guard value.loadUInt64(at: 8) == generation else { return .next }
            owner = key.loadBigEndianUInt32(at: 0)
            return .stop
        }
        if let owner {
            throw CatalogError(.exists, "shard \(owner) names generation \(generation)")
        }
        // If the deletion is interrupted, the next open continues it.
        try write { (writer) throws(LMDBError) in
            try writer.put(tables.pending, TableKey.generation(generation), [])
        }
        try deleteGeneration(generation)
    }

    /// Deletes the segments of a run that is not listed and that no merge writes.
    ///
    /// - Parameter generation: The run's generation.
    /// - Throws: `.exists` if the run is listed or a merge writes it; `.corrupt`, `.full`, `.readOnly`, `.io`.
    package func dropOrphanRun(_ generation: UInt64) throws(CatalogError) {
        let row = TableKey.generation(generation)
        let isTaken = try write { (writer) throws(LMDBError) in
            guard try writer.get(tables.runs, row) == nil,
                try writer.get(tables.pending, row) == nil
            else { return true }
            // If the deletion is interrupted, the next open continues it.
            try writer.put(tables.runs, row, [])
            return false
        }
        guard !isTaken else { throw CatalogError(.exists, "generation \(generation) is a run") }
        try deleteRun(generation)
    }

    /// Writes the row that leads from a record's key to the record.
    ///
    /// - Parameter record: A record, as the catalog has it.
    /// - Throws: `.missing` if the shard has no such record; `.exists` if the key leads to another shard with the
    ///   same key; `.full`, `.readOnly`, `.io`.
    package func restoreKeyRow(_ record: ShardRecord) throws(CatalogError) {
        let key = Array(record.key.utf8)
        var number: [UInt8] = []
        number.append(littleEndian: record.number)
        guard let found = try self.record(record.number), found.key.utf8.elementsEqual(key) else {
            throw CatalogError(.missing, "shard \(record.number) has no record with this key")
        }
        let row = try read { (reader) throws(LMDBError) in try reader.get(tables.keys, key) }
        guard row != number else { return }
        if let row, row.count == TableKey.shardSize {
            let other = row.withView { $0.loadUInt32(at: 0) }
            guard !(try mayHave(key, other)) else {
                throw CatalogError(.exists, "shard \(other) has the key too")
            }
        }
        try write { (writer) throws(LMDBError) in try writer.put(tables.keys, key, number) }
    }

    /// Returns whether a shard has a record with this key, or one that cannot be read.
    private func mayHave(_ key: [UInt8], _ number: UInt32) throws(CatalogError) -> Bool {
        do {
            return try record(number)?.key.utf8.elementsEqual(key) ?? false
        } catch {
            guard error.code == .corrupt || error.code == .tooNew else { throw error }
            return true
        }
    }

    /// Removes the row of a shard from `pending`, if the shard has no record or the row cannot be read.
    ///
    /// - Parameter number: The shard's number.
    /// - Throws: `.exists` if the shard has a record and a readable row; `.full`, `.readOnly`, `.io`.
    package func dropPending(_ number: UInt32) throws(CatalogError) {
        let row = TableKey.shard(number)
        let (record, work) = try read { (reader) throws(LMDBError) in
            (try reader.get(tables.shards, row), try reader.get(tables.pending, row))
        }
        guard let work else { return }
        let isReadable = (try? PendingWork(of: number, row: work)) != nil
        guard record == nil || !isReadable else {
            throw CatalogError(.exists, "shard \(number) has a record and waits for work")
        }
        _ = try write { (writer) throws(LMDBError) in try writer.delete(tables.pending, row) }
    }
}
