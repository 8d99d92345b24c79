internal import CDAGLMDB
internal import DAGBytes
internal import SystemPackage

/// LMDB's transaction, with the calls that read and write transactions share.
///
/// A handle is a pointer without an owner. `Environment` and `WriteTransaction` end it once, and let one thread at a
/// time use it.
@safe struct TransactionHandle: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: under `MDB_NOTLS` a read transaction belongs to no thread, and the pool lends it
    // to one at a time. `WriteTransaction` checks that a write transaction stays on its thread.
    let pointer: OpaquePointer

    /// Begins a transaction.
    ///
    /// A write transaction waits for the writer before it.
    static func begin(
        in environment: EnvironmentHandle,
        isReadOnly: Bool
    ) throws(LMDBError) -> TransactionHandle {
        var begun: OpaquePointer?
        let flags = isReadOnly ? UInt32(MDB_RDONLY) : 0
        // SAFETY: the environment is open; the call fills `begun` or fails.
        let code = unsafe mdb_txn_begin(environment.pointer, nil, flags, &begun)
        // A reader's first transaction locks the byte that its process number stands for.
        let errno = Errno(rawValue: code)
        if isReadOnly, errno == .resourceTemporarilyUnavailable || errno == .permissionDenied {
            throw LMDBError(.sameProcessNumber, number: code)
        }
        try check(code)
        guard let pointer = unsafe begun else {
            preconditionFailure("LMDB returned no transaction")
        }
        return unsafe TransactionHandle(pointer: pointer)
    }

    /// The number of the transaction.
    ///
    /// For a read transaction, the number of the last one that it sees.
    var number: Int {
        // SAFETY: the transaction is open.
        unsafe mdb_txn_id(pointer)
    }

    func commit() throws(LMDBError) {
        // SAFETY: the transaction is open, and the call ends it in any case.
        try check(unsafe mdb_txn_commit(pointer))
    }

    func abort() {
        // SAFETY: the transaction is open or reset, and the caller does not use it again.
        unsafe mdb_txn_abort(pointer)
    }

    /// Drops the snapshot of a read transaction and keeps its slot.
    func reset() {
        // SAFETY: the transaction is an open read transaction.
        unsafe mdb_txn_reset(pointer)
    }

    /// Takes a new snapshot for a read transaction after `reset`.
    func renew() throws(LMDBError) {
        // SAFETY: the transaction was reset.
        try check(unsafe mdb_txn_renew(pointer))
    }

    func openTable(_ name: String, creates: Bool) throws(LMDBError) -> Table {
        var number: MDB_dbi = 0
        let flags = creates ? UInt32(MDB_CREATE) : 0
        // SAFETY: the transaction is open, the string lives through the call, which fills `number`.
        let code = unsafe mdb_dbi_open(pointer, name, flags, &number)
        guard code != MDB_NOTFOUND else { throw LMDBError(.missing, number: code) }
        try check(code)
        return Table(number: number)
    }

    func get(_ table: Table, _ key: ByteView) throws(LMDBError) -> ByteView? {
        guard table != .absent else { return nil }
        var keyValue = unsafe MDB_val(key: key)
        var value = unsafe MDB_val()
        // SAFETY: the transaction is open, the key lives through the call, which fills `value`.
        let code = unsafe mdb_get(pointer, table.number, &keyValue, &value)
        guard code != MDB_NOTFOUND else { return nil }
        try check(code)
        return unsafe value.view
    }

    func statistics(of table: Table) throws(LMDBError) -> TableStatistics {
        guard table != .absent else { return .empty }
        var statistics = MDB_stat()
        // SAFETY: the transaction is open; the call fills `statistics`.
        try check(unsafe mdb_stat(pointer, table.number, &statistics))
        return TableStatistics(statistics)
    }

    func withCursor<R: ~Copyable>(
        _ table: Table,
        isWritable: Bool,
        _ body: (inout Cursor) throws(LMDBError) -> R
    ) throws(LMDBError) -> R {
        guard table != .absent else {
            var cursor = unsafe Cursor(owning: nil, isWritable: false)
            return try body(&cursor)
        }
        var opened: OpaquePointer?
        // SAFETY: the transaction is open and outlives the cursor, which closes when this function returns.
        try check(unsafe mdb_cursor_open(pointer, table.number, &opened))
        guard let opened = unsafe opened else { preconditionFailure("LMDB returned no cursor") }
        var cursor = unsafe Cursor(owning: opened, isWritable: isWritable)
        return try body(&cursor)
    }

    /// Returns the number of free pages in the snapshot.
    ///
    /// Source: the free list is table 0. Each of its values is a count of pages and then their numbers, all of them
    /// machine words (`MDB_IDL` in LMDB's `midl.h`).
    func freePageCount() throws(LMDBError) -> Int {
        let freeList = Table(number: 0)
        return try withCursor(freeList, isWritable: false) { (cursor) throws(LMDBError) in
            var count = 0
            while let row = try cursor.next() {
                guard row.value.count >= 8 else { throw LMDBError(number: MDB_CORRUPTED) }
                count += Int(row.value.loadUInt64(at: 0))
            }
            return count
        }
    }
}

extension MDB_val {
    /// Creates the key of a look-up.
    ///
    /// - Parameter key: 1 to `keySizeMax` bytes, alive while the value is used.
    init(key: ByteView) {
        precondition(key.count >= 1, "a key is empty")
        precondition(key.count <= Environment.keySizeMax, "a key is too long")
        // SAFETY: the preconditions give the key a size that LMDB accepts, and the caller keeps it alive.
        unsafe self.init(bytes: key)
    }

    /// Creates a value that LMDB reads.
    @unsafe init(bytes: ByteView) {
        // SAFETY: LMDB does not write through the `mv_data` of a key or value that it reads.
        unsafe self.init(
            mv_size: bytes.count,
            mv_data: UnsafeMutableRawPointer(mutating: bytes.buffer.baseAddress)
        )
    }

    /// The bytes that LMDB returned.
    @unsafe var view: ByteView {
        // SAFETY: LMDB keeps the bytes in the map until the transaction ends or writes.
        unsafe ByteView(UnsafeRawBufferPointer(start: mv_data, count: mv_size))
    }
}
