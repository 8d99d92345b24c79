internal import DAGSystem
internal import SharedReads
internal import Synchronization

/// An LMDB environment: a few tables in one memory-mapped file, with one writer and many readers.
///
/// A process opens it once, with all of its tables and a map large enough forever. Growing a map under a reader ends
/// in SIGBUS, and a table opened within a read transaction closes with it.
///
/// *Shape*: a directory with LMDB's `data.mdb` and `lock.mdb`.
///
/// *Concurrency*: any thread calls any method. Readers never wait; writers wait for each other, over all processes.
package final class Environment: Sendable {
    /// The largest size of a key in bytes; a constant of LMDB's build.
    package static let keySizeMax = 511
    /// The largest size of a value in bytes; LMDB's node header has 32 bits for it.
    package static let valueSizeMax = Int(UInt32.max)
    /// The largest number of tables; every transaction pays for each table.
    package static let tablesMax = 64
    /// The smallest map that `open` tries, in bytes.
    static let mapSizeFloor = 32 << 30
    /// The number of idle read transactions in the pool.
    ///
    /// The pool ends all others, which frees their slots.
    static let idleReadersMax = 32

    /// The state that all threads share.
    struct State {
        /// Nil after the environment was closed.
        var handle: EnvironmentHandle?
        var claims: [FileClaim]
        /// Idle read transactions.
        ///
        /// The last one is used first, because its memory is in the cache.
        var idle: [TransactionHandle] = []
        /// The number of calls and transactions that use the handle.
        var running = 0
        /// The number of owners that have opened it and not closed it.
        var owners = 1
        /// The thread that has the write transaction.
        var writer: ThreadIdentity?
    }

    let state: Lock<State>
    private let tables: [String: Table]
    /// The identity of the data file; nil if it is unknown.
    let identity: FileClaim.Identity?
    /// Whether the environment is read-only.
    let isReadOnly: Bool
    /// The size of the map in bytes; less than asked if the address space is limited.
    package let mapSize: Int

    /// Creates an environment that owns `handle`, which is open, and the claims to its files.
    init(
        _ handle: EnvironmentHandle,
        claims: [FileClaim],
        tables: [String: Table],
        mapSize: Int,
        isReadOnly: Bool
    ) {
        identity = claims.last?.identity
        self.isReadOnly = isReadOnly
        state = Lock(State(handle: handle, claims: claims))
        self.tables = tables
        self.mapSize = mapSize
    }

    deinit {
        closeNow()
    }

    /// Closes the environment; does nothing if it is closed.
    ///
    /// An environment that another owner opened meanwhile stays open. No transaction of the last owner may run; a
    /// later transaction traps. The last reference closes the environment too.
    package func close() { SharedEnvironments.removeOwner(self) }

    /// Takes a lasting snapshot, and lets this process open the environment again meanwhile.
    ///
    /// For an owner that has ended while readers go on. No writer reuses the snapshot's pages until it ends, so the
    /// file grows with each write.
    ///
    /// - Throws: `.readersFull`, `.outOfResources`, `.io`.
    package func share() throws(LMDBError) -> LastingSnapshot {
        let handle = state.withLock { beginUse(&$0) }
        do throws(LMDBError) {
            let snapshot = LastingSnapshot(self, try .begin(in: handle, isReadOnly: true))
            if let identity { SharedEnvironments.add(self, identity) }
            return snapshot
        } catch {
            endUse()
            throw error
        }
    }

    /// Adds an owner.
    ///
    /// - Throws: `.corrupted` if `checksPages` finds damaged pages; `.io`.
    func addOwner(_ options: Options) throws(LMDBError) {
        try withHandle { (handle) throws(LMDBError) in
            try handle.refuseDamage(isThorough: options.checksPages)
            guard !options.isReadOnly else { return }
            try handle.setSync(options.durability == .full)
            if options.durability == .full { try handle.sync() }
        }
        state.withLock { $0.owners += 1 }
    }

    /// Returns whether the environment has opened a table.
    func hasTable(_ table: String) -> Bool { tables[table].map { $0 != .absent } ?? false }

    /// Removes an owner.
    ///
    /// - Returns: Whether it was the last one; the environment is closed then.
    func removeOwner() -> Bool {
        let isLast = state.withLock { state in
            state.owners -= 1
            return state.owners <= 0
        }
        if isLast { closeNow() }
        return isLast
    }

    private func closeNow() {
        let closing = state.withLock { state -> State? in
            guard state.handle != nil else { return nil }
            precondition(state.running == 0, "an environment is closed while it is used")
            let closing = state
            state = State(handle: nil, claims: [])
            return closing
        }
        guard let closing else { return }
        // The claims must outlast the file's locks.
        withExtendedLifetime(closing.claims) {
            for reader in closing.idle { reader.abort() }
            closing.handle?.close()
        }
    }

    /// Returns one of the tables in the options.
    ///
    /// - Parameter name: The name of a table; any other name is a bug and traps.
    /// - Returns: The table, valid in all transactions of this environment.
    package func table(_ name: String) -> Table {
        guard let table = tables[name] else {
            preconditionFailure("the environment has no table \(name)")
        }
        return table
    }

    /// Returns how much of its map and of the disk the environment uses.
    ///
    /// - Throws: `.io` if the system cannot read the file's status.
    package func usage() throws(LMDBError) -> EnvironmentUsage {
        try withHandle { (handle) throws(LMDBError) in try handle.usage() }
    }

    /// Waits until the disk has the writes of relaxed commits.
    ///
    /// - Throws: `.io` if the disk refuses; `.permission` if the environment is read-only.
    package func sync() throws(LMDBError) {
        try withHandle { (handle) throws(LMDBError) in try handle.sync() }
    }

    /// Removes the map's pages from this process's memory, if the system supports that.
    ///
    /// Readers may go on: the system maps a page again from its file cache. A walk over a large part of the file
    /// calls this now and then, so that the process does not appear as large as the file.
    ///
    /// *Cost*: some microseconds per resident megabyte, and a minor fault for each page that is read again.
    package func giveBackMemory() throws(LMDBError) {
        try withHandle { (handle) throws(LMDBError) in try handle.giveBackMemory() }
    }

    /// Frees the reader slots of dead processes, and with them the pages that they held.
    ///
    /// - Returns: The number of freed slots.
    @discardableResult
    package func clearDeadReaders() throws(LMDBError) -> Int {
        try withHandle { (handle) throws(LMDBError) in try handle.clearDeadReaders() }
    }
}
