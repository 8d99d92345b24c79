internal import CDAGLMDB
internal import DAGSystem
internal import SystemPackage

/// LMDB's open environment.
///
/// A handle is a pointer without an owner. `Environment` closes it once, after all other calls.
@safe struct EnvironmentHandle: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: all threads may use LMDB's environments at once, except for `mdb_env_close`;
    // `Environment` calls that after all other calls have ended.
    let pointer: OpaquePointer

    /// Opens the environment in `directory` with a map of `mapSize` bytes.
    static func open(
        _ directory: String,
        _ options: Environment.Options,
        mapSize: Int
    ) throws(LMDBError) -> EnvironmentHandle {
        var created: OpaquePointer?
        // SAFETY: the call fills `created` or fails.
        try check(unsafe mdb_env_create(&created))
        guard let pointer = unsafe created else {
            preconditionFailure("LMDB returned no environment")
        }
        let handle = unsafe EnvironmentHandle(pointer: pointer)
        do {
            try handle.open(directory, options, mapSize: mapSize)
        } catch {
            // LMDB requires a close after a failed open too.
            handle.close()
            throw error
        }
        return handle
    }

    private func open(
        _ directory: String,
        _ options: Environment.Options,
        mapSize: Int
    ) throws(LMDBError) {
        // SAFETY: `pointer` is an environment that is not open yet, and only this thread knows it. The string lives
        // through the call.
        try check(unsafe mdb_env_set_mapsize(pointer, mapSize))
        try check(unsafe mdb_env_set_maxdbs(pointer, MDB_dbi(options.tables.count)))
        try check(unsafe mdb_env_set_maxreaders(pointer, UInt32(options.readersMax)))
        try check(unsafe mdb_env_open(pointer, directory, options.flags, 0o666))
    }

    func close() {
        // SAFETY: the caller has ended every transaction, and does not use the handle again.
        unsafe mdb_env_close(pointer)
    }

    /// Frees the slots of dead readers.
    ///
    /// - Returns: The number of freed slots.
    func clearDeadReaders() throws(LMDBError) -> Int {
        var count: Int32 = 0
        // SAFETY: the environment is open; the call fills `count`.
        try check(unsafe mdb_reader_check(pointer, &count))
        return Int(count)
    }

    /// Waits until the disk has all writes.
    func sync() throws(LMDBError) {
        // SAFETY: the environment is open.
        try check(unsafe mdb_env_sync(pointer, 1))
    }

    /// Sets whether a commit waits for the meta page, by `MDB_NOMETASYNC`.
    ///
    /// The caller has the write transaction. LMDB 0.9.24 reads the flag when it commits, and ignores it in
    /// `mdb_txn_begin`.
    func setMetaSync(_ isOn: Bool) throws(LMDBError) {
        // SAFETY: the environment is open, and no other thread changes or reads the flag: the caller holds
        // LMDB's lock of writers.
        try check(unsafe mdb_env_set_flags(pointer, UInt32(MDB_NOMETASYNC), isOn ? 0 : 1))
    }

    /// Sets whether commits wait for the disk, by `MDB_NOSYNC`.
    func setSync(_ isOn: Bool) throws(LMDBError) {
        // SAFETY: the environment is open. LMDB reads the flag in commits, and no thread writes meanwhile: the caller
        // has the store's lock and has not begun to write.
        try check(unsafe mdb_env_set_flags(pointer, UInt32(MDB_NOSYNC), isOn ? 0 : 1))
    }

    /// The descriptor of the data file.
    var descriptor: FileDescriptor {
        get throws(LMDBError) {
            var descriptor: mdb_filehandle_t = -1
            // SAFETY: the environment is open; the call fills `descriptor`.
            try check(unsafe mdb_env_get_fd(pointer, &descriptor))
            return FileDescriptor(rawValue: descriptor)
        }
    }

    /// Returns the environment's numbers and those of its file.
    func usage() throws(LMDBError) -> EnvironmentUsage {
        var numbers = unsafe MDB_envinfo()
        var main = MDB_stat()
        // SAFETY: the environment is open; each call fills its argument.
        try check(unsafe mdb_env_info(pointer, &numbers))
        try check(unsafe mdb_env_stat(pointer, &main))
        let descriptor = try descriptor
        let fileSize = try translating { () throws(Errno) in try Stat(descriptor).size }
        return unsafe EnvironmentUsage(
            mapSize: numbers.me_mapsize,
            fileSize: Int(fileSize),
            pageSize: Int(main.ms_psize),
            lastPage: numbers.me_last_pgno,
            lastTransaction: numbers.me_last_txnid,
            readersUsed: Int(numbers.me_numreaders),
            readersMax: Int(numbers.me_maxreaders)
        )
    }

    /// Removes the map's pages from this process's memory; the system may keep them in its file cache.
    func giveBackMemory() throws(LMDBError) {
        // The map is opened without MDB_WRITEMAP: LMDB only reads through it.
        MappedRange(of: try descriptor)?.dropPages()
    }

    /// Whether the file system has almost no room left.
    ///
    /// LMDB reports `EIO` for a write that a full disk cut short; this property distinguishes a full disk from a
    /// broken one. The cut write used all the room, so a file system with more room than this was not the cause.
    var isDiskFull: Bool {
        let remainderMax: UInt64 = 1 << 20
        guard let descriptor = try? descriptor, let free = descriptor.freeSpace else {
            return false
        }
        guard free >= remainderMax else { return true }
        // This process may have a limit on file sizes.
        guard let size = try? Stat(descriptor).size else { return false }
        return UInt64(size) >= ThisProcess.fileSizeMax
    }
}
