internal import DAGCAR
internal import DAGCARFiles
internal import DAGCatalog
internal import DAGFailpoints
internal import DAGMounts
internal import Dispatch
internal import ShardIndex
internal import SystemPackage

/// Fetches, indexes and opens shards on threads of the store; the loop starts each job and gets the outcome.
///
/// *Concurrency*: any thread.
final class ShardWorker: Sendable {
    let access: CatalogAccess
    private let catalog: Catalog
    private let configuration: Configuration
    private let directory: FilePath
    let loop: LoopInbox
    let sources: SourceFinder
    let transients: TransientStore
    let indexes: ShardIndexes
    private let merger: InverseMerger
    private let deleter: GenerationDeleter
    /// Runs all write transactions of this store, one after the other.
    private let writer: DispatchQueue
    /// Indexes shards.
    private let indexing: JobPool
    /// Opens shards and removes the remains of destroyed ones, beside the indexing.
    let openings: JobPool

    init(
        _ engine: StoreEngine.Parts,
        sources: SourceFinder,
        indexes: ShardIndexes,
        merger: InverseMerger,
        deleter: GenerationDeleter
    ) {
        access = engine.access
        catalog = engine.access.catalog
        configuration = engine.configuration
        directory = engine.directory
        loop = engine.loop
        transients = engine.transients
        writer = engine.writer
        openings = engine.openings
        indexing = JobPool(
            label: "dagstore.indexing",
            width: engine.configuration.concurrentIndexing
        )
        self.sources = sources
        self.indexes = indexes
        self.merger = merger
        self.deleter = deleter
    }

    // MARK: Indexing

    /// Fetches and indexes a shard; the loop gets the outcome.
    ///
    /// - Parameters:
    ///   - record: The shard.
    ///   - job: The job.
    ///   - isRecovery: Whether to discard earlier copies.
    func startIndexing(_ record: ShardRecord, _ job: ShardJob, isRecovery: Bool) {
        // A local file needs no waiting, and so no task.
        if sources.isLocal(record) {
            indexing.submit { [self] in
                end(job) {
                    try prepare(record, isRecovery: isRecovery)
                    guard let source = try sources.sourceAtOnce(record, isOpening: false) else {
                        return nil
                    }
                    return try index(record, source, job, isRecovery: isRecovery)
                } orElse: {
                    startFetching(record, job, isRecovery: isRecovery)
                }
            }
            return
        }
        openings.submit { [self] in
            end(job) {
                try prepare(record, isRecovery: isRecovery)
                return nil
            } orElse: {
                startFetching(record, job, isRecovery: isRecovery)
            }
        }
    }

    /// Checks whether a failed shard's source has the indexed bytes, so that its index can stay.
    ///
    /// *Cost*: one system call if the file is unchanged; else a walk over all section headers, because a sample could
    /// miss the changed section.
    ///
    /// - Returns: The facts that identify the source now; nil if the source must be indexed.
    private func unchanged(
        _ record: ShardRecord,
        _ source: ShardSource,
        _ job: ShardJob
    ) -> SourceFacts? {
        let code = DAGStoreError.Code(rawValue: record.errorCode)
        // After other failures, the index or the blocks are wrong.
        guard record.generation != 0, !record.isIncomplete, configuration.indexer == nil,
            let code, code.isAway || code == .sourceChanged
        else { return nil }
        // The pin is for the indexing that follows if the source differs.
        var unpinned = source
        unpinned.pin = nil
        guard let reader = try? reader(record, unpinned) else { return nil }
        let isSame = source.facts.agrees(with: SourceFacts(record))
        let isKnownSame = isSame && code.isAway && source.facts.identity != .content
        do {
            if !isKnownSame {
                try reader.checkSections(of: source.reader, checkCancelled: job.checkCancelled)
            }
            try source.reader.checkUnchanged()
            return source.facts
        } catch {
            return nil
        }
    }

    /// Makes a reader of a shard's bytes.
    ///
    /// - Throws: As `ShardReader.init`.
    func reader(_ record: ShardRecord, _ source: ShardSource) throws -> ShardReader {
        try ShardReader(
            record,
            source: source,
            catalog: catalog,
            cache: indexes.cache,
            pin: indexes.pin(record),
            configuration: configuration,
            limits: limits(of: record)
        )
    }

    /// Returns the limits for reading a shard's CAR: those of the store, or of its registration if these are larger.
    func limits(of record: ShardRecord) -> CARLimits {
        var limits = configuration.limits
        limits.sectionSizeMax = max(limits.sectionSizeMax, record.sectionSizeMax)
        limits.headerSizeMax = max(limits.headerSizeMax, record.headerSizeMax)
        return limits
    }

    /// Indexes a shard whose source was reached, unless a recovery finds that its index still fits.
    private func index(
        _ record: ShardRecord,
        _ source: ShardSource,
        _ job: ShardJob,
        isRecovery: Bool
    ) throws -> JobOutcome {
        if isRecovery, let facts = unchanged(record, source, job) {
            source.pin?.release()
            return .found(facts)
        }
        try job.checkCancelled()
        return .indexed(try buildIndex(record, source, job))
    }

    /// Removes the transient, if the job is a recovery.
    private func prepare(_ record: ShardRecord, isRecovery: Bool) throws {
        guard isRecovery else { return }
        _ = try transients.remove(record.transientName)
    }

    /// Runs the part of an indexing that waits for the mount, in a task.
    private func startFetching(_ record: ShardRecord, _ job: ShardJob, isRecovery: Bool) {
        limitFetch(of: job)
        job.run { [self] in
            do {
                let source = try await sources.source(of: record, for: job, isOpening: false)
                job.phase = .waitingForTurn
                indexing.submit { [self] in
                    end(job) { try index(record, source, job, isRecovery: isRecovery) }
                }
            } catch {
                report(job, error)
            }
        }
    }

    /// Fails a job that still waits for its bytes when `Configuration.fetchTimeout` has passed.
    private func limitFetch(of job: ShardJob) {
        job.limitFetch(to: configuration.fetchTimeout) { [weak loop] job, error in
            loop?.post(.ended(job, .failed(error)))
            return true
        }
    }

    /// Builds the index of a source; the publishing transaction writes the last pieces.
    func buildIndex(
        _ record: ShardRecord,
        _ source: ShardSource,
        _ job: ShardJob
    ) throws -> IndexedSource {
        merger.waitForRoom()
        job.phase = .indexing(nil)
        // Before the loop gets the outcome.
        defer { source.pin?.release() }
        let pieces = GenerationWriter(
            catalog: catalog,
            queue: writer,
            temporaryDirectory: directory.appending("tmp"),
            isLoopBusy: { [loop] in loop.isBusy }
        )
        do {
            let limits = limits(of: record)
            let car = try CARFile(source.reader, limits: limits)
            let built = try buildIndex(of: car, record, pieces, job)
            let root = built.root
            try source.reader.checkUnchanged()
            let rest = try pieces.finish()
            Failpoint.indexBuilt.pass()
            return IndexedSource(
                facts: source.facts,
                sectionCount: root.sectionCount,
                payloadSize: root.payloadSize,
                indexSize: root.indexSize,
                parts: IndexParts(
                    root: root.encoded(policy: configuration.indexPagePolicy),
                    generation: rest.generation,
                    pieces: rest.pieces,
                    inverse: built.inverse
                ),
                limits: limits
            )
        } catch {
            pieces.abandon()
            throw error
        }
    }

    private func buildIndex(
        of car: CARFile,
        _ record: ShardRecord,
        _ pieces: GenerationWriter,
        _ job: ShardJob
    ) throws -> BuiltIndex {
        let building = IndexBuilding(
            hash: catalog.hash,
            policy: configuration.indexPagePolicy,
            sortBudget: configuration.sortBudget,
            sink: pieces,
            progress: { [job, indexing] in job.reportProgress($0, on: indexing) },
            checkCancelled: { [job] in try job.checkCancelled() }
        )
        guard let indexer = configuration.indexer else { return try car.buildIndex(building) }
        let subject = IndexerSource(
            key: job.key,
            mountURL: record.mountURL,
            size: car.source.size,
            payloadOffset: car.layout.dataOffset,
            payloadSize: car.layout.dataSize,
            source: car.source
        )
        return try car.buildIndex(building, by: indexer, subject)
    }

    // MARK: Opening

    /// Opens an available shard; the loop gets the outcome.
    func startOpening(_ record: ShardRecord, _ job: ShardJob) {
        job.phase = .opening
        openings.submit { [self] in
            end(job) {
                guard let source = try sources.sourceAtOnce(record, isOpening: true) else {
                    return nil
                }
                return try open(record, source)
            } orElse: {
                limitFetch(of: job)
                loop.post(.opensSlowly(job))
                job.run { [self] in
                    do {
                        let source = try await sources.source(of: record, for: job, isOpening: true)
                        openings.submit { [self] in end(job) { try open(record, source) } }
                    } catch {
                        report(job, error)
                    }
                }
            }
        }
    }

    /// Opens a shard over a source with the indexed bytes.
    ///
    /// *Cost*: compares a sample if the inode or time of the file differs from the record.
    ///
    /// - Throws: `sourceChanged` if the bytes differ; `catalogCorrupt`.
    private func open(_ record: ShardRecord, _ source: ShardSource) throws -> JobOutcome {
        let known = SourceFacts(record)
        let isOther = source.facts.identity != known.identity
        let isSame = source.facts.agrees(with: known)
        guard isOther || isSame || source.facts.resembles(known) else {
            let name = source.reader.name
            throw DAGStoreError(.sourceChanged, "\(name) is not what was indexed")
        }
        let reader = try reader(record, source)
        if isSame { return .opened(reader, facts: nil) }
        if isOther {
            // The indexed copy is gone, and this is another file, which must have the same sections.
            try reader.checkSections(of: source.reader)
        } else {
            // The file was touched or copied, or its disk mounted anew.
            try reader.checkSample(of: source.reader)
        }
        return .opened(reader, facts: source.facts)
    }

    // MARK: Endings

    /// Runs the part of a job that uses the catalog, and posts the outcome to the loop.
    ///
    /// - Parameters:
    ///   - job: The job.
    ///   - body: The work; returns nil if `next` continues it.
    ///   - next: Continues the work.
    private func end(
        _ job: ShardJob,
        _ body: () throws -> JobOutcome?,
        orElse next: () -> Void = {}
    ) {
        guard access.beginWork() else { return }
        defer { access.endUse() }
        do {
            try job.checkCancelled()
            guard let outcome = try body() else { return next() }
            if !loop.post(.ended(job, outcome)) { discard(outcome) }
        } catch {
            report(job, error)
        }
    }

    private func report(_ job: ShardJob, _ error: any Error) {
        guard !job.isCancelled else {
            loop.post(.ended(job, .abandoned))
            return
        }
        var error = DAGStoreError(any: error)
        // The store did not cancel it.
        if error.code == .cancelled || error.code == .closed {
            error = DAGStoreError(.fetchFailed, "the mount ended the read: \(error.message)")
        }
        loop.post(.ended(job, .failed(error.about(job.key))))
    }

    /// Deletes the index of an outcome that came too late for its shard.
    func discard(_ outcome: JobOutcome) {
        guard case .indexed(let built) = outcome, let generation = built.parts.generation else {
            return
        }
        // If this fails, it stays on `pending`, and the next open deletes it.
        deleter.deleteIndexLater(generation)
    }
}
