internal import CDAGLMDB
package import DAGBytes
internal import DAGSystem

/// The only writer of an environment.
///
/// A transaction that is dropped without `commit()` changes nothing. After any error but `.keyExists` the transaction
/// is lost, and `commit()` throws too. It sees its own writes. Its views are valid until it writes again. Keys and
/// values passed to it must lie outside the map.
///
/// All writing calls throw `.mapFull` if the map has no room for the changed pages, `.diskFull` if the disk has none,
/// and `.corrupted`.
///
/// *Concurrency*: only the thread that began the transaction uses and ends it; an end on another thread traps.
package struct WriteTransaction: ~Copyable {
    private let environment: Environment
    private var handle: TransactionHandle?
    private let thread: ThreadIdentity

    /// Creates a transaction that owns `handle`, a write transaction of this thread.
    init(owning handle: TransactionHandle, of environment: Environment) {
        self.environment = environment
        self.handle = handle
        self.thread = .current
    }

    deinit {
        precondition(thread == .current, "a write transaction ends on another thread")
        handle?.abort()
        environment.endWrite()
    }

    private var open: TransactionHandle {
        guard let handle else { preconditionFailure("the transaction has ended") }
        return handle
    }

    /// Makes all writes of this transaction durable, or none.
    ///
    /// - Throws: `.diskFull`, or `.io` if the file cannot be written or flushed. Later transactions then see none of
    ///   the writes.
    ///
    /// *Cost*: one `fdatasync` and one page write; none if nothing changed or durability is relaxed. The page write
    /// waits for the disk if `durability` is full.
    ///
    /// - Parameter durability: Whether a crash of the machine may undo the commit.
    package consuming func commit(_ durability: CommitDurability = .full) throws(LMDBError) {
        precondition(thread == .current, "a write transaction ends on another thread")
        let open = self.open
        try environment.setMetaSync(durability == .full)
        handle = nil
        do {
            try open.commit()
        } catch {
            throw environment.explaining(error)
        }
    }

    /// Returns the value of `key`, if there is one.
    ///
    /// - Parameters:
    ///   - table: The table.
    ///   - key: 1 to 511 bytes.
    /// - Returns: The value, inside the map, valid until this transaction writes again.
    /// - Throws: `.corrupted` if the file is damaged; `.other` if the transaction is lost.
    package borrowing func get(_ table: Table, _ key: ByteView) throws(LMDBError) -> ByteView? {
        try open.get(table, key)
    }

    /// Calls `body` with a cursor over `table` that has not moved yet and may delete.
    package borrowing func withCursor<R: ~Copyable>(
        _ table: Table,
        _ body: (inout Cursor) throws(LMDBError) -> R
    ) throws(LMDBError) -> R {
        try open.withCursor(table, isWritable: true, body)
    }

    /// Returns the size and shape of `table`.
    package borrowing func statistics(of table: Table) throws(LMDBError) -> TableStatistics {
        try open.statistics(of: table)
    }

    /// Writes a row.
    ///
    /// - Parameters:
    ///   - table: The table.
    ///   - key: 1 to 511 bytes.
    ///   - value: Up to 4 GiB - 1.
    ///   - flags: The rows to refuse; without flags, the row replaces an earlier one.
    /// - Throws: `.keyExists` if a flag refuses the row; the transaction stays usable.
    package borrowing func put(
        _ table: Table,
        _ key: ByteView,
        _ value: ByteView,
        flags: PutFlags = []
    ) throws(LMDBError) {
        precondition(value.count <= Environment.valueSizeMax, "a value is too long")
        var keyValue = unsafe MDB_val(key: key)
        var bytes = unsafe MDB_val(bytes: value)
        // SAFETY: the transaction is open; key and value live through the call, which copies them.
        try check(
            unsafe mdb_put(open.pointer, table.number, &keyValue, &bytes, flags.rawValue)
        )
    }

    /// Writes a row of `size` bytes that `body` fills in place.
    ///
    /// - Parameters:
    ///   - table: The table.
    ///   - key: 1 to 511 bytes.
    ///   - size: Up to 4 GiB - 1.
    ///   - flags: As for the other `put`.
    ///   - body: Fills the bytes, which are 0 at first. It may neither keep the buffer nor use the transaction.
    /// - Throws: `.keyExists` if a flag refuses the row, without calling `body`.
    ///
    /// *Cost*: saves the copy of the value, and zeroes the bytes so that no stale memory reaches the disk.
    package borrowing func put(
        _ table: Table,
        _ key: ByteView,
        reserving size: Int,
        flags: PutFlags = [],
        body: (UnsafeMutableRawBufferPointer) -> Void
    ) throws(LMDBError) {
        precondition(size >= 0, "a value has a negative size")
        precondition(size <= Environment.valueSizeMax, "a value is too long")
        var keyValue = unsafe MDB_val(key: key)
        var bytes = unsafe MDB_val(mv_size: size, mv_data: nil)
        let all = flags.rawValue | UInt32(MDB_RESERVE)
        // SAFETY: the transaction is open; the key lives through the call, which points `bytes` at
        // `size` bytes of a page of this transaction, good until the next write.
        try check(unsafe mdb_put(open.pointer, table.number, &keyValue, &bytes, all))
        let buffer = unsafe UnsafeMutableRawBufferPointer(start: bytes.mv_data, count: size)
        unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0)
        unsafe body(buffer)
    }

    /// Deletes a row.
    ///
    /// - Parameters:
    ///   - table: The table.
    ///   - key: 1 to 511 bytes.
    /// - Returns: Whether there was a row.
    /// - Throws: The errors of all writing calls; a full map refuses deletions too.
    @discardableResult
    package borrowing func delete(_ table: Table, _ key: ByteView) throws(LMDBError) -> Bool {
        var keyValue = unsafe MDB_val(key: key)
        // SAFETY: the transaction is open; the key lives through the call.
        let code = unsafe mdb_del(open.pointer, table.number, &keyValue, nil)
        guard code != MDB_NOTFOUND else { return false }
        try check(code)
        return true
    }

    /// Deletes the first rows of a range of keys.
    ///
    /// - Parameters:
    ///   - table: The table.
    ///   - lower: The least key of the range; 1 to 511 bytes.
    ///   - upper: The least key above the range, of any size; nil if the range has no end.
    ///   - limit: The largest number of rows to delete, so that a transaction stays small.
    /// - Returns: The number of deleted rows; less than `limit` if no rows are left.
    /// - Throws: The errors of all writing calls; a full map refuses deletions too.
    ///
    /// *Cost*: O(log n) for the first row; rewrites the pages of the deleted rows.
    package borrowing func deleteRange(
        _ table: Table,
        from lower: ByteView,
        below upper: ByteView?,
        limit: Int
    ) throws(LMDBError) -> Int {
        precondition(limit >= 0, "a limit is negative")
        return try withCursor(table) { (cursor) throws(LMDBError) in
            var count = 0
            guard limit > 0 else { return count }
            var row = try cursor.seek(atLeast: lower)
            while let (key, _) = row {
                if let upper, !key.lexicographicallyPrecedes(upper) { break }
                try cursor.deleteCurrent()
                count += 1
                guard count < limit else { break }
                row = try cursor.next()
            }
            return count
        }
    }
}

/// The durability of one commit, in an environment with full durability.
package enum CommitDurability: Sendable {
    /// The commit waits until the disk has the pages and the meta page that leads to them.
    case full
    /// The commit waits until the disk has the pages; the meta page may follow later.
    ///
    /// A crash of the machine may undo the commit and leaves the environment sound, at worst in the state before this
    /// commit. The next commit of either kind writes the meta page to the disk.
    case ordered
}

/// The rows that a `put` refuses.
package struct PutFlags: OptionSet, Sendable {
    /// LMDB's bits.
    package let rawValue: UInt32

    /// Creates flags from LMDB's bits.
    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Refuses a key that has a value already.
    package static let noOverwrite = PutFlags(rawValue: UInt32(MDB_NOOVERWRITE))
    /// Refuses a key that is not greater than all others.
    ///
    /// LMDB then fills leaves completely.
    package static let append = PutFlags(rawValue: UInt32(MDB_APPEND))
}
