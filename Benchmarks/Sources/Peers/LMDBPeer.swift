import CLMDBPeer

/// Plain LMDB rows: one table from shard and multihash to place, one from multihash to shards.
///
/// `entries`: u32 shard, big-endian, and the multihash (12 20 and 32 bytes) to u64 offset and u32
/// size. `shards`: the multihash to u32 shards, `MDB_DUPSORT`, `MDB_DUPFIXED`.
///
/// Tuned: entries are sorted first, and appended where they come after all others, which leaves
/// full pages; elsewhere a cursor puts them in order. One transaction a shard, committed with
/// fsync. Lookups renew one read transaction, which costs 9 ns, instead of beginning one.
public final class LMDBPeer: IndexPeer {
    /// "lmdb".
    public static let system = "lmdb"

    /// Address space, not disk.
    private static let mapSize = 64 << 30
    private static let shardSize = 4
    private static let multihashSize = 34
    private static let valueSize = 12

    private var environment: OpaquePointer?
    private var reader: OpaquePointer?
    private var entryTable: MDB_dbi = 0
    private var shardTable: MDB_dbi = 0
    /// The shard, 12 20, the digest; a multihash for the second table is the end of it.
    private let key: UnsafeMutableRawPointer
    private let value: UnsafeMutableRawPointer

    /// It is linked.
    public static func unavailability() -> String? { nil }

    /// Opens the environment in a directory.
    public init(at directory: String) throws(PeerError) {
        key = .allocate(byteCount: Self.shardSize + Self.multihashSize, alignment: 16)
        value = .allocate(byteCount: Self.valueSize, alignment: 16)
        key.storeBytes(of: 0x12, toByteOffset: Self.shardSize, as: UInt8.self)
        key.storeBytes(of: 0x20, toByteOffset: Self.shardSize + 1, as: UInt8.self)
        try makeDirectory(directory, for: Self.system)
        try check(mdb_env_create(&environment))
        try check(mdb_env_set_maxdbs(environment, 2))
        try check(mdb_env_set_mapsize(environment, Self.mapSize))
        try check(mdb_env_open(environment, directory, UInt32(MDB_NOTLS), 0o644))
        try openTables()
        try check(mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &reader))
        mdb_txn_reset(reader)
    }

    deinit {
        letGo()
        key.deallocate()
        value.deallocate()
    }

    /// Puts a shard's rows into both tables in one transaction.
    public func ingest(
        shard: UInt32,
        _ entries: UnsafeBufferPointer<PeerEntry>
    ) throws(PeerError) {
        guard !entries.isEmpty else { return }
        let order = DigestOrder(of: entries)
        var transaction: OpaquePointer?
        try check(mdb_txn_begin(environment, nil, 0, &transaction))
        do throws(PeerError) {
            try putEntries(order, of: shard, in: transaction)
            try putShards(order, of: shard, in: transaction)
        } catch {
            mdb_txn_abort(transaction)
            throw error
        }
        try check(mdb_txn_commit(transaction))
    }

    /// Says whether commits wait for the disk; they do until this is called.
    ///
    /// Commits that did not wait are on disk when the peer is made durable again.
    public func setDurable(_ isDurable: Bool) throws(PeerError) {
        try check(mdb_env_set_flags(environment, UInt32(MDB_NOSYNC), isDurable ? 0 : 1))
        if isDurable { try check(mdb_env_sync(environment, 1)) }
    }

    /// One `mdb_get`.
    public func offset(
        of digest: UnsafeRawPointer,
        in shard: UInt32
    ) throws(PeerError) -> UInt64? {
        setKey(digest, in: shard)
        try check(mdb_txn_renew(reader))
        defer { mdb_txn_reset(reader) }
        var key = MDB_val(mv_size: Self.shardSize + Self.multihashSize, mv_data: key)
        var found = MDB_val()
        let code = mdb_get(reader, entryTable, &key, &found)
        guard code != MDB_NOTFOUND else { return nil }
        try check(code)
        guard found.mv_size == Self.valueSize else { throw malformed }
        return found.mv_data.loadUnaligned(as: UInt64.self)
    }

    /// One cursor over the values of the multihash.
    public func shards(of digest: UnsafeRawPointer) throws(PeerError) -> [UInt32] {
        setKey(digest, in: 0)
        try check(mdb_txn_renew(reader))
        defer { mdb_txn_reset(reader) }
        var cursor: OpaquePointer?
        try check(mdb_cursor_open(reader, shardTable, &cursor))
        defer { mdb_cursor_close(cursor) }
        var key = MDB_val(mv_size: Self.multihashSize, mv_data: key + Self.shardSize)
        var found = MDB_val()
        var shards: [UInt32] = []
        var code = mdb_cursor_get(cursor, &key, &found, MDB_SET)
        while code == 0 {
            guard found.mv_size == Self.shardSize else { throw malformed }
            shards.append(found.mv_data.loadUnaligned(as: UInt32.self).bigEndian)
            code = mdb_cursor_get(cursor, &key, &found, MDB_NEXT_DUP)
        }
        guard code == MDB_NOTFOUND else { throw failure(code) }
        return shards
    }

    /// Closes the environment.
    public func close() throws(PeerError) { letGo() }

    // MARK: Rows

    private func putEntries(
        _ order: borrowing DigestOrder,
        of shard: UInt32,
        in transaction: OpaquePointer?
    ) throws(PeerError) {
        var cursor: OpaquePointer?
        try check(mdb_cursor_open(transaction, entryTable, &cursor))
        defer { mdb_cursor_close(cursor) }
        setKey(order[0].digest, in: shard)
        var row = MDB_val(mv_size: Self.shardSize + Self.multihashSize, mv_data: key)
        let flags = appendFlag(for: &row, in: entryTable, by: cursor, transaction)
        var content = MDB_val(mv_size: Self.valueSize, mv_data: value)
        for place in 0..<order.count where !order.repeatsDigest(at: place) {
            let entry = order[place]
            setKey(entry.digest, in: shard)
            value.storeBytes(of: entry.offset, as: UInt64.self)
            value.storeBytes(of: entry.size, toByteOffset: 8, as: UInt32.self)
            try check(mdb_cursor_put(cursor, &row, &content, flags))
        }
    }

    private func putShards(
        _ order: borrowing DigestOrder,
        of shard: UInt32,
        in transaction: OpaquePointer?
    ) throws(PeerError) {
        var cursor: OpaquePointer?
        try check(mdb_cursor_open(transaction, shardTable, &cursor))
        defer { mdb_cursor_close(cursor) }
        setKey(order[0].digest, in: shard)
        var row = MDB_val(mv_size: Self.multihashSize, mv_data: key + Self.shardSize)
        let flags = appendFlag(for: &row, in: shardTable, by: cursor, transaction)
        value.storeBytes(of: shard.bigEndian, as: UInt32.self)
        var content = MDB_val(mv_size: Self.shardSize, mv_data: value)
        for place in 0..<order.count where !order.repeatsDigest(at: place) {
            setKey(order[place].digest, in: shard)
            try check(mdb_cursor_put(cursor, &row, &content, flags))
        }
    }

    /// `MDB_APPEND` if `row` comes after all that the table has.
    private func appendFlag(
        for row: inout MDB_val,
        in table: MDB_dbi,
        by cursor: OpaquePointer?,
        _ transaction: OpaquePointer?
    ) -> UInt32 {
        var last = MDB_val()
        var content = MDB_val()
        let code = mdb_cursor_get(cursor, &last, &content, MDB_LAST)
        guard code == 0 else { return code == MDB_NOTFOUND ? UInt32(MDB_APPEND) : 0 }
        return mdb_cmp(transaction, table, &last, &row) < 0 ? UInt32(MDB_APPEND) : 0
    }

    private func setKey(_ digest: UnsafeRawPointer, in shard: UInt32) {
        key.storeBytes(of: shard.bigEndian, as: UInt32.self)
        (key + Self.shardSize + 2).copyMemory(from: digest, byteCount: 32)
    }

    private func setKey(_ digest: (UInt64, UInt64, UInt64, UInt64), in shard: UInt32) {
        withUnsafePointer(to: digest) { setKey(UnsafeRawPointer($0), in: shard) }
    }

    // MARK: The environment

    private func openTables() throws(PeerError) {
        var transaction: OpaquePointer?
        try check(mdb_txn_begin(environment, nil, 0, &transaction))
        let duplicates = UInt32(MDB_CREATE | MDB_DUPSORT | MDB_DUPFIXED)
        do throws(PeerError) {
            try check(mdb_dbi_open(transaction, "entries", UInt32(MDB_CREATE), &entryTable))
            try check(mdb_dbi_open(transaction, "shards", duplicates, &shardTable))
        } catch {
            mdb_txn_abort(transaction)
            throw error
        }
        try check(mdb_txn_commit(transaction))
    }

    private func letGo() {
        if let reader { mdb_txn_abort(reader) }
        if let environment { mdb_env_close(environment) }
        reader = nil
        environment = nil
    }

    private var malformed: PeerError {
        PeerError(system: Self.system, text: "a row has a value of another size")
    }

    private func failure(_ code: Int32) -> PeerError {
        let text = mdb_strerror(code).map { String(cString: $0) } ?? "error \(code)"
        return PeerError(system: Self.system, text: text)
    }

    private func check(_ code: Int32) throws(PeerError) {
        guard code == 0 else { throw failure(code) }
    }
}
