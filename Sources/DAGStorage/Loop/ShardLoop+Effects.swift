internal import DAGCatalog
internal import ShardLifecycle

/// Performs the effects of an event after the commit: answers callers, starts jobs, sends events.
extension ShardLoop {
    /// Performs the effects of an event, whose change is on disk.
    func perform(
        _ effects: [ShardLifecycle.Effect],
        _ shard: LoopShard,
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
                // A destroyed or evicted shard has no leases; a failed shard may have some.
                guard let open = shard.open,
                    shard.lifecycle.state != .failed || open.leaseCount == 0
                else { break }
                shard.open = nil
                drop(open)
            case .grant: grantLease(cause)
            case .park: park(cause, shard)
            case .complete: complete(cause, shard)
            case .reject(let rejection):
                if case .request(let request) = cause {
                    request.refuse(error(of: rejection, shard))
                }
            case .retryParked: retryParked(shard)
            case .failParked(let parting): failParked(shard, parting, cause)
            }
        }
    }

    private func start(_ number: UInt64, _ shard: LoopShard) {
        let job = ShardJob(shard.key, number: number, progress: shard.progress)
        shard.job = job
        shard.progress = nil
        var isRecovery = false
        if case .recovering = shard.lifecycle.state { isRecovery = true }
        guard !isAbandoning else { return abandon(job) }
        engine.worker.startIndexing(shard.record, job, isRecovery: isRecovery)
    }

    private func open(_ number: UInt64, _ shard: LoopShard) {
        let job = ShardJob(shard.key, number: number, progress: nil, isOpening: true)
        shard.job = job
        guard !isAbandoning else { return abandon(job) }
        engine.worker.startOpening(shard.record, job)
    }

    /// Ends a job before it begins, because the store closes.
    private func abandon(_ job: ShardJob) {
        job.cancel()
        followers.append(.ended(job, .abandoned))
    }

    private func grantLease(_ cause: LoopCause) {
        guard case .request(let request) = cause, let open = active[request.key]?.open else {
            preconditionFailure("a lease without a request")
        }
        request.reply(.success(.lease(engine.openShards.grantLease(on: open))))
    }

    private func park(_ cause: LoopCause, _ shard: LoopShard) {
        guard case .request(let request) = cause else { return }
        if case .register(let registration) = request.kind, registration.indexing == .inBackground {
            return answer(request, shard)
        }
        shard.parked.append(request)
        parkedKeys[request.ticket] = shard.key
        if let deadline = request.deadline { deadlines.insert(deadline, request.ticket) }
    }

    /// Answers a caller whose request is done.
    private func answer(_ request: Request, _ shard: LoopShard) {
        guard case .register = request.kind else { return request.reply(.success(.done)) }
        request.reply(.success(.registered(engine.status((shard.record, shard.pending)))))
    }

    private func complete(_ cause: LoopCause, _ shard: LoopShard) {
        if case .undoing(let asks, let error) = cause {
            for request in asks { request.refuse(error) }
        }
        guard case .request(let request) = cause else { return }
        guard case .destroy = request.kind else { return answer(request, shard) }
        engine.worker.removeRest(of: shard.record) { request.reply(.success(.done)) }
    }

    private func retryParked(_ shard: LoopShard) {
        shard.job = nil
        let parked = shard.parked
        shard.parked = []
        for request in parked {
            parkedKeys[request.ticket] = nil
            if case .acquire = request.kind {
                followers.append(.retry(request))
            } else {
                answer(request, shard)
            }
        }
    }

    private func failParked(
        _ shard: LoopShard,
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
        for request in parked {
            parkedKeys[request.ticket] = nil
            refuse(request, of: shard, error)
        }
    }

    /// Refuses a caller that waited for a shard; sends an event if it asked for a lease.
    func refuse(_ request: Request, of shard: LoopShard, _ error: DAGStoreError) {
        if case .acquire = request.kind {
            engine.events.send(
                .acquire,
                shard.key,
                shard.publicState,
                references: shard.leaseCount,
                error: error.about(shard.key)
            )
        }
        request.refuse(error)
    }

    private func error(
        of rejection: ShardLifecycle.Rejection,
        _ shard: LoopShard
    ) -> DAGStoreError {
        switch rejection {
        case .unknown: return DAGStoreError(.shardUnknown, "no shard has this key")
        case .exists: return DAGStoreError(.shardExists, "another shard has this key")
        case .inUse: return DAGStoreError(.shardInUse, "the shard has leases or waiters")
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
        _ shard: LoopShard,
        _ cause: LoopCause
    ) {
        let number = shard.record.number
        switch operation {
        case .fail:
            failedHere.insert(number)
            engine.reporter.log(.warning, "A shard failed", shard.key, cause.failure)
        case .makeAvailable, .destroy:
            if failedHere.remove(number) != nil, operation == .makeAvailable {
                engine.reporter.log(.info, "A failed shard is available again", shard.key)
            }
            attempts[number] = nil
            engine.away.remove(number)
            if operation == .destroy { engine.traffic.remove(number) }
        default: break
        }
        let leases = Int(shard.lifecycle.leases)
        // A small shard is already available when the loop sends the event of its registration.
        var state: ShardStatus.State? =
            switch operation {
            case .register: .registered
            case .initialize: .initializing
            default: shard.publicState
            }
        if state == .available, leases > 0 { state = .serving }
        let error: DAGStoreError? =
            switch operation {
            case .fail: cause.failure?.about(shard.key)
            // A failed shard refuses leases.
            case .acquire, .recover: shard.error
            default: nil
            }
        engine.events.send(
            ShardEvent.Operation(operation),
            shard.key,
            state,
            references: leases,
            error: error
        )
        if operation == .fail { recoverAutomatically(shard) }
    }
}
