internal import Catalog
internal import Dispatch
internal import Mounts
internal import Synchronization

extension DAGStore {
    /// A lease on an available shard.
    ///
    /// *Cost*: a warm shard takes a lock and a look at the file's state; a cold one is opened first: its root
    /// page is read and its file mapped. Neither depends on the number of shards.
    ///
    /// - Throws: `shardUnknown`; the stored error's code, or `shardFailed`, if the shard has failed;
    ///   `mountGone`, `mountUnreachable`, `sourceChanged` if its file is not there or not what was
    ///   indexed; `catalogCorrupt`, `closed`.
    public func acquire(_ key: ShardKey) async throws -> Shard {
        if let shard = try warmShard(key) { return shard }
        return try await openings.run { [self] in try using { try openShard(key) } }
    }

    /// A lease on a shard that is open already, or that can be opened here and now.
    ///
    /// Unlike `acquire` it works on the calling thread, also while every thread of the store is busy.
    ///
    /// - Throws: As `acquire`.
    public func acquireIfAvailable(_ key: ShardKey) throws -> Shard {
        if let shard = try warmShard(key) { return shard }
        return try using { try openShard(key) }
    }

    /// A lease on a shard in memory, if it is there.
    private func warmShard(_ key: ShardKey) throws -> Shard? {
        let (core, isFirst) = try state.withLock { state -> (ShardCore?, Bool) in
            guard !state.isClosed else { throw DAGStoreError(.closed, "the store is closed") }
            guard let open = state.open[key], !state.destroying.contains(key) else {
                return (nil, false)
            }
            Self.addLease(key, &state)
            return (open.core, open.references == 0)
        }
        guard let core else { return nil }
        // Only the first lease looks at the file; the others are as good as the first.
        guard isFirst else { return Shard(core, of: self) }
        let shard = Shard(core, of: self)
        do {
            try translatingFor(key) { try core.checkSource() }
        } catch {
            shard.release()
            forgetIdle(key)
            throw error
        }
        return shard
    }

    private static func addLease(_ key: ShardKey, _ state: inout State) {
        if state.open[key]?.references == 0 { state.idle.removeAll { $0 == key } }
        state.open[key]?.references += 1
        state.leases += 1
    }

    /// Opens a shard that is not in memory.
    private func openShard(_ key: ShardKey) throws -> Shard {
        try state.withLock { state in
            guard !state.destroying.contains(key) else {
                throw DAGStoreError(.shardUnknown, "the shard is not there", shard: key)
            }
            state.opening[key, default: 0] += 1
        }
        defer {
            state.withLock { state in
                state.opening[key, default: 1] -= 1
                if state.opening[key] == 0 { state.opening[key] = nil }
            }
        }
        let core = try translatingFor(key) { () throws -> ShardCore in
            guard let record = try catalog.record(of: key.text) else {
                throw DAGStoreError(.shardUnknown, "there is no such shard")
            }
            try Self.checkAvailable(record)
            return try ShardCore(
                record,
                catalog: catalog,
                cache: cache,
                configuration: configuration
            )
        }
        let chosen = state.withLock { state -> ShardCore in
            if state.open[key] == nil {
                state.open[key] = OpenShard(core: core, references: 0)
            }
            Self.addLease(key, &state)
            return state.open[key]?.core ?? core
        }
        return Shard(chosen, of: self)
    }

    static func checkAvailable(_ record: ShardRecord) throws {
        guard record.state != .available else { return }
        let code = DAGStoreError.Code(rawValue: record.errorCode) ?? .shardFailed
        throw DAGStoreError(code, "the shard has failed: \(record.errorText)")
    }

    func translatingFor<R>(_ key: ShardKey, _ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch {
            throw DAGStoreError(any: error).about(key)
        }
    }

    /// Ends a lease; called by `Shard`.
    func endLease(_ core: ShardCore) {
        let isLast = state.withLock { state in
            state.leases -= 1
            guard var open = state.open[core.key] else {
                preconditionFailure("a lease was released twice")
            }
            open.references -= 1
            state.open[core.key] = open
            if open.references == 0 { Self.retire(core.key, &state, configuration.idleShardsMax) }
            return state.isUnused
        }
        if isLast { catalog.close() }
    }

    /// Keeps a shard that lost its last lease for a while, and lets the oldest such shards go.
    private static func retire(_ key: ShardKey, _ state: inout State, _ idleMax: Int) {
        state.idle.append(key)
        let limit = state.isClosed ? 0 : idleMax
        while state.idle.count > limit {
            state.open[state.idle.removeFirst()] = nil
        }
    }

    /// Lets go of a shard without leases.
    func forgetIdle(_ key: ShardKey) {
        state.withLock { state in
            guard state.open[key]?.references == 0 else { return }
            state.open[key] = nil
            state.idle.removeAll { $0 == key }
        }
    }

    /// Removes a shard: its record, its index, and the room they took.
    ///
    /// The CAR is not touched.
    ///
    /// - Throws: `shardUnknown`; `shardInUse` if it has leases, or is being registered or destroyed;
    ///   `catalogFull`, `readOnly`, `closed`.
    public func destroy(_ key: ShardKey) async throws {
        // From here on nobody gets a lease, so that this decides.
        try beginWork(on: key) { state in
            let isInUse =
                state.opening[key] != nil || (state.open[key]?.references ?? 0) > 0
                || state.busy.contains(key)
            guard !isInUse else {
                return DAGStoreError(.shardInUse, "the shard is in use", shard: key)
            }
            state.destroying.insert(key)
            return nil
        }
        defer { endWork(on: key) }
        forgetIdle(key)
        try await openings.run { [self] in
            try translatingFor(key) {
                guard let record = try catalog.record(of: key.text) else {
                    throw DAGStoreError(.shardUnknown, "there is no such shard")
                }
                try writer.sync { try catalog.remove(record) }
                cache.remove(generation: record.generation)
                guard record.generation != 0 else { return }
                // Removed is removed: what is left on `pending` goes at the next open at the latest.
                try? writer.sync { try catalog.deleteGeneration(record.generation) }
            }
        }
    }
}
