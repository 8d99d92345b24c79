internal import Catalog
internal import Dispatch
internal import Mounts
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
        /// Whether somebody has begun to close the catalogue.
        var isClosingCatalog = false
        /// Whether the catalogue is closed, so that the store can be opened again.
        var isCatalogClosed = false
        /// Calls that use the catalogue without a lease.
        var calls = 0
        /// Those who close the store and wait for the calls.
        var closers: [CheckedContinuation<Void, Never>] = []

        /// Whether nobody uses the catalogue but those who hold leases.
        var isIdle: Bool { calls == 0 && isClosingCatalog == isCatalogClosed }
    }

    let directory: FilePath
    let configuration: Configuration
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
    /// The shards that are open.
    let entries = Mutex<[ShardKey: ShardEntry]>([:])
    /// The same by their numbers.
    let openShards = Mutex<[UInt32: OpenShard]>([:])
    /// Indexes of shards that are not open.
    let readers = IndexReaders()
    let use = Mutex(Use())
    let pins: GenerationPins
    /// The same for runs of the inverse index.
    let runPins: GenerationPins
    let inverse = InverseIndex()
    let merger = InverseMerger()
    /// Leases in all.
    let leaseCount = Atomic<Int>(0)
    /// Open shards without leases.
    let idleCount = Atomic<Int>(0)
    /// Payload bytes of all open shards.
    let openBytes = Atomic<UInt64>(0)
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
        cache = PageCache(sizeMax: configuration.pageCacheSize)
        indexing = JobPool(label: "dagstore.indexing", width: configuration.concurrentIndexing)
        openings = JobPool(label: "dagstore.openings", width: 4)
        copying = JobPool(label: "dagstore.copying", width: 4)
        readyFetches = Throttle(width: configuration.concurrentReadyFetches)
        transients = TransientStore(
            directory: directory.appending("transients"),
            pool: copying,
            options: TransientStore.Options(
                quota: configuration.transientQuota,
                highWatermark: configuration.transientHighWatermark,
                lowWatermark: configuration.transientLowWatermark,
                isDurable: configuration.durability == .full
            )
        )
        let deletions = GenerationDeletions()
        pins = GenerationPins { deletions.delete($0) }
        let runDeletions = GenerationDeletions()
        runPins = GenerationPins { runDeletions.deleteRun($0) }
        deletions.engine = self
        runDeletions.engine = self
    }

    // MARK: Calls

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

    /// Closes the catalogue with the last who uses it, after the store was closed, and tells those who wait
    /// for that.
    func closeCatalogIfUnused() {
        let isLast = use.withLock { use in
            guard use.isStopped, use.calls == 0, !use.isClosingCatalog,
                leaseCount.load(ordering: .acquiring) == 0
            else { return false }
            use.isClosingCatalog = true
            return true
        }
        if isLast {
            catalog.close()
            use.withLock { $0.isCatalogClosed = true }
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

    // MARK: Leases

    /// A lease on a shard that is open, if it is.
    ///
    /// *Cost*: one lock for the look into the table, one compare-and-swap; the first lease looks at the
    /// file's state besides. It does not depend on the number of shards or blocks.
    ///
    /// - Throws: `closed`; `mountGone`, `mountUnreachable` or `sourceChanged` with the news on its way
    ///   to the loop.
    func warmShard(_ key: ShardKey) throws -> Shard? {
        guard let entry = entries.withLock({ $0[key] }) else { return nil }
        // Counted before it is taken, so that a store that is closed meanwhile sees it.
        leaseCount.add(1, ordering: .acquiringAndReleasing)
        guard let before = entry.leases.take() else {
            dropLeaseCount()
            return nil
        }
        guard let core = entry.core else { preconditionFailure("leases on a shard that is closed") }
        if before == 0 { idleCount.subtract(1, ordering: .relaxed) }
        let shard = Shard(core, entry, of: self)
        // Only the first lease looks at the file; the others are as good as the first.
        if before == 0 {
            do {
                try translatingFor(key) { try core.checkSource() }
            } catch {
                shard.release()
                loop.post(.lost(key, generation: core.record.generation, error))
                throw error
            }
        }
        if events.isWatched {
            events.tell(.acquire, key, .serving, references: entry.leases.count)
        }
        return shard
    }

    /// A lease that the loop grants on an open shard.
    func grant(_ entry: ShardEntry) -> Shard {
        guard let core = entry.core else { preconditionFailure("a lease on a closed shard") }
        leaseCount.add(1, ordering: .acquiringAndReleasing)
        if entry.leases.add() == 0 { idleCount.subtract(1, ordering: .relaxed) }
        return Shard(core, entry, of: self)
    }

    /// Ends a lease; called by `Shard`.
    func endLease(_ entry: ShardEntry) {
        entry.lastUse.store(DispatchTime.now().uptimeNanoseconds, ordering: .relaxed)
        let (left, isOpen) = entry.leases.giveBack()
        if events.isWatched {
            let state: ShardStatus.State? =
                isOpen ? (left > 0 ? .serving : .available) : state(of: entry.key)
            events.tell(.release, entry.key, state, references: left)
        }
        if left == 0 {
            // A shard that is not open goes with its last lease, which the loop has to hear of.
            if isOpen { noteIdle() } else { loop.post(.settle(entry.key)) }
        }
        dropLeaseCount()
    }

    /// Counts an open shard without leases, and has some closed if there are too many.
    func noteIdle() {
        let idle = idleCount.add(1, ordering: .relaxed).newValue
        let isOverBytes =
            configuration.idleBytesMax.map { openBytes.load(ordering: .relaxed) > $0 } ?? false
        guard idle > configuration.idleShardsMax || isOverBytes else { return }
        guard !isTrimming.exchange(true, ordering: .relaxed) else { return }
        loop.post(.trim)
    }

    func dropLeaseCount() {
        let left = leaseCount.subtract(1, ordering: .acquiringAndReleasing).newValue
        if left == 0 { closeCatalogIfUnused() }
    }

    /// The leases that this process has on a shard.
    func references(of key: ShardKey) -> Int {
        entries.withLock { $0[key] }?.leases.count ?? 0
    }

    private func state(of key: ShardKey) -> ShardStatus.State? {
        guard let status = try? using({ try status(of: key) }) else { return nil }
        return status.state
    }

    // MARK: Indexes

    /// Gives an index up that no record names.
    ///
    /// What cannot be deleted now stays on `pending` and is deleted at the next open.
    func discard(_ generation: UInt64) {
        cache.remove(generation: generation)
        readers.remove(generation)
        guard pins.giveUp(generation) else { return }
        try? writer.sync { try catalog.deleteGeneration(generation) }
    }

    func translatingFor<R>(_ key: ShardKey, _ body: () throws -> R) throws(DAGStoreError) -> R {
        do {
            return try body()
        } catch {
            throw DAGStoreError(any: error).about(key)
        }
    }
}

/// An open shard, as it is found by its number.
struct OpenShard: Sendable {
    let entry: ShardEntry
    /// The bytes of its payload.
    let size: UInt64
}

/// Deletes indexes when their last reader goes.
private final class GenerationDeletions: Sendable {
    private let place = Mutex<Weak>(Weak())

    private struct Weak {
        weak var engine: StoreEngine?
    }

    var engine: StoreEngine? {
        get { place.withLock { $0.engine } }
        set { place.withLock { $0.engine = newValue } }
    }

    /// Deletes a run of the inverse index, unless the store is closed.
    func deleteRun(_ generation: UInt64) { engine?.deleteRun(generation) }

    /// Deletes an index on the writer's queue, unless the store is closed.
    func delete(_ generation: UInt64) {
        guard let engine, engine.beginWork() else { return }
        engine.writer.async {
            try? engine.catalog.deleteGeneration(generation)
            engine.endCall()
        }
    }
}

extension DAGStoreError {
    static var storeIsClosed: DAGStoreError { DAGStoreError(.closed, "the store is closed") }
}
