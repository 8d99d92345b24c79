internal import DAGCatalog
public import DAGMounts

extension DAGStore {
    /// Gives a shard another mount, and keeps its index.
    ///
    /// The new source must have the indexed size. The store compares a sample of at most 98 sections with the index;
    /// for that it copies a sequential source. If the store has never read the CAR, it changes the mount without a
    /// comparison. It recovers a shard that failed after indexing, and keeps the index if the source is the same. The
    /// store no longer reads the user's own copy. Held leases stay on the old source.
    ///
    /// - Parameters:
    ///   - key: The shard's key.
    ///   - url: The URL of the new mount.
    ///   - policy: What stays on this machine of the new source; nil to keep the shard's policy.
    /// - Returns: The shard's status.
    /// - Throws: `shardUnknown`; `shardInUse` if the shard is being fetched and indexed; `unknownScheme`,
    ///   `invalidArgument`; `sourceChanged` if the bytes differ from the indexed ones; `mountGone`,
    ///   `mountUnreachable`, `fetchFailed`, `fetchTimedOut`, `quotaExceeded`. On failure the shard keeps its old
    ///   mount; `catalogFull`, `readOnly`, `closed`; `CancellationError`.
    @discardableResult
    public func relocate(
        _ key: ShardKey,
        to url: MountURL,
        policy: MountPolicy? = nil
    ) async throws -> ShardStatus {
        try engine.access.beginCall()
        defer { engine.access.endUse() }
        do {
            return try await engine.relocate(key, to: url, policy)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw DAGStoreError(any: error).about(key)
        }
    }

    /// Gives a shard another mount, and keeps its index; see `relocate(_:to:)` with a URL.
    @discardableResult
    public func relocate(
        _ key: ShardKey,
        to mount: some Mount,
        policy: MountPolicy? = nil
    ) async throws -> ShardStatus {
        try await relocate(key, to: mount.url, policy: policy)
    }

    /// Changes what stays on this machine of a shard whose CAR is elsewhere.
    ///
    /// Later openings of the shard read under the new policy. An open shard closes when it has no leases; its leases,
    /// and a fetch that is under way, go on under the earlier policy. Under `copy` the next opening copies the CAR.
    /// Under every other policy the transient is no longer read, and garbage collection removes it.
    ///
    /// *Cost*: one commit, or none if the shard has the policy. Does not reach for the source.
    ///
    /// - Parameters:
    ///   - key: The shard's key.
    ///   - policy: The policy.
    /// - Returns: The shard's status.
    /// - Throws: `shardUnknown`; `catalogFull`, `readOnly`, `closed`.
    @discardableResult
    public func setPolicy(of key: ShardKey, to policy: MountPolicy) async throws -> ShardStatus {
        guard !engine.catalog.isReadOnly else { throw DAGStoreError.storeIsReadOnly }
        try engine.access.beginCall()
        defer { engine.access.endUse() }
        let result = await withCheckedContinuation { continuation in
            let change = PolicyChange(key: key, policy: policy) {
                continuation.resume(returning: $0)
            }
            if !engine.loop.post(.setPolicy(change)) {
                continuation.resume(returning: .failure(.storeIsClosed))
            }
        }
        return try result.get()
    }
}

extension StoreEngine {
    fileprivate func relocate(
        _ key: ShardKey,
        to url: MountURL,
        _ policy: MountPolicy?
    ) async throws -> ShardStatus {
        guard !catalog.isReadOnly else { throw DAGStoreError.storeIsReadOnly }
        try sources.checkMount(url)
        guard let standing = try catalog.standing(of: key.text) else {
            throw DAGStoreError(.shardUnknown, "no shard has this key")
        }
        let before = standing.record
        var after = before
        after.mountURL = url.text
        if let policy { after.policy = ShardRecord.Policy(policy) }
        after.transientPath = []
        var reader: ShardReader?
        if before.generation != 0, !before.isIncomplete, standing.pending == nil {
            reader = try await compared(before, &after)
        }
        let (old, new, found) = (before, after, reader)
        while true {
            let result = await withCheckedContinuation { continuation in
                let relocation = Relocation(
                    key: key,
                    before: old,
                    after: new,
                    setsPolicy: policy != nil,
                    reader: found
                ) {
                    continuation.resume(returning: $0)
                }
                if !loop.post(.relocate(relocation)) {
                    continuation.resume(returning: .failure(.storeIsClosed))
                }
            }
            if try result.get() { break }
            // The answer comes after the end of the opening, whether or not it succeeds.
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
    ///   - after: The shard with the new mount; receives the facts about the new source.
    /// - Returns: The reader for later leases.
    /// - Throws: `sourceChanged` if source and index differ; the errors of reaching the source.
    private func compared(
        _ before: ShardRecord,
        _ after: inout ShardRecord
    ) async throws -> ShardReader {
        let job = ShardJob(ShardKey(stored: before.key), number: 0, progress: nil)
        // The source may be another CAR, so its copy gets a name that no shard has: keys have no NUL.
        var stranger = after
        stranger.key += "\0relocated"
        let (record, moved) = (stranger, after)
        do {
            let source = try await sourceInTime(record, job)
            let reader = try await openings.run { [self] in
                try compare(source, with: before)
                return try worker.reader(moved, try adopt(source, of: record, as: moved))
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
    /// - Throws: `sourceChanged` if source and index differ.
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

    /// Returns a source that a shard may read through: a copy made for the comparison becomes the shard's.
    private func adopt(
        _ source: ShardSource,
        of stranger: ShardRecord,
        as record: ShardRecord
    ) throws -> ShardSource {
        guard let pin = source.pin else { return source }
        pin.release()
        try transients.adopt(stranger.transientName, as: record.transientName)
        guard let adopted = try sources.sourceAtOnce(record, isOpening: true) else {
            throw DAGStoreError(.fetchFailed, "the copy of \(record.mountURL) is gone")
        }
        return adopted
    }

    /// Opens a source within `Configuration.fetchTimeout`, unless the caller is cancelled.
    private func sourceInTime(_ record: ShardRecord, _ job: ShardJob) async throws -> ShardSource {
        try await job.fetching(within: configuration.fetchTimeout) { [self] in
            try await sources.source(of: record, for: job, isOpening: false)
        } discard: { [self] source in
            source.pin?.release()
            try await openings.run { [self] in
                _ = try transients.remove(record.transientName)
            }
        }
    }
}
