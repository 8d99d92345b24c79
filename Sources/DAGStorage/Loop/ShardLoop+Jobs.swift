internal import DAGCAR
internal import DAGCatalog
internal import DAGMounts
internal import Dispatch
internal import ShardLifecycle
internal import SharedReads
internal import Synchronization
internal import SystemPackage

/// Turns the outcomes of jobs into events of the lifecycle, and retries jobs that may succeed later.
extension ShardLoop {
    func end(_ job: ShardJob, _ outcome: JobOutcome) {
        guard let shard = shard(job.key, nil) else { return engine.worker.discard(outcome) }
        guard shard.job === job else { return engine.worker.discard(outcome) }
        engine.reporter.ended(job, outcome)
        switch (outcome, shard.lifecycle.state) {
        case (.indexed, _): apply(.indexed(job: job.number), to: shard, .outcome(outcome))
        case (.opened, _), (.found, _):
            engine.away.remove(shard.record.number)
            apply(.opened(job: job.number), to: shard, .outcome(outcome))
        case (.failed(let error), .opening) where error.code == .outOfResources:
            if !openAgain(shard, job) { endPassing(shard, job, error) }
        case (.failed(let error), _) where !error.code.failsShard: endPassing(shard, job, error)
        case (.failed(let error), .opening) where error.code.isAway:
            recordAway(shard, error)
            endPassing(shard, job, error)
        case (.failed, .opening):
            apply(.openingFailed(job: job.number), to: shard, .outcome(outcome))
        case (.failed, _): apply(.indexingFailed(job: job.number), to: shard, .outcome(outcome))
        case (.abandoned, _): apply(.abandoned(job: job.number), to: shard, .outcome(outcome))
        }
    }

    /// Opens a shard again after the process lacked resources: first closes idle shards to free theirs.
    ///
    /// - Returns: Whether the loop tries again; false if there is no idle shard, or after the second try.
    private func openAgain(_ shard: LoopShard, _ job: ShardJob) -> Bool {
        guard !job.isSecondTry else { return false }
        // A mapped shard holds no descriptor, so closing it would free none.
        let idle = active.values.filter { other in
            other.lifecycle.state == .open && other.leaseCount == 0
                && other.open?.reader.holdsDescriptor == true
        }
        guard !idle.isEmpty else { return false }
        for other in idle { apply(.evict, to: other, .none) }
        let next = ShardJob(
            shard.key,
            number: job.number,
            progress: nil,
            isOpening: true,
            isSecondTry: true
        )
        shard.job = next
        let record = shard.record
        engine.openings.submit { [engine] in
            Reclaimer.drain(engine.access.mark)
            engine.worker.startOpening(record, next)
        }
        return true
    }

    /// Ends a passing state for a reason outside of the shard, which returns to its earlier state.
    ///
    /// The loop undoes a registration whose caller still waits, so that the caller can try it again.
    func endPassing(_ shard: LoopShard, _ job: ShardJob, _ error: DAGStoreError) {
        let registrants = shard.parked.filter(\.isRegistration)
        shard.parked.removeAll(where: \.isRegistration)
        for request in registrants { parkedKeys[request.ticket] = nil }
        apply(.abandoned(job: job.number), to: shard, .ending(error))
        guard !registrants.isEmpty else { return }
        if shard.lifecycle.state == .registered {
            apply(.destroy, to: shard, .undoing(registrants, error))
        } else {
            for request in registrants { request.refuse(error) }
        }
    }

    /// Fails a shard whose bytes are not those that were indexed; closes one whose source is away.
    func failShard(_ key: ShardKey, _ generation: UInt64, _ error: DAGStoreError) {
        guard let shard = shard(key, nil) else { return }
        // Leases on an old source outlive a recovery; their errors are not about the new index.
        guard shard.record.generation == generation else { return }
        // The source may come back by itself, so the next lease opens it again.
        guard !error.code.isAway else {
            recordAway(shard, error)
            if shard.lifecycle.state == .open { apply(.evict, to: shard, .none) }
            return
        }
        guard error.code.failsShard else { return }
        apply(.sourceLost, to: shard, .lost(error))
    }

    private func recordAway(_ shard: LoopShard, _ error: DAGStoreError) {
        if !engine.away.contains(shard.record.number) {
            engine.reporter.log(.warning, "A source is away", shard.key, error)
        }
        engine.away.insert(shard.record.number, error)
    }

    func resume(_ number: UInt32) {
        guard let record = try? engine.catalog.record(number) else { return }
        let key = ShardKey(stored: record.key)
        guard let shard = shard(key, nil), let pending = shard.pending, shard.job == nil else {
            return
        }
        engine.reporter.log(.info, "Continues an interrupted job", key)
        apply(.resume(recovering: pending.kind == .recover), to: shard, .none)
    }

    /// Answers callers that do not wait, because an opening must wait for its source.
    func refuseHasty(_ job: ShardJob) {
        guard let shard = active[job.key], shard.job === job else { return }
        let hasty = shard.parked.filter(\.isHasty)
        shard.parked.removeAll(where: \.isHasty)
        for request in hasty {
            parkedKeys[request.ticket] = nil
            request.reply(.success(.notNow))
        }
    }

    /// Recovers a shard that has just failed, as often as the configuration allows.
    func recoverAutomatically(_ shard: LoopShard) {
        let number = shard.record.number
        let count = attempts[number, default: 0]
        guard count < engine.configuration.automaticRecoveries, drains.isEmpty else { return }
        attempts[number] = count + 1
        guard count > 0 else { return recover(shard.key) }
        // An absent source needs time to come back.
        let wait = Duration.milliseconds(250) * (1 << min(count - 1, 10))
        laterRecoveries.append((.now + wait, shard.key))
    }

    private func recover(_ key: ShardKey) {
        followers.append(.request(Request(silent: .recover, key)))
    }

    /// The shards that jobs work on.
    var passing: [PassingShard] {
        active.values.compactMap { shard in
            guard shard.isPassing, let job = shard.job, let state = shard.publicState else {
                return nil
            }
            return PassingShard(
                key: shard.key,
                state: state,
                mountURL: shard.record.mountURL,
                jobNumber: job.number,
                since: job.since,
                duration: ContinuousClock.now - job.start,
                step: PassingShard.Step(job.phase),
                bytesFetched: engine.traffic.traffic(of: shard.record.number)?.bytes ?? 0,
                callerCount: shard.parked.count
            )
        }
    }

    /// Recovers the shards whose time has come.
    func recoverLater(before time: ContinuousClock.Instant) {
        guard !laterRecoveries.isEmpty else { return }
        let due = laterRecoveries.filter { $0.time <= time }
        laterRecoveries.removeAll { $0.time <= time }
        guard drains.isEmpty else { return }
        for (_, key) in due { recover(key) }
    }
}
