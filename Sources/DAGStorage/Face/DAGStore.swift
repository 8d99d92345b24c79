internal import DAGCatalog
package import DAGHashing
public import DAGMounts
internal import DAGSystem
public import SystemPackage

/// A store of shards: records of CAR files, and their indexes.
///
/// ```
/// <directory>/LOCK            held by the process that writes
/// <directory>/catalog/        records and indexes, one LMDB environment
/// <directory>/transients/     copies of CARs that the store cannot read in place
/// <directory>/tmp/            data that indexing cannot keep in memory; emptied at open
/// ```
///
/// *Durability*: the changes of a completed call are on disk, unless `Configuration.durability` says otherwise.
///
/// *Concurrency*: any thread or task may call any method at once.
public final class DAGStore: Sendable {
    package let engine: StoreEngine
    // Parts of the engine for reads. Loads from here change no reference count, which all threads would write.
    let access: CatalogAccess
    let openShards: OpenShards
    let lookup: BlockLookup

    private init(_ engine: StoreEngine) {
        self.engine = engine
        access = engine.access
        openShards = engine.openShards
        lookup = engine.lookup
    }

    deinit { engine.abandon() }

    /// The secret key of the store's keyed hash.
    package var hashKey: HashKey { HashKey(of: engine.catalog.hash) }

    /// Opens the store in `directory`; makes the store if there is none, unless read-only.
    ///
    /// The store then continues the fetches and indexings that the end of a process interrupted. The first reader of
    /// `events()` gets their events, too.
    ///
    /// *Cost*: independent of the number of shards; in the background, a look at each file in `transients/`.
    ///
    /// - Parameters:
    ///   - directory: The store's directory; the call makes it, and those above it, if missing.
    ///   - mounts: The mounts for the URLs of the shards.
    ///   - configuration: The configuration.
    /// - Returns: The store, open until `close()` or the end of the last reference.
    /// - Throws: `catalogLocked` if another process, or another `DAGStore` of this one, has the store open for
    ///   writing; `catalogTooNew`, `catalogCorrupt`, `catalogFull`, `readOnly`;
    ///   `invalidArgument` if read-only and there is no store; `invalidConfiguration`; `readOnly` also if the
    ///   directory cannot be read.
    public static func open(
        at directory: FilePath,
        mounts: MountRegistry = .standard,
        configuration: Configuration = Configuration()
    ) throws -> DAGStore {
        try configuration.check()
        let place = directory.appending("catalog")
        if configuration.isReadOnly {
            try checkPresence(in: directory)
        } else {
            let isDurable = configuration.durability == .full
            try makeDirectory(place, isDurable: isDurable)
            try makeDirectory(directory.appending("tmp"), isDurable: isDurable)
            try makeDirectory(directory.appending("transients"), isDurable: isDurable)
        }
        let catalog = try translating {
            try Catalog(
                at: place,
                lockFile: directory.appending("LOCK"),
                options: Catalog.Options(
                    mapSize: configuration.mapSize,
                    isReadOnly: configuration.isReadOnly,
                    isRelaxed: configuration.durability == .relaxed,
                    checksPages: configuration.checksPages,
                    onCommit: StoreReporter(observer: configuration.observer).commits
                ),
                randomKey: (configuration.hashKey ?? .random()).words
            )
        }
        let engine = StoreEngine(
            directory: directory,
            configuration: configuration,
            mounts: mounts,
            catalog: catalog
        )
        do {
            if !configuration.isReadOnly {
                try engine.prepareCatalog()
            }
        } catch {
            catalog.close()
            throw error
        }
        engine.start()
        return DAGStore(engine)
    }

    /// Closes the store: refuses new calls, waits for running jobs, and gives the lock back.
    ///
    /// Held leases stay valid, and the last one closes the files. This process or another one may open the store
    /// again before that. The next open continues cancelled jobs. Idempotent; concurrent calls wait for the first.
    ///
    /// - Parameter isCancelling: Whether to cancel fetches and indexings instead of waiting for them, also those of
    ///   mounts that do not answer. Their callers get `closed`.
    public func close(cancellingJobs isCancelling: Bool = false) async {
        await engine.close(cancellingJobs: isCancelling)
    }

    /// Returns the events of the shards from now on.
    ///
    /// The first reader also gets the events of the store's own work after the opening, at most 1,024. There may be
    /// any number of readers. A slow reader never slows the store: it loses the oldest events in its buffer, and
    /// `Statistics.eventsDropped` counts them. The stream ends when the store is closed.
    ///
    /// - Parameters:
    ///   - limit: The number of events that the reader's buffer keeps.
    ///   - includesLeases: Whether the reader gets `acquire` and `release`. Without such a reader, a lease costs no
    ///     event. Their numbers are skipped.
    /// - Returns: The events, in order.
    public func events(
        bufferingNewest limit: Int = 1024,
        includingLeases includesLeases: Bool = true
    ) -> AsyncStream<ShardEvent> {
        engine.events.events(bufferingNewest: limit, includingLeases: includesLeases)
    }

    /// Returns the failures of shards from now on; `events()` also has them.
    ///
    /// - Parameter limit: The number of failures that the reader's buffer keeps.
    /// - Returns: The failures, in order.
    public func failures(bufferingNewest limit: Int = 1024) -> AsyncStream<ShardFailure> {
        engine.events.failures(bufferingNewest: limit)
    }

    /// Flushes the names in a directory to disk.
    static func syncDirectory(_ path: FilePath) throws {
        do {
            try FileSystem.synchronizeIfPossible(directory: path)
        } catch {
            throw DAGStoreError(.readOnly, "\(path): \(error)")
        }
    }

    /// Checks that there is a store in a directory.
    ///
    /// *Cost*: one system call.
    ///
    /// - Throws: `invalidArgument` if there is no store; `readOnly` if this process may not read the directory.
    package static func checkPresence(in directory: FilePath) throws(DAGStoreError) {
        let place = directory.appending("catalog")
        do {
            if try Stat(place).type == .directory { return }
        } catch {
            guard error == .noSuchFileOrDirectory || error == .notDirectory else {
                throw DAGStoreError(.readOnly, "the store in \(directory) cannot be read: \(error)")
            }
        }
        throw DAGStoreError(.invalidArgument, "there is no store in \(directory)")
    }

    static func isDirectory(_ path: FilePath) -> Bool {
        FileSystem.isDirectory(path)
    }

    /// Makes a directory and those above it.
    static func makeDirectory(_ path: FilePath, isDurable: Bool) throws {
        if isDirectory(path) { return }
        let parent = path.removingLastComponent()
        if !parent.isEmpty, parent != path { try makeDirectory(parent, isDurable: isDurable) }
        do {
            try FileSystem.makeDirectory(path)
        } catch {
            if error == .fileExists, isDirectory(path) { return }
            let isFull = error == .noSpace || error == .diskQuotaExceeded
            throw DAGStoreError(isFull ? .catalogFull : .readOnly, "\(path): \(error)")
        }
        if isDurable { try syncDirectory(parent.isEmpty ? "." : parent) }
    }
}
