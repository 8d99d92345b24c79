package import DAGBytes
internal import DAGFailpoints
internal import DAGLMDB
package import ShardIndex

/// A value of an index, to be written into the catalog.
package enum IndexPiece: Sendable {
    /// A value of index pages.
    case pages(number: UInt32, bytes: [UInt8])
    /// A locator segment.
    case segment(number: UInt32, bytes: [UInt8])
    /// A segment of a run of the inverse index.
    case inverse(number: UInt32, bytes: [UInt8])

    /// The bytes of the value.
    package var bytes: [UInt8] {
        switch self {
        case .pages(_, let bytes), .segment(_, let bytes), .inverse(_, let bytes): bytes
        }
    }

    /// The size in bytes.
    package var size: Int { bytes.count }
}

/// Bytes of a generation that stay in place until the generation is deleted.
package struct PinnedValue: Sendable {
    /// The bytes.
    package let bytes: ByteView
    /// The owner of a copy; nil if the bytes lie in the map.
    private let owner: OwnedBytes?
    /// Whether the bytes are a copy, which takes memory of the process.
    package var isCopied: Bool { owner != nil }

    init(_ bytes: ByteView, owner: OwnedBytes?) {
        self.bytes = bytes
        self.owner = owner
    }
}

extension Catalog {
    /// Allocates a generation for a new index, and puts it on `pending`.
    ///
    /// A crash of the machine may undo this and `append`. The commit that publishes the generation makes them
    /// durable.
    ///
    /// - Parameter pieces: The first values, which the same transaction writes.
    /// - Returns: The generation.
    /// - Throws: `.full`, `.readOnly`, `.io`.
    package func beginGeneration(_ pieces: [IndexPiece]) throws(CatalogError) -> UInt64 {
        try checkRoom(for: pieces.reduce(0) { $0 + $1.size })
        let generation = try write(.ordered) { (writer) throws(LMDBError) in
            var batch = CatalogBatch(tables)
            let generation = try batch.allocateGeneration(writer)
            try batch.finish(writer)
            try writer.put(tables.pending, TableKey.generation(generation), [])
            try Self.put(pieces, generation, writer, tables)
            return generation
        }
        Failpoint.pieceBatchWritten.pass()
        return generation
    }

    /// Adds values to a generation that is not published yet.
    package func append(_ pieces: [IndexPiece], to generation: UInt64) throws(CatalogError) {
        try checkRoom(for: pieces.reduce(0) { $0 + $1.size })
        try write(.ordered) { (writer) throws(LMDBError) in
            try Self.put(pieces, generation, writer, tables)
        }
        Failpoint.pieceBatchWritten.pass()
    }

    /// Returns the counters inside a write transaction.
    static func currentCounters(
        _ writer: borrowing WriteTransaction,
        _ tables: Tables
    ) throws(LMDBError) -> Counters {
        let bytes = try writer.get(tables.meta, MetaRow.counters.bytes)
        // Only the creation of the catalog and `Counters` write the row.
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

    /// The number of values that one transaction deletes: 8 MiB of pages, as many as a transaction writes.
    static let deletionBatch = 8

    /// Deletes a generation that is on `pending`; no reader may use it.
    ///
    /// *Cost*: a transaction for every 8 of its values; the last one removes it from `pending`.
    package func deleteGeneration(_ generation: UInt64) throws(CatalogError) {
        while try !deletePart(of: generation) {}
    }

    /// Deletes 8 values of a generation in a transaction; with the last of them also its root page and its row of
    /// `pending`.
    ///
    /// - Returns: Whether the generation is deleted completely.
    package func deletePart(of generation: UInt64) throws(CatalogError) -> Bool {
        let isDone = try deleteSome(of: generation)
        (isDone ? Failpoint.generationDeleted : .generationPartlyDeleted).pass()
        return isDone
    }

    private func deleteSome(of generation: UInt64) throws(CatalogError) -> Bool {
        let lower = TableKey.generation(generation)
        // If a crash of the machine brings rows back, it also brings back the row of `pending`.
        return try write(.ordered) { (writer) throws(LMDBError) in
            var left = Self.deletionBatch
            var valueTables = [tables.pages, tables.locators]
            // A run that was published with the index outlives the index.
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

    /// Returns the root page of a generation as it is stored.
    ///
    /// - Throws: `.corrupt` if it is missing.
    package func rootBytes(_ generation: UInt64) throws(CatalogError) -> [UInt8] {
        let bytes = try read { (reader) throws(LMDBError) in
            try reader.get(tables.roots, TableKey.generation(generation))
        }
        guard let bytes else {
            throw CatalogError(.corrupt, "generation \(generation) has no root page")
        }
        return bytes
    }

    /// Returns the root page of a generation.
    ///
    /// - Throws: `.corrupt` if it is missing or damaged.
    package func root(_ generation: UInt64) throws(CatalogError) -> IndexRoot {
        let bytes = try rootBytes(generation)
        do {
            return try bytes.withView { view throws(ShardIndexError) in
                try IndexRoot(reading: view)
            }
        } catch {
            throw CatalogError(error)
        }
    }

    /// Returns a locator segment, which stays readable until the generation is deleted.
    ///
    /// A value in overflow pages does not move while it exists. A smaller value lies inside a leaf that a writer may
    /// copy, so the call copies it.
    package func segment(_ generation: UInt64, _ number: UInt32) throws(CatalogError) -> PinnedValue
    {
        try pinned(tables.locators, generation, number)
    }

    /// Returns a value of index pages, which stays readable until the generation is deleted.
    ///
    /// - Throws: `.corrupt` if it is missing.
    package func pageValue(
        _ generation: UInt64,
        _ number: UInt32
    ) throws(CatalogError) -> PinnedValue {
        try pinned(tables.pages, generation, number)
    }

    /// Returns a value that stays readable until the generation is deleted.
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
