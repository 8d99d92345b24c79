internal import DAGCatalog
internal import ShardLifecycle
internal import SharedReads

/// Runs the lifecycle of every shard in use, on a thread of its own.
///
/// A turn reads all messages, and asks the lifecycles of the shards for the effects. One transaction commits all
/// changes of the turn. After the commit the loop answers callers and starts jobs. Jobs wait for mounts, never the
/// loop; their outcomes come as messages.
///
/// *Concurrency*: one thread, the one that calls `run`.
final class ShardLoop {
    let engine: StoreEngine
    var active: [ShardKey: LoopShard] = [:]
    /// The shards of parked callers, by their tickets.
    var parkedKeys: [UInt64: ShardKey] = [:]
    var deadlines = Deadlines()
    var batch = LoopBatch()
    /// The messages that this turn causes.
    var followers: [LoopMessage] = []
    /// The number of jobs so far.
    var jobNumber: UInt64 = 0
    /// The shards that failed since the opening of the store; an acquire recovers only shards that failed before.
    var failedHere: Set<UInt32> = []
    /// The number of automatic recoveries of each shard.
    var attempts: [UInt32: Int] = [:]
    /// The shards that the loop recovers automatically, and the times.
    var laterRecoveries: [(time: ContinuousClock.Instant, key: ShardKey)] = []
    /// Whether too many shards are open, so that a sweep looks for idle ones.
    var isWaitingForIdle = false
    /// The shards to close once they have no leases, because their policy has changed.
    var toReopen: Set<ShardKey> = []
    /// The registrations whose small CARs are being indexed before their shards have records.
    var preparing = PreparedRequests()
    /// Whether the loop cancels jobs, because the store closes.
    var isAbandoning = false
    /// The callbacks for the end of the last job.
    var drains: [@Sendable () -> Void] = []

    init(_ engine: StoreEngine) { self.engine = engine }

    /// Runs turns until the store is drained.
    func run() {
        var sweep: ContinuousClock.Instant?
        while true {
            engine.loop.adoptThread()
            let recovery = laterRecoveries.map(\.time).min()
            let messages = engine.loop.waitForMessages(
                until: [deadlines.first, sweep, preparing.deadline, recovery].compactMap(\.self)
                    .min()
            )
            runTurn(messages)
            if let time = sweep, time <= .now {
                closeIdleShards()
                sweep = nil
            }
            sweep = sweep ?? nextSweep()
            guard drains.isEmpty || !preparing.isEmpty || active.values.contains(where: \.isPassing)
            else { break }
        }
        stop()
    }

    private func runTurn(_ messages: [LoopMessage]) {
        engine.openShards.recordTime()
        for message in messages { read(message) }
        recoverLater(before: .now)
        while let (request, built) = preparing.next(at: .now) { receive(request, built) }
        finishBatch()
        while !followers.isEmpty || !batch.items.isEmpty {
            let next = followers
            followers = []
            for message in next { read(message) }
            finishBatch()
        }
        let now = ContinuousClock.now
        while let ticket = deadlines.removeFirst(before: now) {
            refuseCaller(ticket, DAGStoreError(.deadlineExceeded, "the deadline passed"))
        }
    }

    /// Ends the loop, and closes all shards; held leases stay valid.
    private func stop() {
        for message in engine.loop.close() {
            switch message {
            case .request(let request), .retry(let request): request.refuse(.storeIsClosed)
            case .drain(_, let reply): drains.append(reply)
            case .closeIdleCopies(let reply): reply([])
            case .listPassing(let reply): reply([])
            case .perform(let body): body()
            case .relocate(let relocation):
                relocation.reply(.failure(.storeIsClosed))
            case .setPolicy(let change): change.reply(.failure(.storeIsClosed))
            case .ended(_, let outcome): engine.worker.discard(outcome)
            // Prepared requests were answered when the jobs were ended.
            case .withdraw, .prepared, .opensSlowly, .lost, .recountLeases, .closeIdleShards,
                .resume:
                break
            }
        }
        let open = active.values.compactMap(\.open)
        for shard in open { _ = shard.leases.close() }
        active = [:]
        engine.openShards.removeAll()
        engine.indexes.removeReaders()
        engine.access.closeAfterUses(outliving: open)
        engine.events.finish()
        for reply in drains { reply() }
    }

    private func read(_ message: LoopMessage) {
        switch message {
        case .request(let request): receive(request)
        case .retry(let request):
            guard let shard = shard(request.key, request) else { return }
            apply(.retry, to: shard, .request(request))
        case .withdraw(let ticket, let error): refuseCaller(ticket, error)
        case .prepared(let request, let built): preparing.end(request.ticket, built)
        case .ended(let job, let outcome): end(job, outcome)
        case .opensSlowly(let job): refuseHasty(job)
        case .lost(let key, let generation, let error): failShard(key, generation, error)
        case .recountLeases(let key): recountLeases(of: key)
        case .closeIdleShards: closeIdleShards()
        case .resume(let number): resume(number)
        case .closeIdleCopies(let reply): reply(closeIdleCopies())
        case .listPassing(let reply): reply(passing)
        case .relocate(let relocation): relocate(relocation)
        case .setPolicy(let change): setPolicy(change)
        case .perform(let body):
            finishBatch()
            body()
        case .drain(let isCancelling, let reply):
            drains.append(reply)
            if isCancelling {
                isAbandoning = true
                abandonAll()
            }
        }
    }

    // MARK: Finding shards

    /// Returns a shard in use, or one made from its record.
    ///
    /// - Returns: The shard; nil if the catalog is unreadable, which the loop has told the caller.
    func shard(_ key: ShardKey, _ request: Request?) -> LoopShard? {
        if batch.contains(key) { finishBatch() }
        if let shard = active[key] { return shard }
        do throws(CatalogError) {
            let standing = try engine.catalog.standing(of: key.text)
            let shard = standing.map { activate(key, $0.record, $0.pending) }
            return shard ?? LoopShard(key, ShardLifecycle(.absent), .none(key))
        } catch {
            request?.refuse(DAGStoreError(error))
            return nil
        }
    }

    private func activate(
        _ key: ShardKey,
        _ record: ShardRecord,
        _ pending: PendingWork?
    ) -> LoopShard {
        let resting: ShardLifecycle.Resting =
            switch record.state {
            case .registered: .registered
            // The index of a migrated shard lacks sizes, so a job must first read the CAR.
            case .available: record.isIncomplete ? .registered : .available
            case .failed: .failed
            }
        let recovers =
            engine.configuration.recovery == .onAcquire && !failedHere.contains(record.number)
        let shard = LoopShard(
            key,
            ShardLifecycle(resting, recoversOnAcquire: recovers),
            record
        )
        shard.pending = pending
        return shard
    }

    private func refuseCaller(_ ticket: UInt64, _ error: DAGStoreError) {
        if let request = preparing.detachCaller(ticket) { return request.refuse(error) }
        // The request may be in the batch, and park after the commit, or be a follower of this turn.
        if parkedKeys[ticket] == nil { finishBatch() }
        if let place = followers.firstIndex(where: { $0.request?.ticket == ticket }) {
            followers.remove(at: place).request?.refuse(error)
            return
        }
        guard let key = parkedKeys.removeValue(forKey: ticket), let shard = active[key],
            let place = shard.parked.firstIndex(where: { $0.ticket == ticket })
        else { return }
        refuse(shard.parked.remove(at: place), of: shard, error)
    }

    /// Cancels all jobs; the next open continues their work.
    private func abandonAll() {
        for request in preparing.removeAll() { request.refuse(.storeIsClosed) }
        for shard in active.values where shard.isPassing {
            guard let job = shard.job else { continue }
            job.cancel()
            apply(.abandoned(job: job.number), to: shard, .outcome(.abandoned))
        }
    }
}
