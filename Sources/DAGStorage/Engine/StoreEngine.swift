package import DAGCatalog
internal import DAGFailpoints
internal import DAGMounts
package import Dispatch
internal import SharedReads
package import SystemPackage

/// The parts of an open store, and their start and end.
///
/// Each part has one duty, and no part knows the engine. `DAGStore` is its public face, `ShardLoop` its event loop.
///
/// *Concurrency*: any thread. The loop decides about shards; the engine has the parts that all threads share.
package final class StoreEngine: Sendable {
    /// The arguments that several parts share.
    struct Parts {
        let directory: FilePath
        let configuration: Configuration
        let access: CatalogAccess
        let transients: TransientStore
        let loop: LoopInbox
        /// Runs all write transactions of this store, one after the other.
        let writer: DispatchQueue
        /// Opens shards, and deletes the remains of destroyed ones.
        let openings: JobPool
    }

    package let directory: FilePath
    let configuration: Configuration
    package let catalog: Catalog
    package let access: CatalogAccess
    let transients: TransientStore
    package let writer: DispatchQueue
    let openings: JobPool
    package let loop: LoopInbox
    let requests: LoopRequests
    let events: EventStreams
    let reporter: StoreReporter
    let away: AwayShards
    let traffic: ShardTraffic
    let openShards: OpenShards
    let indexes: ShardIndexes
    package let inverse: InverseIndex
    package let merger: InverseMerger
    let lookup: BlockLookup
    let sources: SourceFinder
    let worker: ShardWorker

    init(
        directory: FilePath,
        configuration: Configuration,
        mounts: MountRegistry,
        catalog: Catalog
    ) {
        self.directory = directory
        self.configuration = configuration
        self.catalog = catalog
        transients = Self.transients(directory, configuration, catalog)
        access = CatalogAccess(catalog, transients, ReadMark.unique())
        loop = LoopInbox()
        events = EventStreams()
        reporter = StoreReporter(observer: configuration.observer)
        requests = LoopRequests(access, loop, events)
        writer = DispatchQueue(label: "dagstore.writer")
        openings = JobPool(label: "dagstore.openings", width: 4, sparesMax: 60)
        let parts = Parts(
            directory: directory,
            configuration: configuration,
            access: access,
            transients: transients,
            loop: loop,
            writer: writer,
            openings: openings
        )
        let deleter = GenerationDeleter(access, writer, openings)
        away = AwayShards()
        traffic = ShardTraffic()
        openShards = OpenShards(access, loop, events, away, configuration)
        indexes = ShardIndexes(
            access,
            openShards,
            deleter,
            pageCacheSize: configuration.pageCacheSize
        )
        inverse = InverseIndex(readUnder: access.mark)
        merger = InverseMerger(parts, inverse, indexes, deleter)
        lookup = BlockLookup(
            access,
            openShards,
            indexes,
            inverse,
            away,
            select: configuration.selectShards
        )
        sources = SourceFinder(
            access,
            mounts,
            transients,
            loop,
            traffic,
            concurrentReadyFetches: configuration.concurrentReadyFetches
        )
        worker = ShardWorker(
            parts,
            sources: sources,
            indexes: indexes,
            merger: merger,
            deleter: deleter
        )
    }

    private static func transients(
        _ directory: FilePath,
        _ configuration: Configuration,
        _ catalog: Catalog
    ) -> TransientStore {
        let isKnown: @Sendable (TransientName) -> Bool = { catalog.names($0) }
        return TransientStore(
            directory: directory.appending("transients"),
            pool: JobPool(label: "dagstore.copying", width: 4),
            options: TransientStore.Options(
                quota: configuration.transientQuota,
                highWatermark: configuration.transientHighWatermark,
                lowWatermark: configuration.transientLowWatermark,
                isDurable: configuration.durability == .full
            ),
            // A read-only store leaves the folder as it is.
            isKnown: catalog.isReadOnly ? nil : isKnown
        )
    }

    // MARK: Opening

    /// Removes indexes without a record, which the end of a process left behind, and opens the inverse index.
    ///
    /// - Throws: `catalogCorrupt`, `readOnly`.
    func prepareCatalog() throws {
        Failpoint.opened.pass()
        try translating {
            do throws(CatalogError) {
                let merge = try catalog.pendingMerge()
                for generation in try catalog.pendingGenerations()
                where generation != merge?.output {
                    try catalog.deleteGeneration(generation)
                }
                for generation in try catalog.retiredRuns() { try catalog.deleteRun(generation) }
            } catch {
                // Deleting takes room, too. Without room the indexes stay on `pending`, and the store serves its
                // shards.
                guard error.code == .full else { throw error }
            }
            try merger.open()
        }
    }

    /// Removes files that the end of a process left in the folders; a fetch waits for this.
    private func prepareFolders() {
        SpillFile.removeLeftovers(in: directory.appending("tmp"))
        // The next fetch tries again, and reports the error.
        try? transients.prepare()
    }

    /// Starts the loop, and posts the interrupted jobs.
    func start() {
        access.keepAlive(self)
        SystemThread.start("dagstore.loop") { ShardLoop(self).run() }
        guard !catalog.isReadOnly else { return }
        merger.begin(after: prepareFolders)
        if configuration.continuesInterrupted {
            for (number, _) in (try? catalog.pendingShards()) ?? [] {
                loop.post(.resume(number: number))
            }
        }
        guard configuration.recovery == .atOpen, access.beginWork() else { return }
        openings.submit { [self] in
            defer { access.endUse() }
            recoverFailedShards()
        }
    }

    /// Requests the recovery of every failed shard.
    ///
    /// *Cost*: reads every record, unless all shards are sound.
    private func recoverFailedShards() {
        guard let counters = try? catalog.counters(), counters.failed > 0 else { return }
        var last: UInt32?
        while let records = try? catalog.records(after: last, limit: 256), !records.isEmpty {
            last = records.last?.number
            for record in records where record.state == .failed {
                loop.post(.request(Request(silent: .recover, ShardKey(stored: record.key))))
            }
            guard !access.isClosed else { return }
        }
    }

    // MARK: Closing

    /// Closes the store; see `DAGStore.close`.
    func close(cancellingJobs isCancelling: Bool) async {
        merger.stop()
        _ = access.refuseCalls()
        await withCheckedContinuation { continuation in
            let reply: @Sendable () -> Void = { continuation.resume() }
            if !loop.post(.drain(cancelling: isCancelling, reply)) { reply() }
        }
        await access.waitForUses()
        // The caller hears that the store is closed after all memory of the loop is free.
        await Reclaimer.drained(access.mark)
    }

    /// Closes a store without references; waits only for jobs that it can cancel.
    func abandon() {
        guard access.refuseCalls() else { return }
        merger.stop()
        // On the loop's own thread, the wait would never end.
        guard !loop.isOwnThread else {
            loop.post(.drain(cancelling: true, {}))
            return
        }
        let bell = DispatchSemaphore(value: 0)
        if loop.post(.drain(cancelling: true, { bell.signal() })) { bell.wait() }
    }
}

extension Catalog {
    /// Returns whether the record of a transient's shard names the transient.
    ///
    /// If the record is unreadable, the answer is true, so that the transient stays.
    fileprivate func names(_ copy: TransientName) -> Bool {
        do {
            return try record(copy.number)?.transientName == copy
        } catch {
            return true
        }
    }
}
