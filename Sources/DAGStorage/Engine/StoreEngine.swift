internal import DAGCatalog
internal import DAGMounts
internal import Dispatch
internal import SharedReads
internal import Synchronization
internal import SystemPackage

/// What a store is made of, shared by its handle, its leases, its loop and its jobs.
///
/// *Concurrency*: any thread. What decides about shards belongs to the loop; here is only what all threads
/// look at.
final class StoreEngine: Sendable {
    /// Who uses the catalogue.
    struct Use {
        /// Whether new work is refused.
        var isClosed = false
        /// Whether the loop has ended, so that nothing opens a shard any more.
        var isStopped = false
        /// Whether the lock is being given back while leases are held, or was.
        var isGivingLockBack = false
        /// Whether the store can be opened again, or the last lease must end for that.
        var isSettled = false
        /// Whether somebody has begun to close the catalogue.
        var isClosingCatalog = false
        /// Whether the catalogue is closed, so that the store can be opened again.
        var isCatalogClosed = false
        /// Calls that use the catalogue for long, or across an `await`.
        var calls = 0
        /// Whether there may be readers that began before the store was closed.
        var hasReaders = true
        /// Entries with leases that outlive the loop.
        var outliving: [ShardEntry] = []
        /// Those who close the store and wait for the calls.
        var closers: [CheckedContinuation<Void, Never>] = []

        /// Whether nobody uses the catalogue but those who hold leases.
        var isIdle: Bool {
            calls == 0 && !hasReaders && isSettled && isClosingCatalog == isCatalogClosed
        }
    }

    /// What the indexes of shards that are not open may take in memory, in bytes.
    static let readersSizeMax = 64 << 20

    let directory: FilePath
    let configuration: Configuration
    /// Whether `Configuration.selectShards` chooses.
    let selectsShards: Bool
    /// `Configuration.sourceCheckInterval` in nanoseconds.
    let sourceCheckInterval: UInt64
    let mounts: MountRegistry
    let catalog: Catalog
    let cache: PageCache
    let transients: TransientStore
    let events = EventStreams()
    let loop = LoopInbox()
    /// Indexes shards.
    let indexing: JobPool
    /// Opens shards and removes what is left of destroyed ones, which must not wait for those that are
    /// being indexed.
    let openings: JobPool
    /// Writes copies.
    let copying: JobPool
    /// Lets sources through that say they are ready.
    let readyFetches: Throttle
    /// Runs all write transactions of this store, one after the other.
    let writer = DispatchQueue(label: "dagstore.writer")
    /// Under which threads read what the loop may take away: open shards, indexes, pages, the inverse index.
    let mark: ReadMark
    /// The shards that are open, by key; the loop changes it.
    let entries: SharedTable<ShardEntry>
    /// The same by their numbers.
    let openShards: SharedTable<ShardEntry>
    /// Indexes of shards that are not open.
    let readers: IndexReaders
    let use = Lock(Use())
    /// The same as `Use.isClosed`, for readers.
    let isClosed = Atomic<Bool>(false)
    let pins: GenerationPins
    /// The same for runs of the inverse index.
    let runPins: GenerationPins
    let inverse: InverseIndex
    let merger = InverseMerger()
    /// The store itself, from its start until its catalogue is closed: leases do not count references to it.
    private let ownReference = Lock<StoreEngine?>(nil)
    /// Why shards that are indexed could not be read when that was last tried, by number.
    private let away = Lock<[UInt32: DAGStoreError]>([:])
    /// How many these are, for readers that find none.
    private let awayCount = Atomic<Int>(0)
    /// Payload bytes of all open shards.
    let openBytes = Atomic<UInt64>(0)
    /// How near the limits on idle shards the open ones are; see `Crowding`.
    let crowding = Atomic<UInt8>(Crowding.far.rawValue)
    /// The time of the loop's last turn, in nanoseconds since the machine was started.
    let clock = Atomic<UInt64>(DispatchTime.now().uptimeNanoseconds)
    /// Whether the loop was asked to close idle shards and has not done so yet.
    let isTrimming = Atomic<Bool>(false)

    init(
        directory: FilePath,
        configuration: Configuration,
        mounts: MountRegistry,
        catalog: Catalog
    ) {
        self.directory = directory
        self.configuration = configuration
        self.mounts = mounts
        self.catalog = catalog
        mark = ReadMark.unique()
        entries = SharedTable(readUnder: mark)
        openShards = SharedTable(readUnder: mark)
        inverse = InverseIndex(readUnder: mark)
        cache = PageCache(sizeMax: configuration.pageCacheSize, readUnder: mark)
        readers = IndexReaders(sizeMax: Self.readersSizeMax, readUnder: mark)
        selectsShards = configuration.selectShards != nil
        sourceCheckInterval = configuration.sourceCheckInterval.nanoseconds
        indexing = JobPool(label: "dagstore.indexing", width: configuration.concurrentIndexing)
        openings = JobPool(label: "dagstore.openings", width: 4, sparesMax: 60)
        copying = JobPool(label: "dagstore.copying", width: 4)
        readyFetches = Throttle(width: configuration.concurrentReadyFetches)
        let isKnown: @Sendable (TransientName) -> Bool = { catalog.names($0) }
        transients = TransientStore(
            directory: directory.appending("transients"),
            pool: copying,
            options: TransientStore.Options(
                quota: configuration.transientQuota,
                highWatermark: configuration.transientHighWatermark,
                lowWatermark: configuration.transientLowWatermark,
                isDurable: configuration.durability == .full
            ),
            // Who only looks leaves the folder as it is.
            isKnown: catalog.isReadOnly ? nil : isKnown
        )
        let deletions = GenerationDeletions()
        pins = GenerationPins { deletions.delete($0) }
        let runDeletions = GenerationDeletions()
        runPins = GenerationPins { runDeletions.deleteRun($0) }
        deletions.engine = self
        runDeletions.engine = self
    }

    /// Why a shard could not be read when that was last tried; nil if it was read.
    func awayError(of number: UInt32) -> DAGStoreError? {
        guard awayCount.load(ordering: .relaxed) > 0 else { return nil }
        return away.withLock { $0[number] }
    }

    /// Whether a shard could not be read when that was last tried.
    func isAway(_ number: UInt32) -> Bool { awayError(of: number) != nil }

    /// Notes why a shard cannot be read; nil if it can.
    func noteAway(_ number: UInt32, _ error: DAGStoreError?) {
        if error == nil, awayCount.load(ordering: .relaxed) == 0 { return }
        away.withLock { away in
            away[number] = error
            awayCount.store(away.count, ordering: .relaxed)
        }
    }

    /// Keeps the store alive until its catalogue is closed.
    func holdItself() { ownReference.withLock { $0 = self } }

    // MARK: Calls

    /// Calls `body` within a reading of the store's mark: it may use what the loop may free, and the catalogue.
    ///
    /// `body` is short and does not block. Until it ends, the reclaimer frees nothing that it may have found, and a store
    /// that closes keeps its catalogue open.
    ///
    /// *Cost*: two stores to memory of the calling thread.
    ///
    /// - Throws: `closed`, and what `body` throws.
    @inline(__always)
    func reading<R>(_ body: () throws -> R) throws -> R {
        Reading.begin(mark)
        defer { Reading.end() }
        guard !isClosed.load(ordering: .acquiring) else { throw DAGStoreError.storeIsClosed }
        return try body()
    }

    /// Calls `body`, which uses the catalogue; a store that is closed meanwhile waits for it.
    ///
    /// - Throws: `closed`, and what `body` throws.
    func using<R>(_ body: () throws -> R) throws -> R {
        try beginCall()
        defer { endCall() }
        return try body()
    }

    /// Begins what `endCall` ends.
    ///
    /// - Throws: `closed`.
    func beginCall() throws {
        try use.withLock { use in
            guard !use.isClosed else { throw DAGStoreError.storeIsClosed }
            use.calls += 1
        }
    }

    /// Begins work of the store's own, which goes on while the store is being closed.
    ///
    /// - Returns: Whether the catalogue is still there.
    func beginWork() -> Bool {
        use.withLock { use in
            guard !use.isStopped else { return false }
            use.calls += 1
            return true
        }
    }

    /// Ends what `beginCall` or `beginWork` began.
    func endCall() {
        let isEnding = use.withLock { use in
            use.calls -= 1
            return use.isStopped
        }
        if isEnding { closeCatalogIfUnused() }
    }

    /// Refuses new calls.
    ///
    /// - Returns: Whether this call did so, and none before.
    func refuseCalls() -> Bool {
        use.withLock { use in
            defer { use.isClosed = true }
            isClosed.store(true, ordering: .sequentiallyConsistent)
            return !use.isClosed
        }
    }

    /// Waits until no call uses the catalogue, and, unless leases hold it, until it is closed; the loop has
    /// ended before.
    func waitForCalls() async {
        await withCheckedContinuation { continuation in
            let isIdle = use.withLock { use in
                guard !use.isIdle else { return true }
                use.closers.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
    }

    /// Notes that the loop has ended; the catalogue is closed when the readers have ended too.
    ///
    /// - Parameter entries: Entries whose leases may outlive the loop.
    func noteStopped(_ entries: [ShardEntry]) {
        use.withLock { use in
            use.outliving = entries
            use.isStopped = true
        }
        Reclaimer.after(readersOf: mark) { [self] in
            use.withLock { $0.hasReaders = false }
            closeCatalogIfUnused()
        }
    }

    /// Closes the catalogue with the last who uses it, after the store was closed, and tells those who wait
    /// for that.
    func closeCatalogIfUnused() {
        // Counted outside of the lock, because an entry has one of its own. No lease begins any more.
        let outliving = use.withLock { $0.isStopped ? $0.outliving : nil }
        let hasLeases = outliving?.contains { $0.leaseCount > 0 } ?? true
        let isLast = use.withLock { use in
            guard !hasLeases, !use.hasReaders, use.calls == 0, !use.isClosingCatalog else {
                return false
            }
            use.isClosingCatalog = true
            return true
        }
        if hasLeases { giveLockBack() }
        if isLast {
            transients.close()
            catalog.close()
            // A lease that has just ended may still look at its entry and at the store.
            let entries = use.withLock { use in
                use.isCatalogClosed = true
                use.isSettled = true
                defer { use.outliving = [] }
                return use.outliving
            }
            Reclaimer.after(readersOf: mark) { [self] in
                withExtendedLifetime(entries) { ownReference.withLock { $0 = nil } }
            }
        }
        let closers = use.withLock { use in
            guard use.isStopped, use.isIdle else {
                return [] as [CheckedContinuation<Void, Never>]
            }
            defer { use.closers = [] }
            return use.closers
        }
        for closer in closers { closer.resume() }
    }

    /// Lets the store be opened again, if nothing but leases uses it any more.
    private func giveLockBack() {
        let isDue = use.withLock { use in
            guard use.isStopped, !use.hasReaders, use.calls == 0, !use.isGivingLockBack,
                !use.isClosingCatalog
            else { return false }
            use.isGivingLockBack = true
            // Nobody may close the catalogue meanwhile.
            use.calls += 1
            return true
        }
        guard isDue else { return }
        transients.close()
        // If it cannot be, the last lease gives it back.
        try? catalog.giveLockBack()
        use.withLock { $0.isSettled = true }
        endCall()
    }

    // MARK: Indexes

    /// Gives an index up that no record names; called on a thread that may wait.
    ///
    /// What cannot be deleted now stays on `pending` and is deleted at the next open.
    ///
    /// - Parameters:
    ///   - generation: The index.
    ///   - number: The shard whose index it was.
    func discard(_ generation: UInt64, of number: UInt32) {
        readers.remove(number)
        cache.remove(generation: generation)
        // Those who read it without a lease end before it is deleted.
        Reclaimer.drain(mark)
        guard pins.giveUp(generation) else { return }
        try? catalog.deleteGeneration(generation, on: writer)
    }

    /// Deletes an index, on a thread that may wait.
    func deleteLater(_ generation: UInt64) {
        guard beginWork() else { return }
        openings.submit { [self] in
            try? catalog.deleteGeneration(generation, on: writer)
            endCall()
        }
    }

    func translatingFor<R>(_ key: ShardKey, _ body: () throws -> R) throws(DAGStoreError) -> R {
        do {
            return try body()
        } catch {
            throw DAGStoreError(any: error).about(key)
        }
    }
}

/// Deletes indexes when their last reader goes.
private final class GenerationDeletions: Sendable {
    private let place = Lock<Weak>(Weak())

    private struct Weak {
        weak var engine: StoreEngine?
    }

    var engine: StoreEngine? {
        get { place.withLock { $0.engine } }
        set { place.withLock { $0.engine = newValue } }
    }

    /// Deletes a run of the inverse index, unless the store is closed.
    func deleteRun(_ generation: UInt64) { engine?.deleteRun(generation) }

    /// Deletes an index, unless the store is closed.
    func delete(_ generation: UInt64) { engine?.deleteLater(generation) }
}

extension Catalog {
    /// Deletes an index; other commits go on between its parts.
    ///
    /// - Parameters:
    ///   - generation: The index; nobody reads it.
    ///   - writer: The queue of all write transactions.
    /// - Throws: `.full`, `.readOnly`, `.io`; what is left stays on `pending`.
    func deleteGeneration(_ generation: UInt64, on writer: DispatchQueue) throws {
        while try !writer.sync(execute: { try deletePart(of: generation) }) {}
    }

    /// Deletes a run of the inverse index; other commits go on between its parts.
    func deleteRun(_ generation: UInt64, on writer: DispatchQueue) throws {
        while try !writer.sync(execute: { try deletePart(ofRun: generation) }) {}
    }
}

extension DAGStoreError {
    static var storeIsClosed: DAGStoreError { DAGStoreError(.closed, "the store is closed") }
}
