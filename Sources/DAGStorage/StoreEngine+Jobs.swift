internal import CAR
internal import Catalog
internal import Dispatch
internal import Failpoints
internal import Mounts
internal import ShardIndex
internal import Synchronization
internal import SystemPackage

/// An index that is built and not published.
struct IndexedSource: Sendable {
    let facts: SourceFacts
    let sectionCount: UInt64
    let payloadSize: UInt64
    let indexSize: UInt64
    let parts: IndexParts

    /// Writes what was found into the record of the shard, which is available then.
    func note(in record: inout ShardRecord) {
        facts.note(in: &record)
        if record.isIncomplete {
            record.origin?.note(sections: record.sectionCount, of: sectionCount)
        }
        record.sectionCount = sectionCount
        record.payloadSize = payloadSize
        record.indexSize = indexSize
        record.state = .available
        record.isIncomplete = false
        record.errorCode = 0
        record.errorText = ""
    }
}

/// What jobs do, on threads of the store.
extension StoreEngine {
    // MARK: Indexing

    /// Fetches and indexes a shard; the loop hears how it ended.
    ///
    /// - Parameters:
    ///   - record: The shard.
    ///   - job: The job.
    ///   - isRecovery: Whether what was fetched before is not to be trusted.
    func startIndexing(_ record: ShardRecord, _ job: ShardJob, isRecovery: Bool) {
        // A file of this machine takes no waiting, and so no task.
        if isLocal(record) {
            indexing.submit { [self] in
                end(job) {
                    try prepare(record, isRecovery: isRecovery)
                    guard let source = try reachAtOnce(record, isOpening: false) else { return nil }
                    return .indexed(try buildIndex(record, source, job))
                } orElse: {
                    startFetching(record, job)
                }
            }
            return
        }
        openings.submit { [self] in
            end(job) {
                try prepare(record, isRecovery: isRecovery)
                return nil
            } orElse: {
                startFetching(record, job)
            }
        }
    }

    /// Removes the copy that a recovery does not trust.
    private func prepare(_ record: ShardRecord, isRecovery: Bool) throws {
        guard isRecovery else { return }
        _ = try transients.remove(record.transientName)
    }

    /// Does the part of an indexing that waits for the mount, in a task.
    private func startFetching(_ record: ShardRecord, _ job: ShardJob) {
        job.run { [self] in
            do {
                let source = try await reach(record, for: job, isOpening: false)
                job.phase = .waitingForTurn
                indexing.submit { [self] in
                    end(job) { .indexed(try buildIndex(record, source, job)) }
                }
            } catch {
                report(job, error)
            }
        }
    }

    /// Builds the index of a source; the last pieces are left for the publishing transaction.
    func buildIndex(
        _ record: ShardRecord,
        _ source: ShardSource,
        _ job: ShardJob
    ) throws -> IndexedSource {
        merger.waitForRoom(self)
        job.phase = .indexing(nil)
        // Before anybody hears that the job has ended.
        defer { source.pin?.release() }
        let pieces = GenerationWriter(
            catalog: catalog,
            queue: writer,
            temporaryDirectory: directory.appending("tmp"),
            isLoopBusy: { [loop] in loop.isBusy }
        )
        do {
            let car = try CARFile(source.reader, limits: configuration.limits)
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
                )
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
            progress: { [job] in job.tell($0) },
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

    /// Opens an available shard; the loop hears how it ended.
    func startOpening(_ record: ShardRecord, _ job: ShardJob) {
        job.phase = .opening
        openings.submit { [self] in
            end(job) {
                guard let source = try reachAtOnce(record, isOpening: true) else { return nil }
                return try open(record, source)
            } orElse: {
                loop.post(.opensSlowly(job))
                job.run { [self] in
                    do {
                        let source = try await reach(record, for: job, isOpening: true)
                        openings.submit { [self] in end(job) { try open(record, source) } }
                    } catch {
                        report(job, error)
                    }
                }
            }
        }
    }

    /// Opens a shard over a source, which is what was indexed.
    ///
    /// - Throws: `sourceChanged` if it is not; `catalogCorrupt`.
    private func open(_ record: ShardRecord, _ source: ShardSource) throws -> JobOutcome {
        let known = SourceFacts(record)
        let isOther = source.facts.identity != known.identity
        guard isOther || source.facts.agrees(with: known) else {
            let name = source.reader.name
            throw DAGStoreError(.sourceChanged, "\(name) is not what was indexed")
        }
        let core = try ShardCore(
            record,
            source: source,
            catalog: catalog,
            cache: cache,
            pin: catalog.isReadOnly ? nil : pins.pin(record.generation),
            configuration: configuration
        )
        guard isOther else { return .opened(core, facts: nil) }
        // The copy that was indexed is gone, and this is another file: it must have the same sections.
        try core.checkSections(of: source.reader, limits: configuration.limits)
        return .opened(core, facts: source.facts)
    }

    // MARK: Endings

    /// Runs the part of a job that uses the catalogue, and tells the loop how it ended.
    ///
    /// - Parameters:
    ///   - job: The job.
    ///   - body: The work; nil if it goes on elsewhere.
    ///   - next: Goes on then.
    private func end(
        _ job: ShardJob,
        _ body: () throws -> JobOutcome?,
        orElse next: () -> Void = {}
    ) {
        guard beginWork() else { return }
        defer { endCall() }
        do {
            try job.checkCancelled()
            guard let outcome = try body() else { return next() }
            if !loop.post(.ended(job, outcome)) { discard(outcome) }
        } catch {
            report(job, error)
        }
    }

    private func report(_ job: ShardJob, _ error: any Error) {
        let error = DAGStoreError(any: error).about(job.key)
        let isOver = job.isCancelled || error.code == .cancelled
        loop.post(.ended(job, isOver ? .abandoned : .failed(error)))
    }

    /// Lets go of an outcome that nobody takes.
    func discard(_ outcome: JobOutcome) {
        guard case .indexed(let built) = outcome, let generation = built.parts.generation else {
            return
        }
        guard beginWork() else { return }
        // What cannot be deleted now stays on `pending` and is deleted at the next open.
        writer.async { [self] in
            try? catalog.deleteGeneration(generation)
            endCall()
        }
    }
}
