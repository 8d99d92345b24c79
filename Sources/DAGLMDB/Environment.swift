internal import DAGSystem
internal import SharedReads
internal import Synchronization

/// An LMDB environment: a few tables in one memory-mapped file, with one writer and many readers.
///
/// It is opened once in a process, with all of its tables, and a map so large that it never grows:
/// growing a map under a reader ends in SIGBUS, and a table opened within a read transaction dies with it.
///
/// *Shape*: a directory with LMDB's `data.mdb` and `lock.mdb`.
///
/// *Concurrency*: all methods may be called on any thread. Readers never wait; writers wait for each
/// other, over all processes.
package final class Environment: Sendable {
    /// The size of the longest key; LMDB is compiled with it.
    package static let keySizeMax = 511
    /// The size of the longest value; LMDB's node header has 32 bits for it.
    package static let valueSizeMax = Int(UInt32.max)
    /// How many tables there can be: every transaction pays for each of them.
    package static let tablesMax = 64
    /// The map is never reduced below this.
    static let mapSizeFloor = 32 << 30
    /// How many read transactions the pool keeps; those beyond are ended, and their slots given back.
    static let idleReadersMax = 32

    /// What all threads share.
    struct State {
        /// `nil` after the environment was closed.
        var handle: EnvironmentHandle?
        var claims: [FileClaim]
        /// Read transactions that were reset; the last one used comes first, as it is warm.
        var idle: [TransactionHandle] = []
        /// The number of calls and transactions that use the handle.
        var running = 0
        /// How many have opened it and not closed it.
        var owners = 1
        /// The thread that has the write transaction.
        var writer: ThreadIdentity?
    }

    let state: Lock<State>
    private let tables: [String: Table]
    /// Which data file it has; nil if that is not known.
    let identity: FileClaim.Identity?
    /// Whether it was opened read-only.
    let isReadOnly: Bool
    /// The size of the map that was made, in bytes.
    package let mapSize: Int
    /// Whether the map had to be smaller than asked, because the address space is limited.
    package let wasMapReduced: Bool

    /// Takes over `handle`, an open environment, with the claims to its files.
    init(
        _ handle: EnvironmentHandle,
        claims: [FileClaim],
        tables: [String: Table],
        mapSize: Int,
        wasMapReduced: Bool,
        isReadOnly: Bool
    ) {
        identity = claims.last?.identity
        self.isReadOnly = isReadOnly
        state = Lock(State(handle: handle, claims: claims))
        self.tables = tables
        self.mapSize = mapSize
        self.wasMapReduced = wasMapReduced
    }

    deinit {
        closeNow()
    }

    /// Closes the environment; does nothing if it is closed.
    ///
    /// One that was opened again while others read stays open for them. No transaction of the last owner may run; a later
    /// one traps. The last reference that goes closes too.
    package func close() { SharedEnvironments.leave(self) }

    /// Takes a snapshot that lasts, and lets the environment be opened again in this process while it is open.
    ///
    /// For an owner who has ended but for readers. The pages that the snapshot sees are not used again until it ends, so
    /// that the file grows meanwhile as it is written.
    ///
    /// - Throws: `.readersFull`, `.outOfResources`, `.io`.
    package func share() throws(LMDBError) -> LastingSnapshot {
        let handle = state.withLock { use(&$0) }
        do throws(LMDBError) {
            let snapshot = LastingSnapshot(self, try .begin(in: handle, isReadOnly: true))
            if let identity { SharedEnvironments.add(self, identity) }
            return snapshot
        } catch {
            endUse()
            throw error
        }
    }

    /// Notes one more owner.
    ///
    /// - Throws: `.corrupted` if the pages are to be looked at, and are damaged; `.io`.
    func join(_ options: Options) throws(LMDBError) {
        try withHandle { (handle) throws(LMDBError) in
            try handle.refuseDamage(isThorough: options.checksPages)
            guard !options.isReadOnly else { return }
            try handle.setSync(options.durability == .full)
            if options.durability == .full { try handle.sync() }
        }
        state.withLock { $0.owners += 1 }
    }

    /// Whether a table was opened.
    func has(_ table: String) -> Bool { tables[table].map { $0 != .absent } ?? false }

    /// Lets an owner go.
    ///
    /// - Returns: Whether that was the last one; the environment is closed then.
    func leave() -> Bool {
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

    /// One of the tables named in the options.
    ///
    /// - Parameter name: The name of a table that was opened; any other is a bug and traps.
    /// - Returns: The table, for all transactions of this environment.
    package func table(_ name: String) -> Table {
        guard let table = tables[name] else { preconditionFailure("no table \(name) was opened") }
        return table
    }

    /// How much of its map and its disk the environment takes.
    ///
    /// - Throws: `.io` if the file cannot be looked at.
    package func usage() throws(LMDBError) -> EnvironmentUsage {
        try withHandle { (handle) throws(LMDBError) in try handle.usage() }
    }

    /// Asks the disk to keep what relaxed commits have written.
    ///
    /// - Throws: `.io` if the disk refuses; `.permission` if the environment is read-only.
    package func sync() throws(LMDBError) {
        try withHandle { (handle) throws(LMDBError) in try handle.sync() }
    }

    /// Takes the pages of the map out of this process's memory, as far as the system does so.
    ///
    /// Readers may go on meanwhile: what they touch comes back from the system's cache of the file. Whoever walks
    /// over much of a large file calls this now and then, so as not to look as large as the file.
    ///
    /// *Cost*: some microseconds a megabyte that is resident, and a minor fault a page that is read again.
    package func giveBackMemory() throws(LMDBError) {
        try withHandle { (handle) throws(LMDBError) in try handle.giveBackMemory() }
    }

    /// Frees the reader slots of processes that died, and with them the pages they held.
    ///
    /// - Returns: How many there were.
    @discardableResult
    package func clearDeadReaders() throws(LMDBError) -> Int {
        try withHandle { (handle) throws(LMDBError) in try handle.clearDeadReaders() }
    }
}
