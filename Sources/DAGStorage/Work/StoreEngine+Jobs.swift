internal import DAGCAR
internal import DAGCARFiles
internal import DAGCatalog
internal import DAGFailpoints
internal import DAGMounts
internal import Dispatch
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
    /// What the CAR was read with.
    let limits: CARLimits

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
        record.note(limits)
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

    /// Whether a failed shard's source is what was indexed, so that the index it has will do.
    ///
    /// *Cost*: nothing if the file was away and is the very same; else a walk over the headers of all sections, because
    /// what was found to differ may be a section that no sample meets.
    ///
    /// - Returns: What the source is told by now; nil if it has to be indexed.
    private func unchanged(
        _ record: ShardRecord,
        _ source: ShardSource,
        _ job: ShardJob
    ) -> SourceFacts? {
        let code = DAGStoreError.Code(rawValue: record.errorCode)
        // Other failures are of the index or of the blocks.
        guard record.generation != 0, !record.isIncomplete, configuration.indexer == nil,
            let code, code.isAway || code == .sourceChanged
        else { return nil }
        // The pin is for who indexes it, if this comes to nothing.
        var unpinned = source
        unpinned.pin = nil
        guard let core = try? core(record, unpinned) else { return nil }
        let isSame = source.facts.agrees(with: SourceFacts(record))
        let isTold = isSame && code.isAway && source.facts.identity != .content
        do {
            if !isTold {
                try core.checkSections(of: source.reader, checkCancelled: job.checkCancelled)
            }
            try source.reader.checkUnchanged()
            return source.facts
        } catch {
            return nil
        }
    }

    /// What leases of a shard read through.
    func core(_ record: ShardRecord, _ source: ShardSource) throws -> ShardCore {
        try ShardCore(
            record,
            source: source,
            catalog: catalog,
            cache: cache,
            pin: catalog.isReadOnly ? nil : pins.pin(record.generation),
            configuration: configuration,
            limits: limits(of: record)
        )
    }

    /// What a shard's CAR is read with: the limits of the store, or those it was registered with if these are larger.
    func limits(of record: ShardRecord) -> CARLimits {
        var limits = configuration.limits
        limits.sectionSizeMax = max(limits.sectionSizeMax, record.sectionSizeMax)
        limits.headerSizeMax = max(limits.headerSizeMax, record.headerSizeMax)
        return limits
    }

    /// What becomes of a shard whose source was reached: it is indexed, or its index will do.
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

    /// Removes the copy that a recovery does not trust.
    private func prepare(_ record: ShardRecord, isRecovery: Bool) throws {
        guard isRecovery else { return }
        _ = try transients.remove(record.transientName)
    }

    /// Does the part of an indexing that waits for the mount, in a task.
    private func startFetching(_ record: ShardRecord, _ job: ShardJob, isRecovery: Bool) {
        endFetchInTime(job)
        job.run { [self] in
            do {
                let source = try await reach(record, for: job, isOpening: false)
                job.phase = .waitingForTurn
                indexing.submit { [self] in
                    end(job) { try index(record, source, job, isRecovery: isRecovery) }
                }
            } catch {
                report(job, error)
            }
        }
    }

    /// Fails a job whose bytes are not there when `Configuration.fetchTimeout` has passed.
    private func endFetchInTime(_ job: ShardJob) {
        guard let time = configuration.fetchTimeout else { return }
        let end = DispatchTime.now() + .nanoseconds(Int(clamping: time.nanoseconds))
        DispatchQueue.global().asyncAfter(deadline: end) { [weak self, weak job] in
            guard let self else { return }
            guard let job, !job.isCancelled else { return }
            guard job.isFetching else {
                if !job.isIndexing { endFetchInTime(job) }
                return
            }
            let error = DAGStoreError(.fetchTimedOut, "not fetched within \(time)", shard: job.key)
            loop.post(.ended(job, .failed(error)))
            job.cancel()
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
            progress: { [job, indexing] in job.tell($0, on: indexing) },
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
                endFetchInTime(job)
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
    /// *Cost*: a file that has another inode or time than the record says is compared by a sample.
    ///
    /// - Throws: `sourceChanged` if it is not; `catalogCorrupt`.
    private func open(_ record: ShardRecord, _ source: ShardSource) throws -> JobOutcome {
        let known = SourceFacts(record)
        let isOther = source.facts.identity != known.identity
        let isSame = source.facts.agrees(with: known)
        guard isOther || isSame || source.facts.resembles(known) else {
            let name = source.reader.name
            throw DAGStoreError(.sourceChanged, "\(name) is not what was indexed")
        }
        let core = try core(record, source)
        if isSame { return .opened(core, facts: nil) }
        if isOther {
            // The copy that was indexed is gone, and this is another file: it must have the same sections.
            try core.checkSections(of: source.reader)
        } else {
            // The file was touched or copied, or its disk mounted anew.
            try core.checkSample(of: source.reader)
        }
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
        guard !job.isCancelled else {
            loop.post(.ended(job, .abandoned))
            return
        }
        var error = DAGStoreError(any: error)
        // Nobody asked it to stop.
        if error.code == .cancelled || error.code == .closed {
            error = DAGStoreError(.fetchFailed, "the mount gave up by itself: \(error.message)")
        }
        loop.post(.ended(job, .failed(error.about(job.key))))
    }

    /// Lets go of an outcome that nobody takes.
    func discard(_ outcome: JobOutcome) {
        guard case .indexed(let built) = outcome, let generation = built.parts.generation else {
            return
        }
        // What cannot be deleted now stays on `pending` and is deleted at the next open.
        deleteLater(generation)
    }
}
