internal import DAGBytes
internal import DAGLMDB

/// The next step of a walk over a table.
enum WalkStep {
    /// Go to the next row.
    case next
    /// Go to the first row whose key is this one or greater.
    case seek([UInt8])
    /// End the walk.
    case stop
}

extension Catalog {
    /// The number of rows in one read transaction, so that transactions stay short.
    private static let walkBatch = 1024

    /// Walks the rows of a table in order, in short read transactions.
    ///
    /// - Parameters:
    ///   - table: The table.
    ///   - start: The first key; nil for the first row.
    ///   - visit: Receives each row, and returns the next step.
    /// - Throws: The errors of `visit`; `.corrupt` if the file is damaged.
    func walk(
        _ table: Table,
        from start: [UInt8]? = nil,
        _ visit: (borrowing ReadTransaction, ByteView, ByteView) throws(LMDBError) -> WalkStep
    ) throws(CatalogError) {
        var place = start
        var isFirst = true
        repeat {
            let before = isFirst ? nil : place
            isFirst = false
            place = try read { (reader) throws(LMDBError) in
                try Self.walkBatch(table, from: place, reader, visit)
            }
            // In a table with pages out of order, the cursor may go back.
            if let before, let place, !before.lexicographicallyPrecedes(place) {
                throw CatalogError(.corrupt, "a table of the catalog is out of order")
            }
        } while place != nil
    }

    /// Walks some rows.
    ///
    /// - Returns: The key of the next row; nil at the end.
    private static func walkBatch(
        _ table: Table,
        from place: [UInt8]?,
        _ reader: borrowing ReadTransaction,
        _ visit: (borrowing ReadTransaction, ByteView, ByteView) throws(LMDBError) -> WalkStep
    ) throws(LMDBError) -> [UInt8]? {
        try reader.withCursor(table) { (cursor) throws(LMDBError) -> [UInt8]? in
            var row = try seek(place, &cursor)
            for _ in 0..<Self.walkBatch {
                guard let (key, value) = row else { return nil }
                switch try visit(reader, key, value) {
                case .next: row = try cursor.next()
                case .seek(let target): row = try seek(target, &cursor)
                case .stop: return nil
                }
            }
            return row?.key.copied
        }
    }

    private static func seek(
        _ key: [UInt8]?,
        _ cursor: inout Cursor
    ) throws(LMDBError) -> Cursor.Row? {
        guard let key else { return try cursor.first() }
        return try key.withView { view throws(LMDBError) in try cursor.seek(atLeast: view) }
    }
}
