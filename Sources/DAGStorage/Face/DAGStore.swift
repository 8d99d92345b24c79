internal import DAGCatalog
public import DAGMounts
internal import DAGSystem
public import SystemPackage

/// A store of shards: CAR files, an index of each, and what is known of them.
///
/// ```
/// <directory>/LOCK            held by the process that writes
/// <directory>/catalog/        records and indexes, one LMDB environment
/// <directory>/transients/     copies of what cannot be read in place
/// <directory>/tmp/            what does not fit in memory while a shard is indexed; emptied at open
/// ```
///
/// *Durability*: what was answered is on disk, unless `Configuration.durability` says otherwise.
///
/// *Concurrency*: every method may be called from any thread or task, at once.
public final class DAGStore: Sendable {
    package let engine: StoreEngine
    // Parts of the engine that reads call. Loaded from here they need no reference count, which all threads would
    // write.
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

    /// Opens the store in `directory`; unless read-only, makes it if there is none.
    ///
    /// The store then continues the fetches and indexings that the end of a process interrupted. `events()` reports
    /// them, also those from before its first reader.
    ///
    /// *Cost*: does not depend on the number of shards; a look at each copy in `transients/`.
    ///
    /// - Parameters:
    ///   - directory: Where the store is; made, with the directories above it, if missing.
    ///   - mounts: What the mount URLs of the shards mean.
    ///   - configuration: How it behaves.
    /// - Returns: The store, open until `close()` or until the last reference goes.
    /// - Throws: `catalogLocked` if another process, or another `DAGStore` of this one, has it open for
    ///   writing; `catalogTooNew`, `catalogCorrupt`, `catalogFull`, `readOnly`;
    ///   `invalidArgument` if it is read-only and there is no store; `invalidConfiguration`; `readOnly` also if the
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
                    checksPages: configuration.checksPages
                ),
                randomKey: (.random(in: 0...UInt64.max), .random(in: 0...UInt64.max))
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

    /// Closes the store: refuses new work, waits for what is under way, gives the lock back.
    ///
    /// Leases that are still held go on working, and the last of them closes the files. This process or another one
    /// may open the store again before that. The next open continues jobs that were ended. Idempotent; concurrent
    /// calls wait for the first.
    ///
    /// - Parameter isCancelling: Whether to end fetches and indexings instead of waiting for them; their callers get
    ///   `closed`. Also stops waiting for mounts that do not answer.
    public func close(cancellingJobs isCancelling: Bool = false) async {
        await engine.close(cancellingJobs: isCancelling)
    }

    /// Returns the events of the shards from now on.
    ///
    /// The first reader is also told what the store did by itself after it was opened, up to 1,024 events.
    /// Any number of readers; a slow one loses the oldest events in its buffer, which is counted in
    /// `Statistics.eventsDropped`, and never slows the store. The stream ends when the store is closed.
    ///
    /// - Parameter limit: How many events are kept for this reader.
    /// - Returns: The events, in order.
    public func events(bufferingNewest limit: Int = 1024) -> AsyncStream<ShardEvent> {
        engine.events.events(bufferingNewest: limit)
    }

    /// The failures of shards, as `events()` has them among the others.
    ///
    /// - Parameter limit: How many failures are kept for this reader.
    /// - Returns: The failures, in order.
    public func failures(bufferingNewest limit: Int = 1024) -> AsyncStream<ShardFailure> {
        engine.events.failures(bufferingNewest: limit)
    }

    /// Makes the names in a directory durable.
    private static func syncDirectory(_ path: FilePath) throws {
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
    /// - Throws: `invalidArgument` if there is none; `readOnly` if this process may not look.
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
    private static func makeDirectory(_ path: FilePath, isDurable: Bool) throws {
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
