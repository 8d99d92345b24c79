internal import Catalog
internal import Dispatch
internal import Mounts
internal import Synchronization
public import SystemPackage

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// A store of shards: CAR files, an index of each, and what is known of them.
///
/// ```
/// <directory>/LOCK            held by the process that writes
/// <directory>/catalog/        records and indexes, one LMDB environment
/// <directory>/tmp/            what does not fit in memory while a shard is indexed; emptied at open
/// ```
///
/// *Durability*: what was answered is on disk, unless `Configuration.durability` says otherwise.
///
/// *Concurrency*: every method may be called from any thread or task, at once.
public final class DAGStore: Sendable {
    struct State {
        var isClosed = false
        /// Keys that are being registered or destroyed.
        var busy: Set<ShardKey> = []
        /// Those of them that are being destroyed: nobody gets a lease any more.
        var destroying: Set<ShardKey> = []
        /// Shards that are being opened, and how often.
        var opening: [ShardKey: Int] = [:]
        var open: [ShardKey: OpenShard] = [:]
        /// Shards without leases, the one that lost its last lease first in front.
        var idle: [ShardKey] = []
        var leases = 0
        /// Calls that use the catalogue without a lease.
        var calls = 0
        /// Those who close the store and wait for the calls.
        var closers: [CheckedContinuation<Void, Never>] = []

        /// Whether the catalogue can be closed.
        var isUnused: Bool { isClosed && leases == 0 && calls == 0 }
    }

    /// A shard in memory.
    struct OpenShard {
        let core: ShardCore
        var references: Int
    }

    let directory: FilePath
    let configuration: Configuration
    let catalog: Catalog
    let cache: PageCache
    /// Indexes shards.
    let jobs: JobPool
    /// Opens and destroys shards, which must not wait behind those that are being indexed.
    let openings = JobPool(label: "dagstore.openings", width: 2)
    /// Runs all write transactions of this store, one after the other.
    let writer = DispatchQueue(label: "dagstore.writer")
    let state = Mutex(State())

    private init(directory: FilePath, configuration: Configuration, catalog: Catalog) {
        self.directory = directory
        self.configuration = configuration
        self.catalog = catalog
        cache = PageCache(sizeMax: configuration.pageCacheSize)
        jobs = JobPool(label: "dagstore.jobs", width: configuration.concurrentIndexing)
    }

    deinit {
        // Every lease refers to the store, so that there is none left.
        catalog.close()
    }

    /// Opens the store in `directory`; unless read-only, makes it if there is none.
    ///
    /// *Cost*: does not depend on the number of shards.
    ///
    /// - Parameters:
    ///   - directory: Where the store is; made, with the directories above it, if missing.
    ///   - configuration: How it behaves.
    /// - Returns: The store, open until `close()` or until the last reference goes.
    /// - Throws: `catalogLocked` if another process, or another `DAGStore` of this one, has it open for
    ///   writing; `catalogTooNew`, `catalogCorrupt`, `catalogFull`, `readOnly`;
    ///   `invalidArgument` if it is read-only and there is no store; `invalidConfiguration`.
    public static func open(
        at directory: FilePath,
        configuration: Configuration = Configuration()
    ) throws -> DAGStore {
        try configuration.check()
        let place = directory.appending("catalog")
        if configuration.isReadOnly {
            guard isDirectory(place) else {
                throw DAGStoreError(.invalidArgument, "there is no store in \(directory)")
            }
        } else {
            let isDurable = configuration.durability == .full
            try makeDirectory(place, isDurable: isDurable)
            try makeDirectory(directory.appending("tmp"), isDurable: isDurable)
        }
        let catalog = try translating {
            try Catalog(
                at: place,
                lockFile: directory.appending("LOCK"),
                options: Catalog.Options(
                    mapSize: configuration.mapSize,
                    isReadOnly: configuration.isReadOnly,
                    isRelaxed: configuration.durability == .relaxed
                ),
                randomKey: (.random(in: 0...UInt64.max), .random(in: 0...UInt64.max))
            )
        }
        let store = DAGStore(directory: directory, configuration: configuration, catalog: catalog)
        guard !configuration.isReadOnly else { return store }
        // The files are new, perhaps: their names must be as durable as what is in them.
        if configuration.durability == .full { try syncDirectory(place) }
        SpillFile.removeLeftovers(in: directory.appending("tmp"))
        try store.deleteLeftovers()
        return store
    }

    /// Makes the names in a directory durable.
    private static func syncDirectory(_ path: FilePath) throws {
        do {
            let folder = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
            defer { try? folder.close() }
            // Some file systems know no such thing for folders, and say that it is invalid.
            guard fsync(folder.rawValue) == 0 || errno == EINVAL else {
                throw Errno(rawValue: errno)
            }
        } catch Errno.permissionDenied {
            // A folder above the store that may be entered and not read.
            return
        } catch {
            throw DAGStoreError(.readOnly, "\(path): \(error)")
        }
    }

    /// Deletes the indexes that no record names: those that were being written when a process ended.
    private func deleteLeftovers() throws {
        do throws(CatalogError) {
            for generation in try catalog.pendingGenerations() {
                try catalog.deleteGeneration(generation)
            }
        } catch {
            // Deleting takes room too: they stay on `pending`, and the store serves what it has.
            guard error.code != .full else { return }
            throw DAGStoreError(error)
        }
    }

    /// Closes the store: refuses new work, waits for what is under way, gives the lock back.
    ///
    /// Leases that are still held go on working, and the files are closed with the last of them.
    /// Idempotent.
    public func close() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                state.isClosed = true
                for key in state.idle { state.open[key] = nil }
                state.idle = []
                if state.calls > 0 { state.closers.append(continuation) }
                return state.calls == 0
            }
            if isIdle { continuation.resume() }
        }
        // With leases left, the last of them closes.
        if state.withLock({ $0.isUnused }) { catalog.close() }
    }

    /// Calls `body`, which uses the catalogue; a store that is closed meanwhile waits for it.
    ///
    /// - Throws: `closed`, and what `body` throws.
    func using<R>(_ body: () throws -> R) throws -> R {
        try state.withLock { state in
            guard !state.isClosed else { throw DAGStoreError(.closed, "the store is closed") }
            state.calls += 1
        }
        defer { endCall() }
        return try body()
    }

    /// Ends what `using`, or a registration, began.
    func endCall() {
        let closers = state.withLock { state in
            state.calls -= 1
            guard state.calls == 0 else { return [] as [CheckedContinuation<Void, Never>] }
            defer { state.closers = [] }
            return state.closers
        }
        for closer in closers { closer.resume() }
    }

    private static func isDirectory(_ path: FilePath) -> Bool {
        var status = stat()
        // SAFETY: `stat` fills the structure it is given.
        let code = unsafe path.withPlatformString { unsafe stat($0, &status) }
        return code == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Makes a directory and those above it.
    private static func makeDirectory(_ path: FilePath, isDurable: Bool) throws {
        if isDirectory(path) { return }
        let parent = path.removingLastComponent()
        if !parent.isEmpty, parent != path { try makeDirectory(parent, isDurable: isDurable) }
        // SAFETY: the string is read during the call.
        let code = unsafe path.withPlatformString { unsafe mkdir($0, 0o755) }
        guard code != 0 else {
            if isDurable { try syncDirectory(parent.isEmpty ? "." : parent) }
            return
        }
        let error = Errno(rawValue: errno)
        if error == .fileExists, isDirectory(path) { return }
        let isFull = error == .noSpace || error == .diskQuotaExceeded
        throw DAGStoreError(isFull ? .catalogFull : .readOnly, "\(path): \(error)")
    }
}
