internal import DAGCatalog
internal import DAGSystem
internal import Dispatch
internal import ShardLifecycle
internal import SharedReads

/// Asks the lifecycle for the effects of events, and commits changes of records: one transaction a turn.
extension ShardLoop {
    /// Asks a shard's lifecycle for the effects of an event, and performs them now or after the batch's commit.
    func apply(
        _ event: ShardLifecycle.Event,
        to shard: LoopShard,
        _ cause: LoopCause
    ) {
        let before = shard.memory
        countLeases(of: shard, before: event)
        jobNumber += 1
        let effects = shard.lifecycle.receive(event, job: jobNumber)
        guard !engine.catalog.isReadOnly, let change = change(effects, shard, cause, before) else {
            open(shard, cause)
            perform(effects, shard, cause)
            return forgetIfAtRest(shard)
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

    /// Sets the lifecycle's number of leases; first closes the gate if the event excludes new leases.
    private func countLeases(of shard: LoopShard, before event: ShardLifecycle.Event) {
        guard let open = shard.open else { return shard.lifecycle.setLeases(0) }
        switch event {
        case .destroy, .evict, .sourceLost:
            _ = open.leases.close()
        default: break
        }
        // The gate may count a refused attempt for a moment, even in a state without leases.
        let count = shard.lifecycle.mayBeLeased ? open.leaseCount : 0
        shard.lifecycle.setLeases(UInt32(clamping: count))
    }

    /// Opens the gate for leases on an open shard, whose changes are on disk.
    func open(_ shard: LoopShard, _ cause: LoopCause) {
        if case .outcome(.opened(let reader, _)) = cause, shard.lifecycle.state == .open {
            install(reader, in: shard)
        } else {
            reopen(shard)
        }
    }

    /// Opens the gate again for leases on a shard that was open before.
    private func reopen(_ shard: LoopShard) {
        guard shard.lifecycle.state == .open, let open = shard.open, !open.leases.isOpen
        else { return }
        open.leases.open()
    }

    /// Replaces the opening of a shard.
    func install(_ reader: ShardReader, in shard: LoopShard) {
        let now = DispatchTime.now().uptimeNanoseconds
        let open = OpenShard(shard.key, reader, after: shard.open, now: now)
        if let old = shard.open { engine.openShards.remove(old) }
        shard.open = open
        engine.openShards.insert(open)
        reopen(shard)
        engine.openShards.updateCrowding()
    }

    /// Returns the change to write; nil if there is none.
    private func change(
        _ effects: [ShardLifecycle.Effect],
        _ shard: LoopShard,
        _ cause: LoopCause,
        _ before: LoopShard.Memory
    ) -> CatalogChange? {
        for case .commit(let change) in effects {
            switch change {
            case .insert: return .insert(shard.record, pending: work(of: shard))
            case .remove: return .remove(shard.record)
            case .publish:
                guard case .outcome(.indexed(let built)) = cause else { return nil }
                built.apply(to: &shard.record)
                shard.record.stateSince = WallClock.milliseconds
                return .publish(shard.record, built.parts)
            case .update:
                if case .outcome(.found(let facts)) = cause {
                    facts.apply(to: &shard.record)
                    shard.record.state = .available
                    shard.record.errorCode = 0
                    shard.record.errorText = ""
                    shard.record.stateSince = WallClock.milliseconds
                }
                recordFailure(shard, cause)
                return .update(shard.record, pending: work(of: shard))
            }
        }
        // The shard was opened over another file with the same sections.
        if case .outcome(.opened(_, let facts?)) = cause, shard.lifecycle.state == .open {
            facts.apply(to: &shard.record)
            return .update(shard.record, pending: nil)
        }
        // The job has ended; the loop answers waiters after the commit.
        if case .ending = cause, shard.pending != nil {
            return .update(shard.record, pending: nil)
        }
        return nil
    }

    /// Returns the row of `pending` for a shard's state.
    private func work(of shard: LoopShard) -> PendingWork? {
        switch shard.lifecycle.state {
        case .initializing: PendingWork(kind: .initialize, since: WallClock.milliseconds)
        case .recovering: PendingWork(kind: .recover, since: WallClock.milliseconds)
        default: nil
        }
    }

    private func recordFailure(_ shard: LoopShard, _ cause: LoopCause) {
        guard shard.lifecycle.state == .failed, let error = cause.failure else { return }
        shard.record.state = .failed
        shard.record.errorCode = error.code.rawValue
        shard.record.errorText = error.message
        shard.record.stateSince = WallClock.milliseconds
    }

    /// Commits the changes of this turn, and performs their effects.
    func finishBatch() {
        guard !batch.items.isEmpty else { return }
        let batch = self.batch
        self.batch = LoopBatch()
        do {
            let written = try engine.writer.sync { try engine.catalog.commit(batch.changes) }
            for (place, record) in written.enumerated() { finish(batch, place, record) }
        } catch {
            // One refused change fails the whole transaction, so the loop commits each change by itself.
            for (place, item) in batch.items.enumerated() {
                do {
                    guard batch.items.count > 1 else { throw error }
                    let change = batch.changes[place]
                    let written = try engine.writer.sync { try engine.catalog.commit([change]) }
                    finish(batch, place, written[0])
                } catch {
                    undo(item, DAGStoreError(any: error))
                }
            }
        }
        let hasRemovals = batch.changes.contains { change in
            if case .remove = change { true } else { false }
        }
        // The merger removes runs of one shard at once.
        if hasRemovals, !engine.inverse.snapshot.runs.isEmpty { engine.merger.wake() }
    }

    /// Performs the effects of a change that is on disk.
    private func finish(_ batch: LoopBatch, _ place: Int, _ record: ShardRecord) {
        let item = batch.items[place]
        item.shard.record = record
        item.shard.pending = item.pending
        discardReplaced(item.before.record, by: record)
        switch batch.changes[place] {
        case .adopt(_, let parts), .publish(_, let parts):
            engine.merger.add(parts.inverse, of: record)
        case .insert, .update, .remove: break
        }
        open(item.shard, item.cause)
        perform(item.effects, item.shard, item.cause)
        forgetIfAtRest(item.shard)
    }

    private func discardReplaced(_ old: ShardRecord, by new: ShardRecord) {
        let generation = old.generation
        guard generation != 0, generation != new.generation else { return }
        // Later lookups find the new index.
        engine.indexes.removeReader(of: new.number)
        engine.worker.discardIndexLater(generation, of: new.number)
    }

    /// Restores a shard to its state before the event, because the commit of its change failed.
    private func undo(_ item: LoopBatch.Item, _ error: DAGStoreError) {
        let shard = item.shard
        // The state has ended. The next open finds the work on `pending`, and continues it.
        if case .ending = item.cause {
            perform(item.effects, shard, item.cause)
            return forgetIfAtRest(shard)
        }
        // The shard is readable; a later opening writes the new identity of its file.
        if case .outcome(.opened) = item.cause {
            shard.record = item.before.record
            open(shard, item.cause)
            perform(item.effects, shard, item.cause)
            return forgetIfAtRest(shard)
        }
        shard.memory = item.before
        if shard.lifecycle.state != .open, let open = shard.open { _ = open.leases.close() }
        reopen(shard)
        switch item.cause {
        case .request(let request): request.refuse(error)
        case .outcome(let outcome):
            engine.worker.discard(outcome)
            // The job has ended, so its state ends, too. The next open continues the work on disk.
            if let job = shard.job { return endPassing(shard, job, error) }
        case .undoing(let asks, let cause): for request in asks { request.refuse(cause) }
        case .lost, .ending, .none: break
        }
        forgetIfAtRest(shard)
    }
}
