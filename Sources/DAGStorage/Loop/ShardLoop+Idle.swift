internal import DAGCatalog
internal import Dispatch
internal import ShardLifecycle
internal import SharedReads
internal import Synchronization

/// Closes idle shards, and forgets those at rest.
extension ShardLoop {
    /// Forgets a shard whose last lease has ended.
    func recountLeases(of key: ShardKey) {
        // The outcome of the shard's change is known only after the commit.
        if batch.contains(key) { finishBatch() }
        guard let shard = active[key] else { return }
        shard.open?.dropPrevious(engine.access.mark)
        forgetIfAtRest(shard)
        if toReopen.contains(key) { closeToReopen() }
    }

    /// Forgets a shard that is at rest.
    func forgetIfAtRest(_ shard: LoopShard) {
        // Close first, so that no thread takes a lease while the loop counts leases.
        if shard.lifecycle.state != .open, let open = shard.open { _ = open.leases.close() }
        guard shard.isAtRest else {
            active[shard.key] = shard
            return
        }
        active[shard.key] = nil
        guard let open = shard.open else { return }
        shard.open = nil
        drop(open)
    }

    /// Takes an opening out of the tables; without leases, its transient may be removed.
    func drop(_ open: OpenShard) {
        engine.openShards.remove(open)
        guard open.reader.readsTransient, open.leaseCount == 0 else { return }
        // The thread of the job that opened the shard may hold the reader a moment longer.
        Reclaimer.after(readersOf: engine.access.mark) { open.reader.releaseTransient() }
    }

    /// Closes the shards that were used longest ago, until the others are below the limits.
    func closeIdleShards() {
        engine.openShards.beginTrim()
        let configuration = engine.configuration
        let idle = active.values
            .filter { $0.lifecycle.state == .open && $0.leaseCount == 0 }
            .map { (use: $0.open?.lastUse.load(ordering: .relaxed) ?? 0, shard: $0) }
            .sorted { $0.use < $1.use }
        let limit = configuration.idleShardsMax
        // The loop closes some more shards, so that the next idle shard causes no further trim.
        let surplus = idle.count > limit ? idle.count - (limit - limit / 8) : 0
        var bytes = idle.reduce(0) { $0 + $1.shard.record.payloadSize }
        let bytesMax = configuration.idleBytesMax ?? .max
        let oldest = configuration.idleTimeLimit.map { time in
            // The stored time of a use may be that of the sweep before the use.
            let age = time.nanoseconds + Self.sweepInterval(time).nanoseconds
            let now = DispatchTime.now().uptimeNanoseconds
            return now - min(now, age)
        }
        var closedCount = 0
        for (place, (use, shard)) in idle.enumerated() {
            guard place < surplus || bytes > bytesMax || use < oldest ?? 0 else { break }
            bytes -= shard.record.payloadSize
            closedCount += 1
            apply(.evict, to: shard, .none)
        }
        isWaitingForIdle = engine.openShards.endTrim(closedCount: closedCount)
        closeToReopen()
    }

    /// Closes the shards whose policy has changed and that have no leases.
    func closeToReopen() {
        for key in toReopen {
            guard let shard = active[key] else {
                toReopen.remove(key)
                continue
            }
            // The opening that is under way reads under the earlier policy.
            if case .opening = shard.lifecycle.state { continue }
            // Count afterwards: the thread that ends the last lease sees the mark, or the count is zero.
            shard.open?.informsOfLastLease.store(true, ordering: .sequentiallyConsistent)
            if shard.lifecycle.state == .open, shard.leaseCount > 0 { continue }
            if shard.lifecycle.state == .open { apply(.evict, to: shard, .none) }
            if shard.lifecycle.state != .open { toReopen.remove(key) }
        }
    }

    /// Whether a shard of `toReopen` has no leases, so that no thread informs the loop of the last one.
    private var hasUnleasedToReopen: Bool {
        toReopen.contains { (active[$0]?.leaseCount ?? 0) == 0 }
    }

    /// Returns the time between two sweeps for shards that were idle for `time`.
    private static func sweepInterval(_ time: Duration) -> Duration {
        max(time / 4, .milliseconds(5))
    }

    /// Returns the time of the next sweep for idle shards; nil if none is needed.
    func nextSweep() -> ContinuousClock.Instant? {
        if isWaitingForIdle || hasUnleasedToReopen { return .now + .milliseconds(100) }
        guard let time = engine.configuration.idleTimeLimit,
            active.values.contains(where: { $0.lifecycle.state == .open })
        else { return nil }
        return .now + Self.sweepInterval(time)
    }

    /// Closes idle shards that read transients.
    ///
    /// - Returns: The numbers of the shards whose transients must stay.
    func closeIdleCopies() -> Set<UInt32> {
        for shard in active.values
        where shard.lifecycle.state == .open && shard.leaseCount == 0
            && shard.open?.reader.readsTransient == true
        {
            apply(.evict, to: shard, .none)
        }
        return Set(active.values.filter { $0.isPassing || !$0.parked.isEmpty }.map(\.record.number))
    }
}
