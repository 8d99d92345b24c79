internal import DAGCatalog
internal import DAGMounts

/// The effect of garbage collection on one transient.
public struct CollectedTransient: Sendable, Equatable {
    /// The outcome for a transient.
    public enum Result: String, Sendable {
        /// The transient was removed.
        case removed
        /// A reader holds the transient.
        case inUse
        /// A job fetches or indexes the shard, or callers wait for it.
        case awaited
        /// The transient fits the quota.
        case kept
        /// The removal failed.
        case failed
    }

    /// The shard; nil if the shard was destroyed.
    public let key: ShardKey?
    /// The outcome.
    public let result: Result
    /// The size of the transient in bytes.
    public let bytes: UInt64
    /// The error of a failed removal; nil otherwise.
    public let error: DAGStoreError?
}

/// The effect of garbage collection.
public struct GarbageReport: Sendable, Equatable {
    /// The transients, the least recently used first.
    public let transients: [CollectedTransient]

    /// The size of the removed transients in bytes.
    public var bytesRemoved: UInt64 {
        transients.reduce(0) { $0 + ($1.result == .removed ? $1.bytes : 0) }
    }
}

extension DAGStore {
    /// Removes transients without users; the next use fetches them again.
    ///
    /// The call removes a transient if its shard is available or failed, and has neither leases nor waiters. It never
    /// removes a user's own copy, the `existingTransient` of a registration.
    ///
    /// *Cost*: a system call for each transient.
    ///
    /// - Parameter quota: The number of bytes that may stay; the call removes the least recently used transients
    ///   first. Nil removes all that it may remove.
    /// - Returns: The outcome for each transient.
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
