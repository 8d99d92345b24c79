internal import DAGCatalog
internal import DAGMounts
internal import Dispatch
internal import ShardLifecycle
internal import SharedReads
internal import Synchronization
internal import SystemPackage

/// Runs the lifecycle of every shard in use, on a thread of its own.
///
/// A turn takes everything that waits, and asks the lifecycle of each shard what follows. What must last goes
/// into one transaction, which is committed once; callers are answered, and jobs started, after it. What
/// need not last happens at once. Nothing here waits for a mount: that is for jobs, which come back as
/// letters.
///
/// *Concurrency*: one thread, the one that calls `run`.
final class ShardLoop {
    let engine: StoreEngine
    var active: [ShardKey: ActiveShard] = [:]
    /// Where parked callers are.
    var parkedKeys: [UInt64: ShardKey] = [:]
    var deadlines = Deadlines()
    var batch = LoopBatch()
    /// Letters that follow from this turn.
    var followers: [Letter] = []
    /// The jobs started so far.
    var jobNumber: UInt64 = 0
    /// Shards that failed since the store was opened: an acquire recovers only those that failed before.
    var failedHere: Set<UInt32> = []
    /// How often shards were recovered by themselves.
    var attempts: [UInt32: Int] = [:]
    /// Shards that are recovered by themselves once more, and when.
    var laterRecoveries: [(time: ContinuousClock.Instant, key: ShardKey)] = []
    /// Whether too many shards are open, so that a sweep looks for idle ones.
    var isWaitingForIdle = false
    /// Registrations whose CARs are being indexed before their shards are known; see `ShardLoop+Small`.
    var preparing = PreparedAsks()
    /// Whether jobs are ended instead of waited for, because the store closes.
    var isAbandoning = false
    /// Those who wait for the last job to end.
    var drains: [@Sendable () -> Void] = []

    init(_ engine: StoreEngine) { self.engine = engine }

    /// Works until the store is drained.
    func run() {
        var sweep: ContinuousClock.Instant?
        while true {
            engine.loop.noteOwnThread()
            let recovery = laterRecoveries.map(\.time).min()
            let letters = engine.loop.take(
                until: [deadlines.first, sweep, preparing.deadline, recovery].compactMap(\.self)
                    .min()
            )
            turn(letters)
            if let time = sweep, time <= .now {
                trim()
                sweep = nil
            }
            sweep = sweep ?? nextSweep()
            guard drains.isEmpty || !preparing.isEmpty || active.values.contains(where: \.isPassing)
            else { break }
        }
        stop()
    }

    private func turn(_ letters: [Letter]) {
        noteTime()
        for letter in letters { read(letter) }
        recoverLaterOnes(before: .now)
        while let (ask, built) = preparing.next(at: .now) { receive(ask, built) }
        finishBatch()
        while !followers.isEmpty || !batch.items.isEmpty {
            let next = followers
            followers = []
            for letter in next { read(letter) }
            finishBatch()
        }
        let now = ContinuousClock.now
        while let ticket = deadlines.removeFirst(before: now) {
            giveUp(ticket, DAGStoreError(.deadlineExceeded, "the deadline passed"))
        }
    }

    /// Stores the time for threads that end leases, at most once a millisecond: each store costs all of them a cache miss.
    private func noteTime() {
        let now = DispatchTime.now().uptimeNanoseconds
        guard now > engine.clock.load(ordering: .relaxed) + 1_000_000 else { return }
        engine.clock.store(now, ordering: .relaxed)
    }

    /// Ends: no shard is opened any more, and leases that are left keep what they need.
    private func stop() {
        for letter in engine.loop.close() {
            switch letter {
            case .ask(let ask), .retry(let ask): ask.refuse(.storeIsClosed)
            case .drain(_, let reply): drains.append(reply)
            case .protect(let reply): reply([])
            case .perform(let body): body()
            case .relocate(let relocation):
                relocation.reply(.failure(.storeIsClosed))
            case .look(_, let reply): reply(nil)
            case .ended(_, let outcome): engine.discard(outcome)
            // Asks that are prepared were answered when the jobs were ended.
            case .giveUp, .prepared, .opensSlowly, .lost, .settle, .trim, .resume: break
            }
        }
        let entries = active.values.compactMap(\.entry)
        for entry in entries { _ = entry.leases.close() }
        active = [:]
        engine.entries.removeAll()
        engine.openShards.removeAll()
        engine.readers.removeAll()
        engine.noteStopped(entries)
        engine.events.finish()
        for reply in drains { reply() }
    }

    private func read(_ letter: Letter) {
        switch letter {
        case .ask(let ask): receive(ask)
        case .retry(let ask):
            guard let shard = shard(ask.key, ask) else { return }
            apply(.retry, to: shard, .ask(ask))
        case .giveUp(let ticket, let error): giveUp(ticket, error)
        case .prepared(let ask, let built): preparing.end(ask.ticket, built)
        case .ended(let job, let outcome): end(job, outcome)
        case .opensSlowly(let job): refuseHasty(job)
        case .lost(let key, let generation, let error): lose(key, generation, error)
        case .settle(let key): settle(key)
        case .trim: trim()
        case .resume(let number): resume(number)
        case .protect(let reply): reply(protectedNumbers())
        case .relocate(let relocation): relocate(relocation)
        case .perform(let body):
            finishBatch()
            body()
        case .drain(let isCancelling, let reply):
            drains.append(reply)
            if isCancelling {
                isAbandoning = true
                abandonAll()
            }
        case .look(let key, let reply):
            let shard = active[key]
            reply(shard.map { ShardPassing(waiting: $0.parked.count, phase: $0.job?.phase) })
        }
    }

    // MARK: Finding shards

    /// A shard in use, or one that is taken from its record.
    ///
    /// - Returns: nil if the catalogue could not be read; the caller was told.
    func shard(_ key: ShardKey, _ ask: Ask?) -> ActiveShard? {
        if batch.contains(key) { finishBatch() }
        if let shard = active[key] { return shard }
        do throws(CatalogError) {
            let standing = try engine.catalog.standing(of: key.text)
            let shard = standing.map { activate(key, $0.record, $0.pending) }
            return shard ?? ActiveShard(key, ShardLifecycle(.absent), .none(key))
        } catch {
            ask?.refuse(DAGStoreError(error))
            return nil
        }
    }

    private func activate(
        _ key: ShardKey,
        _ record: ShardRecord,
        _ pending: PendingWork?
    ) -> ActiveShard {
        let resting: ShardLifecycle.Resting =
            switch record.state {
            case .registered: .registered
            // What it was brought over with answers where blocks are, and no more: the CAR is read first.
            case .available: record.isIncomplete ? .registered : .available
            case .failed: .failed
            }
        let recovers =
            engine.configuration.recovery == .onAcquire && !failedHere.contains(record.number)
        let shard = ActiveShard(
            key,
            ShardLifecycle(resting, recoversOnAcquire: recovers),
            record
        )
        shard.pending = pending
        return shard
    }

    // MARK: Letters

    func receive(_ ask: Ask, isPrepared: Bool = false) {
        guard !isAbandoning else { return ask.refuse(.storeIsClosed) }
        guard !engine.catalog.isReadOnly || ask.isForReaders else {
            return ask.refuse(.storeIsReadOnly)
        }
        guard let shard = shard(ask.key, ask) else { return }
        switch ask.wish {
        case .register(let registration):
            guard isPrepared || !prepares(ask, registration, shard) else { return }
            if continues(registration, shard) { return goOn(ask, registration, shard) }
            if case .absent = shard.lifecycle.state {
                shard.record = .new(ask.key, registration, engine.configuration.limits)
                shard.progress = registration.progress
            }
            let isNow = registration.indexing != .onFirstUse
            apply(.register(indexesNow: isNow), to: shard, .ask(ask))
        case .initialize:
            // What was interrupted and not gone on with is to be finished, whichever it was.
            let isRecovery = shard.lifecycle.state == .failed && shard.pending?.kind == .recover
            apply(isRecovery ? .recover : .initialize, to: shard, .ask(ask))
        case .acquire(let waits):
            if engine.catalog.isReadOnly, case .registered = shard.lifecycle.state {
                return ask.refuse(.storeIsReadOnly)
            }
            guard waits || isNear(shard) else { return ask.reply(.success(.notNow)) }
            apply(.acquire, to: shard, .ask(ask))
        case .recover: apply(.recover, to: shard, .ask(ask))
        case .destroy: apply(.destroy, to: shard, .ask(ask))
        }
    }

    /// Whether a registration is the same that the shard was begun with, and that has not come to its end.
    private func continues(_ registration: Registration, _ shard: ActiveShard) -> Bool {
        let record = shard.record
        let isUnderWay: Bool
        switch shard.lifecycle.state {
        case .initializing: isUnderWay = true
        case .registered:
            isUnderWay = shard.pending != nil || (!record.isLazy && !record.isIncomplete)
        case .absent, .available, .opening, .open, .recovering, .failed: isUnderWay = false
        }
        return isUnderWay && record.mountURL == registration.url.text
            && record.transientPath == registration.transient.map(\.bytes) ?? []
    }

    /// Goes on with a registration that was interrupted, or joins the one that is under way.
    ///
    /// The shard is on disk since the first time, so that it stays if this comes to nothing.
    private func goOn(_ ask: Ask, _ registration: Registration, _ shard: ActiveShard) {
        let tell: @Sendable (Result<Ask.Answer, DAGStoreError>) -> Void = { [engine] result in
            ask.reply(
                Result { () throws(DAGStoreError) in
                    _ = try result.get()
                    let status = try translating { try engine.status(of: ask.key) }
                    guard let status else {
                        throw DAGStoreError(.shardUnknown, "destroyed meanwhile", shard: ask.key)
                    }
                    return .registered(status)
                }
            )
        }
        guard case .now = registration.indexing else {
            tell(.success(.done))
            guard case .inBackground = registration.indexing else { return }
            let ticket = Ask.newTicket()
            let silent = Ask(wish: .initialize, key: ask.key, ticket: ticket, reply: { _ in })
            return apply(.initialize, to: shard, .ask(silent))
        }
        shard.progress = registration.progress
        let joined = Ask(
            wish: .initialize,
            key: ask.key,
            ticket: ask.ticket,
            deadline: ask.deadline,
            reply: tell
        )
        apply(.initialize, to: shard, .ask(joined))
    }

    /// Whether a lease needs no fetching and no indexing, or is refused at once.
    private func isNear(_ shard: ActiveShard) -> Bool {
        switch shard.lifecycle.state {
        case .absent, .available, .opening, .open: true
        case .failed: !shard.lifecycle.recoversOnAcquire
        case .registered, .initializing, .recovering: false
        }
    }

    private func end(_ job: ShardJob, _ outcome: JobOutcome) {
        guard let shard = shard(job.key, nil) else { return engine.discard(outcome) }
        guard shard.job === job else { return engine.discard(outcome) }
        switch (outcome, shard.lifecycle.state) {
        case (.indexed, _): apply(.indexed(job: job.number), to: shard, .outcome(outcome))
        case (.opened, _), (.found, _):
            engine.noteAway(shard.record.number, nil)
            apply(.opened(job: job.number), to: shard, .outcome(outcome))
        case (.failed(let error), .opening) where error.code == .outOfResources:
            if !openAgain(shard, job) { giveUp(shard, job, error) }
        case (.failed(let error), _) where !error.code.failsShard: giveUp(shard, job, error)
        case (.failed(let error), .opening) where error.code.isAway:
            noteAway(shard, error)
            giveUp(shard, job, error)
        case (.failed, .opening):
            apply(.openingFailed(job: job.number), to: shard, .outcome(outcome))
        case (.failed, _): apply(.indexingFailed(job: job.number), to: shard, .outcome(outcome))
        case (.abandoned, _): apply(.abandoned(job: job.number), to: shard, .outcome(outcome))
        }
    }

    /// Notes why a shard cannot be read now, until it is read again.
    private func noteAway(_ shard: ActiveShard, _ error: DAGStoreError) {
        engine.noteAway(shard.record.number, error)
    }

    /// Opens a shard for which the process had nothing left once more, when idle shards have given back what they held.
    ///
    /// - Returns: Whether there were any; if not, or if that was done, the opening has failed.
    private func openAgain(_ shard: ActiveShard, _ job: ShardJob) -> Bool {
        guard !job.isSecondTry else { return false }
        // Those that are mapped hold none, and could not be opened again either.
        let idle = active.values.filter { other in
            other.lifecycle.state == .open && other.leaseCount == 0
                && other.entry?.core.holdsDescriptor == true
        }
        guard !idle.isEmpty else { return false }
        for other in idle { apply(.evict, to: other, .none) }
        let next = ShardJob(shard.key, number: job.number, progress: nil, isSecondTry: true)
        shard.job = next
        let record = shard.record
        engine.openings.submit { [engine] in
            Reclaimer.drain(engine.mark)
            engine.startOpening(record, next)
        }
        return true
    }

    /// Ends a passing state for a reason that says nothing about the shard: it is again what it was before.
    ///
    /// A registration whose caller still waits is undone, so that it can be tried again.
    func giveUp(_ shard: ActiveShard, _ job: ShardJob, _ error: DAGStoreError) {
        let registrants = shard.parked.filter(\.isRegistration)
        shard.parked.removeAll(where: \.isRegistration)
        for ask in registrants { parkedKeys[ask.ticket] = nil }
        apply(.abandoned(job: job.number), to: shard, .ending(error))
        guard !registrants.isEmpty else { return }
        if shard.lifecycle.state == .registered {
            apply(.destroy, to: shard, .undoing(registrants, error))
        } else {
            for ask in registrants { ask.refuse(error) }
        }
    }

    private func lose(_ key: ShardKey, _ generation: UInt64, _ error: DAGStoreError) {
        guard let shard = shard(key, nil) else { return }
        // Old leases outlive a recovery; what they find says nothing about the new index.
        guard shard.record.generation == generation else { return }
        // It may be back by itself: the next lease reaches for it anew, wherever it is by then.
        guard !error.code.isAway else {
            noteAway(shard, error)
            if shard.lifecycle.state == .open { apply(.evict, to: shard, .none) }
            return
        }
        guard error.code.failsShard else { return }
        apply(.sourceLost, to: shard, .lost(error))
    }

    private func resume(_ number: UInt32) {
        guard let record = try? engine.catalog.record(number) else { return }
        let key = ShardKey(stored: record.key)
        guard let shard = shard(key, nil), let pending = shard.pending, shard.job == nil else {
            return
        }
        apply(.resume(recovering: pending.kind == .recover), to: shard, .none)
    }

    /// Refuses those who do not wait, because an opening has to.
    private func refuseHasty(_ job: ShardJob) {
        guard let shard = active[job.key], shard.job === job else { return }
        let hasty = shard.parked.filter(\.isHasty)
        shard.parked.removeAll(where: \.isHasty)
        for ask in hasty {
            parkedKeys[ask.ticket] = nil
            ask.reply(.success(.notNow))
        }
    }

    private func giveUp(_ ticket: UInt64, _ error: DAGStoreError) {
        if let ask = preparing.letGo(ticket) { return ask.refuse(error) }
        // It may stand in the batch, and park when that is done, or come back in this turn.
        if parkedKeys[ticket] == nil { finishBatch() }
        if let place = followers.firstIndex(where: { $0.ask?.ticket == ticket }) {
            followers.remove(at: place).ask?.refuse(error)
            return
        }
        guard let key = parkedKeys.removeValue(forKey: ticket), let shard = active[key],
            let place = shard.parked.firstIndex(where: { $0.ticket == ticket })
        else { return }
        shard.parked.remove(at: place).refuse(error)
    }

    // MARK: Idle shards

    private func settle(_ key: ShardKey) {
        // What its change will come to is not known before.
        if batch.contains(key) { finishBatch() }
        guard let shard = active[key] else { return }
        shard.entry?.dropPrevious(engine.mark)
        putAway(shard)
    }

    /// Forgets a shard that has nothing in memory any more.
    func putAway(_ shard: ActiveShard) {
        // Close first: no thread takes a lease while the loop counts them.
        if shard.lifecycle.state != .open, let entry = shard.entry { _ = entry.leases.close() }
        guard shard.isAtRest else {
            active[shard.key] = shard
            return
        }
        active[shard.key] = nil
        guard let entry = shard.entry else { return }
        shard.entry = nil
        forget(entry)
    }

    /// Takes an entry out of the tables; it goes when its readers have ended.
    func forget(_ entry: ShardEntry) {
        engine.entries.remove(entry, entry.keyHash)
        guard engine.openShards.remove(entry, entry.number.tableHash) else { return }
        engine.openBytes.subtract(entry.size, ordering: .relaxed)
        engine.noteCrowding()
    }

    /// Closes the shards that were used longest ago, until some room is left.
    private func trim() {
        // A lease that ends from here on asks for the next trim.
        engine.isTrimming.store(false, ordering: .sequentiallyConsistent)
        let configuration = engine.configuration
        let idle = active.values
            .filter { $0.lifecycle.state == .open && $0.leaseCount == 0 }
            .map { (use: $0.entry?.lastUse.load(ordering: .relaxed) ?? 0, shard: $0) }
            .sorted { $0.use < $1.use }
        let limit = configuration.idleShardsMax
        // Some more at once, so that the next one that is idle does not ask again.
        let surplus = idle.count > limit ? idle.count - (limit - limit / 8) : 0
        var bytes = idle.reduce(0) { $0 + $1.shard.record.payloadSize }
        let bytesMax = configuration.idleBytesMax ?? .max
        let oldest = configuration.idleTimeLimit.map { time in
            // A use may be stamped with the time of the sweep before it.
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
        // While too many shards are open, a sweep trims again. If all of them have leases, no lease that ends asks before.
        isWaitingForIdle = engine.crowding.load(ordering: .relaxed) == Crowding.over.rawValue
        if isWaitingForIdle, closedCount == 0 { engine.isTrimming.store(true, ordering: .relaxed) }
    }

    /// The time between two sweeps for shards that were idle for `time`.
    private static func sweepInterval(_ time: Duration) -> Duration {
        max(time / 4, .milliseconds(5))
    }

    /// When idle shards are looked for next; nil if there is no limit on their time, or none is open.
    private func nextSweep() -> ContinuousClock.Instant? {
        if isWaitingForIdle { return .now + .milliseconds(100) }
        guard let time = engine.configuration.idleTimeLimit,
            active.values.contains(where: { $0.lifecycle.state == .open })
        else { return nil }
        return .now + Self.sweepInterval(time)
    }

    /// Lets go of idle shards that read copies of the store's own, and says which copies must stay.
    private func protectedNumbers() -> Set<UInt32> {
        for shard in active.values
        where shard.lifecycle.state == .open && shard.leaseCount == 0
            && shard.entry?.core.readsTransient == true
        {
            apply(.evict, to: shard, .none)
        }
        return Set(active.values.filter { $0.isPassing || !$0.parked.isEmpty }.map(\.record.number))
    }

    /// Ends all jobs; what they were doing is taken up at the next open.
    private func abandonAll() {
        for ask in preparing.removeAll() { ask.refuse(.storeIsClosed) }
        for shard in active.values where shard.isPassing {
            guard let job = shard.job else { continue }
            job.cancel()
            apply(.abandoned(job: job.number), to: shard, .outcome(.abandoned))
        }
    }
}

extension Ask {
    /// Whether a store that is opened to look at can answer it.
    fileprivate var isForReaders: Bool {
        guard case .acquire = wish else { return false }
        return true
    }

    /// Whether the caller waits for a registration.
    fileprivate var isRegistration: Bool {
        guard case .register = wish else { return false }
        return true
    }

    /// Whether the caller does not wait.
    fileprivate var isHasty: Bool {
        guard case .acquire(waits: false) = wish else { return false }
        return true
    }
}
