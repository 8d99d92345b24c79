internal import DAGCatalog
internal import DAGMounts
internal import SharedReads

/// What a collection of garbage did with one of the store's copies.
public struct CollectedTransient: Sendable, Equatable {
    /// What became of it.
    public enum Result: String, Sendable {
        /// It was removed.
        case removed
        /// Somebody reads it.
        case inUse
        /// Its shard is being fetched or indexed, or somebody waits for it.
        case awaited
        /// It fits the quota.
        case kept
        /// It could not be removed.
        case failed
    }

    /// The shard; nil if the shard is gone and the copy was left behind.
    public let key: ShardKey?
    /// What became of it.
    public let result: Result
    /// Its size in bytes.
    public let bytes: UInt64
    /// Why it could not be removed.
    public let error: DAGStoreError?
}

/// What a collection of garbage did.
public struct GarbageReport: Sendable, Equatable {
    /// The copies, the one that was used longest ago first.
    public let transients: [CollectedTransient]

    /// Bytes that are free now.
    public var bytesRemoved: UInt64 {
        transients.reduce(0) { $0 + ($1.result == .removed ? $1.bytes : 0) }
    }
}

extension DAGStore {
    /// Removes the store's own copies of shards that nobody uses; they are fetched again when somebody does.
    ///
    /// A copy goes if its shard is available or has failed, has no lease, and nobody waits for it. A user's
    /// own copy, the `existingTransient` of a registration, never goes.
    ///
    /// *Cost*: a system call for each copy.
    ///
    /// - Parameter quota: How many bytes may stay; those that were used longest ago go first. Nil removes all
    ///   that may go.
    /// - Returns: What became of each copy.
    /// - Throws: `closed`, `readOnly`.
    public func collectGarbage(downTo quota: UInt64? = nil) async throws -> GarbageReport {
        try await engine.collectGarbage(downTo: quota)
    }
}

extension StoreEngine {
    fileprivate func collectGarbage(downTo quota: UInt64?) async throws -> GarbageReport {
        guard !catalog.isReadOnly else { throw DAGStoreError.storeIsReadOnly }
        try access.beginCall()
        defer { access.endUse() }
        let awaited = await sources.closeIdleCopies()
        return try await openings.run { [self] in
            let collected = transients.collect(downTo: quota) { awaited.contains($0.number) }
            return GarbageReport(transients: collected.map(report))
        }
    }

    private func report(_ collected: TransientStore.Collected) -> CollectedTransient {
        let record = try? catalog.record(collected.name.number)
        var error: DAGStoreError?
        let result: CollectedTransient.Result =
            switch collected.outcome {
            case .removed: .removed
            case .inUse: .inUse
            case .protected: .awaited
            case .kept: .kept
            case .failed: .failed
            }
        if case .failed(let cause) = collected.outcome { error = DAGStoreError(cause) }
        return CollectedTransient(
            key: record.map { ShardKey(stored: $0.key) },
            result: result,
            bytes: collected.bytes,
            error: error
        )
    }
}
