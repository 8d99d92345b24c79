internal import DAGCatalog
public import DAGMounts
internal import Dispatch
internal import ShardLifecycle
internal import SharedReads
internal import SystemPackage

extension DAGStore {
    /// Gives a shard another mount, in place: nothing is indexed again.
    ///
    /// The new source must have the size that was indexed, and is compared with the index by a sample of at most 98
    /// sections. A stream is copied for that. A shard whose CAR was never read gets its mount unseen. One that has
    /// failed after it was indexed is recovered, with the index that it has if the source is the same. A copy of the
    /// user's own that the shard was registered with is not read any more. Leases that are held go on with the old
    /// source.
    ///
    /// - Parameters:
    ///   - key: The shard's key.
    ///   - url: Where the CAR is now.
    /// - Returns: The shard's status.
    /// - Throws: `shardUnknown`; `shardInUse` if the shard is being fetched and indexed; `unknownScheme`,
    ///   `invalidArgument`; `sourceChanged` if the bytes are not what was indexed, and `mountGone`,
    ///   `mountUnreachable`, `fetchFailed`, `fetchTimedOut`, `quotaExceeded`: the shard has its old mount then;
    ///   `catalogFull`, `readOnly`, `closed`; `CancellationError`.
    @discardableResult
    public func relocate(_ key: ShardKey, to url: MountURL) async throws -> ShardStatus {
        try engine.access.beginCall()
        defer { engine.access.endUse() }
        do {
            return try await engine.relocate(key, to: url)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw DAGStoreError(any: error).about(key)
        }
    }

    /// The same, of a mount.
    @discardableResult
    public func relocate(_ key: ShardKey, to mount: some Mount) async throws -> ShardStatus {
        try await relocate(key, to: mount.url)
    }
}

/// A shard's new mount, on its way to the loop.
struct Relocation: Sendable {
    let key: ShardKey
    /// The record that the new source was compared with.
    let before: ShardRecord
    /// The record with the new mount.
    let after: ShardRecord
    /// The reader for leases from now on; nil if the shard is not indexed.
    let reader: ShardReader?
    /// Answers whether it is done; false if the shard is being opened, and the caller asks again after that.
    ///
    /// Called once, on the loop's thread or one of the store.
    let reply: @Sendable (Result<Bool, DAGStoreError>) -> Void
}

extension StoreEngine {
    fileprivate func relocate(_ key: ShardKey, to url: MountURL) async throws -> ShardStatus {
        guard !catalog.isReadOnly else { throw DAGStoreError.storeIsReadOnly }
        try sources.checkMount(url)
        guard let standing = try catalog.standing(of: key.text) else {
            throw DAGStoreError(.shardUnknown, "there is no such shard")
        }
        let before = standing.record
        var after = before
        after.mountURL = url.text
        after.transientPath = []
        var reader: ShardReader?
        if before.generation != 0, !before.isIncomplete, standing.pending == nil {
            reader = try await compared(before, &after)
        }
        let (old, new, found) = (before, after, reader)
        while true {
            let result = await withCheckedContinuation { continuation in
                let relocation = Relocation(key: key, before: old, after: new, reader: found) {
                    continuation.resume(returning: $0)
                }
                if !loop.post(.relocate(relocation)) {
                    continuation.resume(returning: .failure(.storeIsClosed))
                }
            }
            if try result.get() { break }
            // Whatever comes of the opening, it has ended then.
            if case .lease(let shard)? = try? await requests.ask(.acquire(waits: true), key) {
                shard.release()
            }
            try Task.checkCancellation()
        }
        away.remove(before.number)
        if before.state == .failed, before.generation != 0 {
            _ = try await requests.ask(.recover, key)
        }
        guard let status = try status(of: key) else {
            throw DAGStoreError(.shardUnknown, "destroyed meanwhile")
        }
        return status
    }

    /// Compares the source at a new mount with the index of a shard.
    ///
    /// - Parameters:
    ///   - before: The shard.
    ///   - after: The shard with the new mount; receives what the source is told by.
    /// - Returns: What leases read through.
    /// - Throws: `sourceChanged` if they differ; what reaching the source throws.
    private func compared(
        _ before: ShardRecord,
        _ after: inout ShardRecord
    ) async throws -> ShardReader {
        let job = ShardJob(ShardKey(stored: before.key), number: 0, progress: nil)
        // A copy of what may be another CAR gets a name that no shard has: a key has no NUL.
        var stranger = after
        stranger.key += "\0relocated"
        let (record, moved) = (stranger, after)
        do {
            let source = try await sourceInTime(record, job)
            let reader = try await openings.run { [self] in
                try compare(source, with: before)
                return try worker.reader(moved, try own(source, of: record, as: moved))
            }
            source.facts.apply(to: &after)
            return reader
        } catch {
            try? await openings.run { [self] in _ = try transients.remove(record.transientName) }
            throw error
        }
    }

    /// Compares a source with the index of a shard.
    ///
    /// - Throws: `sourceChanged` if they differ.
    private func compare(_ source: ShardSource, with record: ShardRecord) throws {
        guard source.facts.size == record.fileSize else {
            throw DAGStoreError(
                .sourceChanged,
                "\(source.reader.name) has \(source.facts.size) bytes, and \(record.fileSize) were indexed"
            )
        }
        // The pin is for the later reader.
        var unpinned = source
        unpinned.pin = nil
        try worker.reader(record, unpinned).checkSample(of: source.reader)
        try source.reader.checkUnchanged()
    }

    /// A source that a shard may read through: a copy that was made for the comparison becomes its own.
    private func own(
        _ source: ShardSource,
        of stranger: ShardRecord,
        as record: ShardRecord
    ) throws -> ShardSource {
        guard let pin = source.pin else { return source }
        pin.release()
        try transients.adopt(stranger.transientName, as: record.transientName)
        guard let own = try sources.sourceAtOnce(record, isOpening: true) else {
            throw DAGStoreError(.fetchFailed, "the copy of \(record.mountURL) is gone")
        }
        return own
    }

    /// Reaches for a source, for as long as `Configuration.fetchTimeout` and the caller's patience last.
    ///
    /// A mount that does not heed its cancellation is not waited for.
    private func sourceInTime(_ record: ShardRecord, _ job: ShardJob) async throws -> ShardSource {
        let answer = OneAnswer<ShardSource>()
        if let time = configuration.fetchTimeout {
            let end = DispatchTime.now() + .nanoseconds(Int(clamping: time.nanoseconds))
            DispatchQueue.global().asyncAfter(deadline: end) { [weak job] in
                let error = DAGStoreError(.fetchTimedOut, "not fetched within \(time)")
                if answer.give(.failure(error)) { job?.cancel() }
            }
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                answer.wait(continuation)
                job.run { [self] in
                    do {
                        let source = try await sources.source(
                            of: record,
                            for: job,
                            isOpening: false
                        )
                        guard !answer.give(.success(source)) else { return }
                        // No caller waits for it any more.
                        source.pin?.release()
                        try await openings.run { [self] in
                            _ = try transients.remove(record.transientName)
                        }
                    } catch {
                        _ = answer.give(.failure(error))
                    }
                }
            }
        } onCancel: {
            if answer.give(.failure(CancellationError())) { job.cancel() }
        }
    }
}

/// A value that a task waits for: the first answer counts.
private final class OneAnswer<Success: Sendable>: Sendable {
    private enum State {
        case nothing
        case waiting(CheckedContinuation<Success, any Error>)
        case given(Result<Success, any Error>)
        case taken
    }

    private let state = Lock(State.nothing)

    /// Gives an answer.
    ///
    /// - Returns: Whether it is the first.
    func give(_ answer: Result<Success, any Error>) -> Bool {
        let (isFirst, waiting) = state.withLock { state in
            switch state {
            case .nothing:
                state = .given(answer)
                return (true, nil as CheckedContinuation<Success, any Error>?)
            case .waiting(let continuation):
                state = .taken
                return (true, continuation)
            case .given, .taken: return (false, nil)
            }
        }
        waiting?.resume(with: answer)
        return isFirst
    }

    /// Resumes `continuation` with the answer, at once if there is one.
    func wait(_ continuation: CheckedContinuation<Success, any Error>) {
        let given = state.withLock { state in
            guard case .given(let answer) = state else {
                state = .waiting(continuation)
                return nil as Result<Success, any Error>?
            }
            state = .taken
            return answer
        }
        if let given { continuation.resume(with: given) }
    }
}

extension ShardLoop {
    /// Writes a shard's new mount, and lets leases read through it from now on.
    func relocate(_ relocation: Relocation) {
        let key = relocation.key
        finishBatch()
        guard let shard = shard(key, nil), shard.record.number == relocation.before.number else {
            return relocation.refuse(.shardUnknown, "there is no such shard")
        }
        if case .opening = shard.lifecycle.state { return relocation.reply(.success(false)) }
        guard !shard.isPassing, shard.pending == nil || shard.record.generation == 0 else {
            return relocation.refuse(.shardInUse, "it is being fetched and indexed")
        }
        guard shard.record.generation == relocation.before.generation else {
            return relocation.refuse(.shardInUse, "it was indexed anew meanwhile")
        }
        var record = shard.record
        record.mountURL = relocation.after.mountURL
        record.transientPath = relocation.after.transientPath
        if relocation.reader != nil { SourceFacts(relocation.after).apply(to: &record) }
        do {
            let change = CatalogChange.update(record, pending: shard.pending)
            let written = try engine.writer.sync { try engine.catalog.commit([change]) }
            shard.record = written[0]
        } catch {
            return relocation.reply(.failure(DAGStoreError(any: error).about(key)))
        }
        engine.indexes.removeReader(of: shard.record.number)
        if shard.lifecycle.state == .open, let reader = relocation.reader {
            // No lease may be taken on the old source any more: the new entry counts those that there are.
            if let old = shard.open { _ = old.leases.close() }
            install(reader, in: shard)
        }
        putAway(shard)
        relocation.reply(.success(true))
    }
}

extension Relocation {
    fileprivate func refuse(_ code: DAGStoreError.Code, _ message: String) {
        reply(.failure(DAGStoreError(code, message, shard: key)))
    }
}
