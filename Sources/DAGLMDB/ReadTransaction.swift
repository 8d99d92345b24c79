package import DAGBytes

/// A snapshot of one environment.
///
/// It cannot be copied, stored or carried across an `await`: no reader outlives the code that opened
/// it. A reader that lives long keeps every page that was replaced since from being used again.
///
/// *Views*: the bytes it answers with lie in the map and are good until the transaction ends. One
/// exception, which the store builds on: a value that fills overflow pages (one of more than half a
/// page) stays where it is, unchanged, until its row is deleted or overwritten.
///
/// *Concurrency*: one thread, the one that runs the body.
package struct ReadTransaction: ~Copyable {
    private let handle: TransactionHandle

    /// Looks through `handle`, an open read transaction that its maker ends.
    init(_ handle: TransactionHandle) {
        self.handle = handle
    }

    /// The value of `key`, if there is one.
    ///
    /// - Parameters:
    ///   - table: Where to look.
    ///   - key: 1 to 511 bytes.
    /// - Returns: The value, inside the map; see above for how long.
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

    /// The number of the last transaction that the snapshot has seen.
    ///
    /// It comes from the file with the readers' slots, where every writer puts it.
    package var number: Int { handle.number }

    /// The size and shape of `table`.
    ///
    /// *Cost*: O(1).
    package borrowing func statistics(of table: Table) throws(LMDBError) -> TableStatistics {
        try handle.statistics(of: table)
    }

    /// The number of pages of the file that hold nothing and wait to be used again.
    ///
    /// *Cost*: O(length of the free list): one page read for some 500 free pages.
    package borrowing func freePageCount() throws(LMDBError) -> Int {
        try handle.freePageCount()
    }
}
