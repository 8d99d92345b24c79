internal import DAGCAR
internal import DAGCatalog
internal import DAGMounts
internal import Dispatch
internal import ShardLifecycle
internal import SharedReads
internal import Synchronization
internal import SystemPackage

/// What a turn wants written, and what follows when it is.
struct LoopBatch {
    /// One change, and the shard it is about.
    struct Item {
        let shard: ActiveShard
        let before: ActiveShard.Memory
        let pending: PendingWork?
        let effects: [ShardLifecycle.Effect]
        let cause: LoopCause
    }

    var changes: [CatalogChange] = []
    var items: [Item] = []
    private var keys: Set<ShardKey> = []

    /// Whether a shard has a change in the batch: what comes next for it waits until that is decided.
    func contains(_ key: ShardKey) -> Bool { !keys.isEmpty && keys.contains(key) }

    mutating func append(_ change: CatalogChange, _ item: Item) {
        changes.append(change)
        items.append(item)
        keys.insert(item.shard.key)
    }
}

/// Why an event came about.
enum LoopCause {
    case ask(Ask)
    case outcome(JobOutcome)
    /// The shard's bytes are not what was indexed.
    case lost(DAGStoreError)
    /// A passing state ends because of this.
    case ending(DAGStoreError)
    /// A registration is undone because of this.
    case undoing([Ask], DAGStoreError)
    case none
}

extension ShardLoop {
    // MARK: Deciding

    /// Asks a shard's lifecycle what follows from an event, and does it, or puts it into the batch.
    func apply(
        _ event: ShardLifecycle.Event,
        to shard: ActiveShard,
        _ cause: LoopCause
    ) {
        let before = shard.memory
        noteLeases(of: shard, before: event)
        jobNumber += 1
        let effects = shard.lifecycle.receive(event, job: jobNumber)
        guard !engine.catalog.isReadOnly, let change = change(effects, shard, cause, before) else {
            open(shard, cause)
            perform(effects, shard, cause)
            return putAway(shard)
        }
        let pending: PendingWork? =
            switch change {
            case .insert(_, let pending), .update(_, let pending): pending
            case .adopt, .publish, .remove: nil
            }
        batch.append(
            change,
            LoopBatch.Item(
                shard: shard,
                before: before,
                pending: pending,
                effects: effects,
                cause: cause
            )
        )
    }

    /// Tells the lifecycle how many leases there are; before an event that must not meet a new one, no more
    /// are given.
    private func noteLeases(of shard: ActiveShard, before event: ShardLifecycle.Event) {
        guard let entry = shard.entry else { return shard.lifecycle.noteLeases(0) }
        switch event {
        case .destroy, .evict, .sourceLost:
            _ = entry.leases.close()
        default: break
        }
        // A refused attempt stays in the count until its thread takes it back, even where no lease is possible.
        let count = shard.lifecycle.mayBeLeased ? entry.leaseCount : 0
        shard.lifecycle.noteLeases(UInt32(clamping: count))
    }

    /// Lets leases be taken of a shard that is open; what had to be written for that is on disk.
    private func open(_ shard: ActiveShard, _ cause: LoopCause) {
        if case .outcome(.opened(let core, _)) = cause, shard.lifecycle.state == .open {
            install(core, in: shard)
        } else {
            reopen(shard)
        }
    }

    /// Lets leases be taken of a shard that was open before.
    private func reopen(_ shard: ActiveShard) {
        guard shard.lifecycle.state == .open, let entry = shard.entry, !entry.leases.isOpen
        else { return }
        entry.leases.open()
    }

    func install(_ core: ShardCore, in shard: ActiveShard) {
        let now = DispatchTime.now().uptimeNanoseconds
        let entry = ShardEntry(shard.key, core, after: shard.entry, now: now)
        if let old = shard.entry { forget(old) }
        shard.entry = entry
        engine.entries.insert(entry, entry.keyHash)
        engine.openShards.insert(entry, entry.number.tableHash)
        engine.openBytes.add(entry.size, ordering: .relaxed)
        reopen(shard)
        engine.noteCrowding()
    }

    /// What is to be written.
    private func change(
        _ effects: [ShardLifecycle.Effect],
        _ shard: ActiveShard,
        _ cause: LoopCause,
        _ before: ActiveShard.Memory
    ) -> CatalogChange? {
        for case .commit(let change) in effects {
            switch change {
            case .insert: return .insert(shard.record, pending: work(of: shard))
            case .remove: return .remove(shard.record)
            case .publish:
                guard case .outcome(.indexed(let built)) = cause else { return nil }
                built.note(in: &shard.record)
                shard.record.stateSince = WallClock.milliseconds
                return .publish(shard.record, built.parts)
            case .update:
                if case .outcome(.found(let facts)) = cause {
                    facts.note(in: &shard.record)
                    shard.record.state = .available
                    shard.record.errorCode = 0
                    shard.record.errorText = ""
                    shard.record.stateSince = WallClock.milliseconds
                }
                noteFailure(shard, cause)
                return .update(shard.record, pending: work(of: shard))
            }
        }
        // The shard was opened over another file with the same sections.
        if case .outcome(.opened(_, let facts?)) = cause, shard.lifecycle.state == .open {
            facts.note(in: &shard.record)
            return .update(shard.record, pending: nil)
        }
        // Nothing is under way any more; those who wait hear of it when that is on disk.
        if case .ending = cause, shard.pending != nil {
            return .update(shard.record, pending: nil)
        }
        return nil
    }

    /// What stands on `pending` in a shard's state.
    private func work(of shard: ActiveShard) -> PendingWork? {
        switch shard.lifecycle.state {
        case .initializing: PendingWork(kind: .initialize, since: WallClock.milliseconds)
        case .recovering: PendingWork(kind: .recover, since: WallClock.milliseconds)
        default: nil
        }
    }

    private func noteFailure(_ shard: ActiveShard, _ cause: LoopCause) {
        guard shard.lifecycle.state == .failed, let error = cause.failure else { return }
        shard.record.state = .failed
        shard.record.errorCode = error.code.rawValue
        shard.record.errorText = error.message
        shard.record.stateSince = WallClock.milliseconds
    }

    // MARK: Committing

    /// Writes what the turn wants written, and does what follows.
    func finishBatch() {
        guard !batch.items.isEmpty else { return }
        let batch = self.batch
        self.batch = LoopBatch()
        do {
            let written = try engine.writer.sync { try engine.catalog.commit(batch.changes) }
            for (place, record) in written.enumerated() { finish(batch, place, record) }
        } catch {
            // One that is refused refuses all of the transaction: each is tried by itself.
            for (place, item) in batch.items.enumerated() {
                do {
                    guard batch.items.count > 1 else { throw error }
                    let change = batch.changes[place]
                    let written = try engine.writer.sync { try engine.catalog.commit([change]) }
                    finish(batch, place, written[0])
                } catch {
                    takeBack(item, DAGStoreError(any: error))
                }
            }
        }
        let hasRemovals = batch.changes.contains { change in
            if case .remove = change { true } else { false }
        }
        // Runs of one shard go at once.
        if hasRemovals, !engine.inverse.snapshot.runs.isEmpty { engine.merger.wake(engine) }
    }

    /// Does what follows from a change that is on disk.
    private func finish(_ batch: LoopBatch, _ place: Int, _ record: ShardRecord) {
        let item = batch.items[place]
        item.shard.record = record
        item.shard.pending = item.pending
        discardReplaced(item.before.record, by: record)
        switch batch.changes[place] {
        case .adopt(_, let parts), .publish(_, let parts):
            engine.noteInverse(record, parts.inverse)
        case .insert, .update, .remove: break
        }
        open(item.shard, item.cause)
        perform(item.effects, item.shard, item.cause)
        putAway(item.shard)
    }

    private func discardReplaced(_ old: ShardRecord, by new: ShardRecord) {
        let generation = old.generation
        guard generation != 0, generation != new.generation else { return }
        // Those who ask from now on find the new index.
        engine.readers.remove(new.number)
        engine.openings.submit { [engine] in
            guard engine.beginWork() else { return }
            engine.discard(generation, of: new.number)
            engine.endCall()
        }
    }

    /// Brings a shard back to where it was, because its change could not be written.
    private func takeBack(_ item: LoopBatch.Item, _ error: DAGStoreError) {
        let shard = item.shard
        // What has ended has ended; the next open finds it on `pending`, and takes it up.
        if case .ending = item.cause {
            perform(item.effects, shard, item.cause)
            return putAway(shard)
        }
        // The shard can be read; that its file is told by something else now is written another time.
        if case .outcome(.opened) = item.cause {
            shard.record = item.before.record
            open(shard, item.cause)
            perform(item.effects, shard, item.cause)
            return putAway(shard)
        }
        shard.memory = item.before
        if shard.lifecycle.state != .open, let entry = shard.entry { _ = entry.leases.close() }
        reopen(shard)
        switch item.cause {
        case .ask(let ask): ask.refuse(error)
        case .outcome(let outcome):
            engine.discard(outcome)
            // Nobody else will end the passing state. What is on disk is taken up at the next open.
            if let job = shard.job { return giveUp(shard, job, error) }
        case .undoing(let asks, let cause): for ask in asks { ask.refuse(cause) }
        case .lost, .ending, .none: break
        }
        putAway(shard)
    }

    // MARK: Doing

    /// Does what follows from an event; what had to be written is on disk.
    private func perform(
        _ effects: [ShardLifecycle.Effect],
        _ shard: ActiveShard,
        _ cause: LoopCause
    ) {
        for effect in effects {
            switch effect {
            case .commit: break
            case .announce(let operation): announce(operation, shard, cause)
            case .start(let number): start(number, shard)
            case .open(let number): open(number, shard)
            case .cancel:
                shard.job?.cancel()
                shard.job = nil
            case .close:
                // A shard that is destroyed or evicted has no leases; one that fails may have some.
                guard let entry = shard.entry,
                    shard.lifecycle.state != .failed || entry.leaseCount == 0
                else { break }
                shard.entry = nil
                forget(entry)
            case .grant: answer(cause) { .lease(engine.grant($0)) }
            case .park: park(cause, shard)
            case .complete: complete(cause, shard)
            case .reject(let rejection):
                if case .ask(let ask) = cause { ask.refuse(error(of: rejection, shard)) }
            case .retryParked: retryParked(shard)
            case .failParked(let parting): failParked(shard, parting, cause)
            }
        }
    }

    private func start(_ number: UInt64, _ shard: ActiveShard) {
        let job = ShardJob(shard.key, number: number, progress: shard.progress)
        shard.job = job
        shard.progress = nil
        var isRecovery = false
        if case .recovering = shard.lifecycle.state { isRecovery = true }
        guard !isAbandoning else { return abandon(job) }
        engine.startIndexing(shard.record, job, isRecovery: isRecovery)
    }

    private func open(_ number: UInt64, _ shard: ActiveShard) {
        let job = ShardJob(shard.key, number: number, progress: nil)
        shard.job = job
        guard !isAbandoning else { return abandon(job) }
        engine.startOpening(shard.record, job)
    }

    /// Ends a job before it begins, because the store closes: nobody would end it later.
    private func abandon(_ job: ShardJob) {
        job.cancel()
        followers.append(.ended(job, .abandoned))
    }

    private func answer(_ cause: LoopCause, _ answer: (ShardEntry) -> Ask.Answer) {
        guard case .ask(let ask) = cause, let entry = active[ask.key]?.entry else {
            preconditionFailure("a lease that nobody asked for")
        }
        ask.reply(.success(answer(entry)))
    }

    private func park(_ cause: LoopCause, _ shard: ActiveShard) {
        guard case .ask(let ask) = cause else { return }
        if case .register(let registration) = ask.wish, registration.indexing == .inBackground {
            return answer(ask, shard)
        }
        shard.parked.append(ask)
        parkedKeys[ask.ticket] = shard.key
        if let deadline = ask.deadline { deadlines.insert(deadline, ask.ticket) }
    }

    /// Tells a caller that what it wanted is done.
    private func answer(_ ask: Ask, _ shard: ActiveShard) {
        guard case .register = ask.wish else { return ask.reply(.success(.done)) }
        ask.reply(.success(.registered(engine.status((shard.record, shard.pending)))))
    }

    private func complete(_ cause: LoopCause, _ shard: ActiveShard) {
        if case .undoing(let asks, let error) = cause { for ask in asks { ask.refuse(error) } }
        guard case .ask(let ask) = cause else { return }
        guard case .destroy = ask.wish else { return answer(ask, shard) }
        let record = shard.record
        engine.openings.submit { [engine] in
            // Nobody can find the shard any more; what is left of it goes before the caller hears.
            if engine.beginWork() {
                Reclaimer.drain(engine.mark)
                _ = try? engine.transients.remove(record.transientName)
                if record.generation != 0 {
                    engine.discard(record.generation, of: record.number)
                }
                engine.endCall()
            }
            ask.reply(.success(.done))
        }
    }

    private func retryParked(_ shard: ActiveShard) {
        shard.job = nil
        let parked = shard.parked
        shard.parked = []
        for ask in parked {
            parkedKeys[ask.ticket] = nil
            if case .acquire = ask.wish {
                followers.append(.retry(ask))
            } else {
                answer(ask, shard)
            }
        }
    }

    private func failParked(
        _ shard: ActiveShard,
        _ parting: ShardLifecycle.Parting,
        _ cause: LoopCause
    ) {
        shard.job = nil
        let error =
            switch parting {
            case .destroyed: DAGStoreError(.shardUnknown, "the shard was destroyed meanwhile")
            case .failed, .abandoned: cause.failure ?? .storeIsClosed
            }
        let parked = shard.parked
        shard.parked = []
        for ask in parked {
            parkedKeys[ask.ticket] = nil
            ask.refuse(error)
        }
    }

    private func error(
        of rejection: ShardLifecycle.Rejection,
        _ shard: ActiveShard
    ) -> DAGStoreError {
        switch rejection {
        case .unknown: return DAGStoreError(.shardUnknown, "there is no such shard")
        case .exists: return DAGStoreError(.shardExists, "the key is taken")
        case .inUse: return DAGStoreError(.shardInUse, "the shard is in use")
        case .notFailed:
            let state = shard.publicState?.rawValue ?? "unknown"
            return DAGStoreError(.notFailed, "the shard has not failed: it is \(state)")
        case .failed:
            guard let error = shard.error else {
                return DAGStoreError(.shardFailed, "the shard has failed")
            }
            return DAGStoreError(error.code, "the shard has failed: \(error.message)")
        }
    }

    private func announce(
        _ operation: ShardLifecycle.Operation,
        _ shard: ActiveShard,
        _ cause: LoopCause
    ) {
        let number = shard.record.number
        switch operation {
        case .fail: failedHere.insert(number)
        case .makeAvailable, .destroy:
            failedHere.remove(number)
            attempts[number] = nil
            engine.noteAway(number, nil)
        default: break
        }
        let leases = Int(shard.lifecycle.leases)
        // A small shard is available already when it is said that it was registered.
        var state: ShardStatus.State? =
            switch operation {
            case .register: .registered
            case .initialize: .initializing
            default: shard.publicState
            }
        if state == .available, leases > 0 { state = .serving }
        let error = operation == .fail ? cause.failure?.about(shard.key) : nil
        engine.events.tell(
            ShardEvent.Operation(operation),
            shard.key,
            state,
            references: leases,
            error: error
        )
        if operation == .fail { recoverByItself(shard) }
    }

    /// Recovers a shard that has just failed, if the configuration wants that and it may help.
    private func recoverByItself(_ shard: ActiveShard) {
        let number = shard.record.number
        let count = attempts[number, default: 0]
        guard count < engine.configuration.automaticRecoveries, drains.isEmpty else { return }
        attempts[number] = count + 1
        guard count > 0 else { return recover(shard.key) }
        // A source that is away is given time to come back.
        let wait = Duration.milliseconds(250) * (1 << min(count - 1, 10))
        laterRecoveries.append((.now + wait, shard.key))
    }

    private func recover(_ key: ShardKey) {
        let ask = Ask(wish: .recover, key: key, ticket: Ask.newTicket(), reply: { _ in })
        followers.append(.ask(ask))
    }

    /// Recovers the shards whose time has come.
    func recoverLaterOnes(before time: ContinuousClock.Instant) {
        guard !laterRecoveries.isEmpty else { return }
        let due = laterRecoveries.filter { $0.time <= time }
        laterRecoveries.removeAll { $0.time <= time }
        guard drains.isEmpty else { return }
        for (_, key) in due { recover(key) }
    }
}

extension LoopCause {
    /// The error in it.
    var failure: DAGStoreError? {
        switch self {
        case .outcome(.failed(let error)), .lost(let error), .ending(let error),
            .undoing(_, let error):
            error
        case .outcome, .ask, .none: nil
        }
    }
}

extension ShardEvent.Operation {
    init(_ operation: ShardLifecycle.Operation) {
        self =
            switch operation {
            case .register: .register
            case .initialize: .initialize
            case .makeAvailable: .makeAvailable
            case .destroy: .destroy
            case .acquire: .acquire
            case .fail: .fail
            case .release: .release
            case .recover: .recover
            }
    }
}

extension ShardRecord {
    /// The record of a shard that nobody knows.
    static func none(_ key: ShardKey) -> ShardRecord {
        ShardRecord(number: 0, key: key.text, mountURL: "", state: .registered)
    }

    /// The record of a shard that is being registered.
    static func new(
        _ key: ShardKey,
        _ registration: Registration,
        _ limits: CARLimits
    ) -> ShardRecord {
        var record = ShardRecord(
            number: 0,
            key: key.text,
            mountURL: registration.url.text,
            state: .registered
        )
        record.isLazy = registration.indexing == .onFirstUse
        record.note(limits)
        record.transientPath = registration.transient.map(\.bytes) ?? []
        record.registered = WallClock.milliseconds
        record.stateSince = record.registered
        return record
    }
}

extension DAGStoreError {
    static var storeIsReadOnly: DAGStoreError { DAGStoreError(.readOnly, "opened read-only") }
}
