internal import DAGFailpoints
internal import DAGLMDB

extension Catalog {
    /// Commits changes in one transaction: all of them or none.
    ///
    /// A generation that a record names no more goes on `pending` with the change that drops it. A
    /// later change sees the earlier ones. Changes that leave everything as it is on disk commit
    /// nothing.
    ///
    /// - Parameter changes: What shall be, in order.
    /// - Returns: The records as they were written, in the same order; of a removal, the one
    ///   removed.
    /// - Throws: `.exists` if the key of an insertion is taken; `.corrupt` or `.tooNew` if a shard
    ///   that is updated or published has no record or one of another key, if its record cannot be
    ///   read, or if its new generation is not on `pending`; the catalogue takes other changes
    ///   after these. `.full`, `.readOnly`, `.io`.
    ///
    /// *Cost*: one flush of the disk; each insertion changes a page of `keys`, so that the pages
    /// written are about as many as there are keys in the batch.
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
        try commit { (batch, writer) throws(LMDBError) in
            let record = try batch.insert(record, pending: nil, writer)
            guard let root else { return record }
            let parts = IndexParts(root: root, generation: generation, pieces: pieces)
            return try batch.publish(record, parts, writer)
        }
    }

    /// Takes a shard out: its record and key at once; its index goes on `pending`.
    ///
    /// - Parameter record: The record as it stands in the catalogue.
    /// - Throws: `.full`, `.readOnly`, `.io`.
    package func remove(_ record: ShardRecord) throws(CatalogError) {
        _ = try commit([.remove(record)])
    }

    /// Runs a transaction over records, and says why it was refused if it was.
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
