package import DAGBytes
internal import DAGFailpoints
internal import DAGLMDB
package import ShardIndex

/// A piece of an index, on its way into the catalogue.
package enum IndexPiece: Sendable {
    /// A value of index pages.
    case pages(number: UInt32, bytes: [UInt8])
    /// A locator segment.
    case segment(number: UInt32, bytes: [UInt8])
    /// A segment of a run of the inverse index.
    case inverse(number: UInt32, bytes: [UInt8])

    /// What is written.
    package var bytes: [UInt8] {
        switch self {
        case .pages(_, let bytes), .segment(_, let bytes), .inverse(_, let bytes): bytes
        }
    }

    /// The size in bytes.
    package var size: Int { bytes.count }
}

/// Bytes of a generation that stay where they are while nobody deletes it.
package struct PinnedValue: Sendable {
    /// The bytes.
    package let bytes: ByteView
    /// What keeps them alive, if they were copied.
    private let owner: OwnedBytes?
    /// Whether they were copied, so that they take memory of the process.
    package var isCopied: Bool { owner != nil }

    init(_ bytes: ByteView, owner: OwnedBytes?) {
        self.bytes = bytes
        self.owner = owner
    }
}

extension Catalog {
    /// Takes the numbers for a new index and marks its generation as being written.
    ///
    /// A crash of the machine may undo this and `append`; the commit that publishes the generation makes them durable.
    ///
    /// - Parameter pieces: The first pieces, written in the same transaction.
    /// - Returns: The generation.
    /// - Throws: `.full`, `.readOnly`, `.io`.
    package func beginGeneration(_ pieces: [IndexPiece]) throws(CatalogError) -> UInt64 {
        try checkRoom(for: pieces.reduce(0) { $0 + $1.size })
        let generation = try write(.ordered) { (writer) throws(LMDBError) in
            var batch = CatalogBatch(tables)
            let generation = try batch.takeGeneration(writer)
            try batch.finish(writer)
            try writer.put(tables.pending, TableKey.generation(generation), [])
            try Self.put(pieces, generation, writer, tables)
            return generation
        }
        Failpoint.pieceBatchWritten.pass()
        return generation
    }

    /// Adds pieces to a generation that is being written.
    package func append(_ pieces: [IndexPiece], to generation: UInt64) throws(CatalogError) {
        try checkRoom(for: pieces.reduce(0) { $0 + $1.size })
        try write(.ordered) { (writer) throws(LMDBError) in
            try Self.put(pieces, generation, writer, tables)
        }
        Failpoint.pieceBatchWritten.pass()
    }

    /// The counters inside a write transaction.
    static func currentCounters(
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

    static func put(
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
            case .inverse(let number, let bytes):
                try writer.put(tables.inverse, TableKey.value(generation, number), bytes)
            }
        }
    }

    /// Values deleted in one transaction: 8 MiB of pages, as many as one writes.
    static let deletionBatch = 8

    /// Deletes a generation that is on `pending` and that nobody reads.
    ///
    /// *Cost*: a transaction for every 8 of its values; the last one takes it off `pending`.
    package func deleteGeneration(_ generation: UInt64) throws(CatalogError) {
        while try !deletePart(of: generation) {}
    }

    /// Deletes 8 values of a generation in a transaction, and with the last of them what leads to it.
    ///
    /// - Returns: Whether nothing is left.
    package func deletePart(of generation: UInt64) throws(CatalogError) -> Bool {
        let isDone = try deleteSome(of: generation)
        (isDone ? Failpoint.generationDeleted : .generationPartlyDeleted).pass()
        return isDone
    }

    private func deleteSome(of generation: UInt64) throws(CatalogError) -> Bool {
        let lower = TableKey.generation(generation)
        // What a crash of the machine brings back stands on `pending` again.
        return try write(.ordered) { (writer) throws(LMDBError) in
            var left = Self.deletionBatch
            var valueTables = [tables.pages, tables.locators]
            // A run that was published with the index outlives it.
            if try writer.get(tables.runs, lower) == nil { valueTables.append(tables.inverse) }
            for table in valueTables {
                left -= try writer.deleteRows(table, of: generation, limit: left)
                guard left > 0 else { return false }
            }
            try writer.delete(tables.roots, lower)
            try writer.delete(tables.pending, lower)
            return true
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
        try pinned(tables.locators, generation, number)
    }

    /// Returns a value of index pages, which stays readable until the generation is deleted.
    ///
    /// - Throws: `.corrupt` if it is not there.
    package func pageValue(
        _ generation: UInt64,
        _ number: UInt32
    ) throws(CatalogError) -> PinnedValue {
        try pinned(tables.pages, generation, number)
    }

    /// A value that stays readable while nobody deletes it.
    func pinned(
        _ table: Table,
        _ generation: UInt64,
        _ number: UInt32
    ) throws(CatalogError) -> PinnedValue {
        let value = try read { (reader) throws(LMDBError) -> PinnedValue? in
            try TableKey.value(generation, number).withView { key throws(LMDBError) in
                guard let bytes = try reader.get(table, key) else { return nil }
                guard bytes.count < pageSize / 2 else { return PinnedValue(bytes, owner: nil) }
                let copy = OwnedBytes(copying: bytes)
                return PinnedValue(copy.view, owner: copy)
            }
        }
        guard let value else {
            throw CatalogError(.corrupt, "generation \(generation) lacks value \(number)")
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
