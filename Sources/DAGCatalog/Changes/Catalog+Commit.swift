internal import DAGFailpoints
internal import DAGLMDB

extension Catalog {
    /// Commits changes in one transaction: all of them or none.
    ///
    /// If a change drops the last record of a generation, the generation goes on `pending` with that change. A later
    /// change sees the earlier ones. Changes that equal the rows on disk commit nothing.
    ///
    /// - Parameter changes: The changes, in order.
    /// - Returns: The written records, in the same order; for a removal, the removed record.
    /// - Throws: `.exists` if the key of an insertion is taken. `.corrupt` or `.tooNew` if an updated or published
    ///   shard has no record, a record of another key or one that cannot be read, or if its new generation is not on
    ///   `pending`; the catalog stays usable. `.full`, `.readOnly`, `.io`.
    ///
    /// *Cost*: one flush of the disk. Each insertion changes a page of `keys`, so a batch writes about as many pages
    /// as it has new keys.
    package func commit(_ changes: [CatalogChange]) throws(CatalogError) -> [ShardRecord] {
        guard !changes.isEmpty else { return [] }
        let added = changes.reduce(0) { $0 + $1.addedSize }
        if added > 0 { try checkRoom(for: added) }
        return try commit { (batch, writer) throws(LMDBError) in
            var records: [ShardRecord] = []
            records.reserveCapacity(changes.count)
            for change in changes { records.append(try batch.apply(change, writer)) }
            return records
        }
    }

    /// Publishes an index and its record, in one transaction, or a record without an index.
    ///
    /// - Parameters:
    ///   - record: The record; the call sets its number and generation.
    ///   - root: The root page, if there is an index.
    ///   - generation: The generation of the earlier values; nil if there are none.
    ///   - pieces: The last values.
    /// - Returns: The written record.
    /// - Throws: `.exists` if the key is taken, without writing anything.
    package func publish(
        _ record: ShardRecord,
        root: [UInt8]?,
        generation: UInt64?,
        pieces: [IndexPiece]
    ) throws(CatalogError) -> ShardRecord {
        try commit { (batch, writer) throws(LMDBError) in
            let record = try batch.insert(record, pending: nil, writer)
            guard let root else { return record }
            let parts = IndexParts(root: root, generation: generation, pieces: pieces)
            return try batch.publish(record, parts, writer)
        }
    }

    /// Removes a shard: its record and key at once; its index goes on `pending`.
    ///
    /// - Parameter record: The record, as the catalog has it.
    /// - Throws: `.full`, `.readOnly`, `.io`.
    package func remove(_ record: ShardRecord) throws(CatalogError) {
        _ = try commit([.remove(record)])
    }

    /// Runs a transaction over records, and throws the reason if it was refused.
    private func commit<R>(
        _ body: (inout CatalogBatch, borrowing WriteTransaction) throws(LMDBError) -> R
    ) throws(CatalogError) -> R {
        var batch = CatalogBatch(tables)
        do {
            let result = try write { (writer) throws(LMDBError) in
                let result = try body(&batch, writer)
                try batch.finish(writer)
                if batch.isDirty { Failpoint.beforeCommit.pass() }
                return result
            }
            if batch.isDirty { Failpoint.afterCommit.pass() }
            return result
        } catch {
            throw batch.refusal ?? error
        }
    }
}
