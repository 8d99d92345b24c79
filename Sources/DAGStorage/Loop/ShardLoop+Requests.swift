internal import DAGCatalog
internal import DAGSystem
internal import ShardLifecycle

/// Turns the requests of callers into events of the lifecycle.
extension ShardLoop {
    func receive(_ request: Request, isPrepared: Bool = false) {
        guard !isAbandoning else { return request.refuse(.storeIsClosed) }
        guard !engine.catalog.isReadOnly || request.isForReaders else {
            return request.refuse(.storeIsReadOnly)
        }
        guard let shard = shard(request.key, request) else { return }
        switch request.kind {
        case .register(let registration):
            guard isPrepared || !prepares(request, registration, shard) else { return }
            if continues(registration, shard) {
                return continueRegistration(request, registration, shard)
            }
            if case .absent = shard.lifecycle.state {
                shard.record = .new(request.key, registration, engine.configuration.limits)
                shard.progress = registration.progress
            }
            let isNow = registration.indexing != .onFirstUse
            apply(.register(indexesNow: isNow), to: shard, .request(request))
        case .initialize:
            // An interrupted recovery is continued as a recovery.
            let isRecovery = shard.lifecycle.state == .failed && shard.pending?.kind == .recover
            apply(isRecovery ? .recover : .initialize, to: shard, .request(request))
        case .acquire(let waits):
            if engine.catalog.isReadOnly, case .registered = shard.lifecycle.state {
                return request.refuse(.storeIsReadOnly)
            }
            guard waits || isNear(shard) else { return request.reply(.success(.notNow)) }
            apply(.acquire, to: shard, .request(request))
        case .recover: apply(.recover, to: shard, .request(request))
        case .destroy: apply(.destroy, to: shard, .request(request))
        }
    }

    /// Returns whether a registration repeats the one that began the shard and has not ended yet.
    private func continues(_ registration: Registration, _ shard: LoopShard) -> Bool {
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
            && record.mountPolicy == registration.policy
    }

    /// Continues an interrupted registration, or joins the running one.
    ///
    /// The record is already on disk, and stays if the registration fails now.
    private func continueRegistration(
        _ request: Request,
        _ registration: Registration,
        _ shard: LoopShard
    ) {
        let reply: @Sendable (Result<Request.Answer, DAGStoreError>) -> Void = { [engine] result in
            request.reply(
                Result { () throws(DAGStoreError) in
                    _ = try result.get()
                    let status = try translating { try engine.status(of: request.key) }
                    guard let status else {
                        throw DAGStoreError(
                            .shardUnknown,
                            "destroyed meanwhile",
                            shard: request.key
                        )
                    }
                    return .registered(status)
                }
            )
        }
        guard case .now = registration.indexing else {
            reply(.success(.done))
            guard case .inBackground = registration.indexing else { return }
            return apply(
                .initialize,
                to: shard,
                .request(Request(silent: .initialize, request.key))
            )
        }
        shard.progress = registration.progress
        let joined = Request(
            kind: .initialize,
            key: request.key,
            ticket: request.ticket,
            deadline: request.deadline,
            reply: reply
        )
        apply(.initialize, to: shard, .request(joined))
    }

    /// Returns whether the loop can grant or refuse a lease without fetching and indexing.
    private func isNear(_ shard: LoopShard) -> Bool {
        switch shard.lifecycle.state {
        case .absent, .available, .opening, .open: true
        case .failed: !shard.lifecycle.recoversOnAcquire
        case .registered, .initializing, .recovering: false
        }
    }

    /// Starts to index a small CAR before its shard has a record, if the registration allows this.
    ///
    /// - Returns: Whether the request comes back as `prepared`.
    func prepares(_ request: Request, _ registration: Registration, _ shard: LoopShard) -> Bool {
        guard case .absent = shard.lifecycle.state, case .now = registration.indexing,
            engine.configuration.indexer == nil
        else { return false }
        let record = ShardRecord.new(request.key, registration, engine.configuration.limits)
        guard engine.sources.isLocal(record) else { return false }
        preparing.begin(request, at: .now)
        if let deadline = request.deadline { deadlines.insert(deadline, request.ticket) }
        engine.worker.startPreparing(record, request)
        return true
    }

    /// Receives a registration with the index of its small CAR, or without one, to be indexed in the usual way.
    func receive(_ request: Request, _ built: IndexedSource?) {
        guard let built, case .register(let registration) = request.kind,
            let shard = shard(request.key, request), case .absent = shard.lifecycle.state
        else {
            if let built { engine.worker.discard(.indexed(built)) }
            return receive(request, isPrepared: true)
        }
        shard.record = .new(request.key, registration, engine.configuration.limits)
        let before = shard.memory
        jobNumber += 1
        let events: [ShardLifecycle.Event] = [
            .register(indexesNow: true), .indexed(job: jobNumber),
        ]
        // Both events at once: the indexing between them is done, and one commit writes both.
        let effects = events.flatMap { shard.lifecycle.receive($0, job: jobNumber) }
            .filter { effect in
                if case .start = effect { false } else { true }
            }
        built.apply(to: &shard.record)
        shard.record.stateSince = WallClock.milliseconds
        batch.append(
            .adopt(shard.record, built.parts),
            LoopBatch.Item(
                shard: shard,
                before: before,
                pending: nil,
                effects: effects,
                cause: .request(request)
            )
        )
    }
}

extension Request {
    /// Whether a read-only store can answer the request.
    var isForReaders: Bool {
        guard case .acquire = kind else { return false }
        return true
    }

    /// Whether the caller waits for a registration.
    var isRegistration: Bool {
        guard case .register = kind else { return false }
        return true
    }

    /// Whether the caller does not wait.
    var isHasty: Bool {
        guard case .acquire(waits: false) = kind else { return false }
        return true
    }
}
