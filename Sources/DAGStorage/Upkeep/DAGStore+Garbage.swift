internal import DAGCatalog
internal import DAGMounts

/// The effect of garbage collection on one of the store's copies.
public struct CollectedTransient: Sendable, Equatable {
    /// The outcome for the copy.
    public enum Result: String, Sendable {
        /// It was removed.
        case removed
        /// A reader holds it.
        case inUse
        /// Its shard is being fetched or indexed, or has waiters.
        case awaited
        /// It fits the quota.
        case kept
        /// It could not be removed.
        case failed
    }

    /// The shard; nil if the shard is gone and the copy was left behind.
    public let key: ShardKey?
    /// The outcome for the copy.
    public let result: Result
    /// Its size in bytes.
    public let bytes: UInt64
    /// Why it could not be removed.
    public let error: DAGStoreError?
}

/// The effect of garbage collection.
public struct GarbageReport: Sendable, Equatable {
    /// The copies, the one that was used longest ago first.
    public let transients: [CollectedTransient]

    /// Bytes that are free now.
    public var bytesRemoved: UInt64 {
        transients.reduce(0) { $0 + ($1.result == .removed ? $1.bytes : 0) }
    }
}

extension DAGStore {
    /// Removes the store's own copies of shards without users; the next use fetches them again.
    ///
    /// A copy goes if its shard is available or has failed, and has neither leases nor waiters. A user's
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
