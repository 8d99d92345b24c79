package import DAGBytes

/// A snapshot of one environment.
///
/// Code cannot copy it, store it or carry it across an `await`, so no reader outlives the code that opened it. While
/// a reader lives, no writer reuses the pages that were replaced since it began.
///
/// *Views*: the bytes lie in the map and are valid until the transaction ends. The store relies on one exception: a
/// value in overflow pages (more than half a page) stays in place, unchanged, until its row is deleted or
/// overwritten.
///
/// *Concurrency*: only the thread that runs the body.
package struct ReadTransaction: ~Copyable {
    private let handle: TransactionHandle

    /// Creates a snapshot over `handle`, an open read transaction.
    ///
    /// The caller ends it.
    init(_ handle: TransactionHandle) {
        self.handle = handle
    }

    /// Returns the value of `key`, if there is one.
    ///
    /// - Parameters:
    ///   - table: Where to look.
    ///   - key: 1 to 511 bytes.
    /// - Returns: The value, inside the map, valid as described above.
    /// - Throws: `.corrupted` if the file is damaged.
    ///
    /// *Cost*: O(log n), no copy; 150 to 800 ns measured.
    package borrowing func get(_ table: Table, _ key: ByteView) throws(LMDBError) -> ByteView? {
        try handle.get(table, key)
    }

    /// Calls `body` with a cursor over `table` that has not moved yet.
    package borrowing func withCursor<R: ~Copyable>(
        _ table: Table,
        _ body: (inout Cursor) throws(LMDBError) -> R
    ) throws(LMDBError) -> R {
        try handle.withCursor(table, isWritable: false, body)
    }

    /// The number of the last transaction in the snapshot.
    ///
    /// It comes from the file with the readers' slots, where every writer stores it.
    package var number: Int { handle.number }

    /// Returns the size and shape of `table`.
    ///
    /// *Cost*: O(1).
    package borrowing func statistics(of table: Table) throws(LMDBError) -> TableStatistics {
        try handle.statistics(of: table)
    }

    /// Returns the number of free pages of the file.
    ///
    /// *Cost*: O(length of the free list): one page read for some 500 free pages.
    package borrowing func freePageCount() throws(LMDBError) -> Int {
        try handle.freePageCount()
    }
}
