internal import CDAGLMDB
package import DAGBytes

/// A place in a table, between the first row and the last.
///
/// A cursor belongs to its transaction and lives inside the body of `withCursor`. Its views are valid until the
/// transaction ends or, in a write transaction, writes.
///
/// All moves throw `.corrupted`, or `.other` in a write transaction that has failed already.
///
/// *Cost*: a step is O(1), a seek O(log n); nothing is copied.
@safe package struct Cursor: ~Copyable {
    /// A row: its key and its value, both inside the map.
    package typealias Row = (key: ByteView, value: ByteView)

    /// Nil for a table that is absent.
    private let pointer: OpaquePointer?
    private let isWritable: Bool

    /// Creates a cursor that owns `pointer`: an open cursor of an open transaction that outlives it.
    ///
    /// Nil is for an absent table.
    @unsafe init(owning pointer: OpaquePointer?, isWritable: Bool) {
        // SAFETY: the caller passes the ownership of an open cursor, which `deinit` closes.
        unsafe self.pointer = pointer
        self.isWritable = isWritable
    }

    deinit {
        // SAFETY: the cursor is open and its transaction too.
        if let pointer = unsafe pointer { unsafe mdb_cursor_close(pointer) }
    }

    /// Goes to the first row, if the table has one.
    package mutating func first() throws(LMDBError) -> Row? {
        try move(MDB_FIRST)
    }

    /// Goes to the last row, if the table has one.
    package mutating func last() throws(LMDBError) -> Row? {
        try move(MDB_LAST)
    }

    /// Goes to the first row whose key is `key` or greater, if there is one.
    ///
    /// - Parameter key: 1 to 511 bytes.
    /// - Returns: The row; `nil` if all keys are smaller.
    /// - Throws: As all moves do.
    package mutating func seek(atLeast key: ByteView) throws(LMDBError) -> Row? {
        try move(MDB_SET_RANGE, to: key)
    }

    /// Goes to the row after this one; to the first if the cursor has not moved yet.
    ///
    /// - Returns: The row; nil at the end, where the cursor stays.
    package mutating func next() throws(LMDBError) -> Row? {
        try move(MDB_NEXT)
    }

    /// Goes to the row before this one; to the last if the cursor has not moved or a seek found nothing.
    ///
    /// - Returns: The row; nil at the beginning, where the cursor stays.
    package mutating func previous() throws(LMDBError) -> Row? {
        try move(MDB_PREV)
    }

    /// Deletes the row at the cursor; `next()` then goes to the row after it.
    ///
    /// The transaction must be a write transaction, and the last move must have returned a row.
    ///
    /// - Throws: `.mapFull` if the map has no room for the changed pages; `.io(EINVAL)` if the cursor is at no row.
    package mutating func deleteCurrent() throws(LMDBError) {
        precondition(isWritable, "a read transaction deletes nothing")
        // SAFETY: the cursor and its transaction are open.
        try check(unsafe mdb_cursor_del(pointer, 0))
    }

    private mutating func move(
        _ operation: MDB_cursor_op,
        to target: ByteView? = nil
    ) throws(LMDBError) -> Row? {
        guard let pointer = unsafe pointer else { return nil }
        var key = unsafe target.map { unsafe MDB_val(key: $0) } ?? MDB_val()
        var value = unsafe MDB_val()
        // SAFETY: the cursor and its transaction are open; a target key lives through the call, which
        // fills `key` and `value`.
        let code = unsafe mdb_cursor_get(pointer, &key, &value, operation)
        guard code != MDB_NOTFOUND else { return nil }
        try check(code)
        return unsafe (key.view, value.view)
    }
}
