/// The life of one shard: it receives events and returns effects, and waits for nothing.
///
/// It does no I/O, holds no lock and starts no task; its owner runs the effects, in order. It is a value: if a commit
/// fails, the owner restores the value from before the event, and drops the effects.
///
/// The event of a job names that job, and counts only while the state names the same job. So a job that was cancelled
/// or overtaken changes nothing.
package struct ShardLifecycle: Equatable, Sendable {
    /// The number of a job, unique within the store's run.
    package typealias JobNumber = UInt64

    /// The state of the shard.
    package private(set) var state: State
    /// The number of leases.
    ///
    /// It is no part of the state, so neither failure nor recovery can lose leases. Before the shard was first
    /// available it is zero.
    package private(set) var leases: UInt32 = 0
    /// Whether the next acquirer of the failed shard recovers it; that happens once.
    package private(set) var recoversOnAcquire: Bool

    /// Creates the lifecycle of a shard from its record's state.
    package init(_ state: Resting = .absent, recoversOnAcquire: Bool = false) {
        switch state {
        case .absent: self.state = .absent
        case .registered: self.state = .registered
        case .available: self.state = .available
        case .failed: self.state = .failed
        }
        self.recoversOnAcquire = recoversOnAcquire
    }

    /// Sets the number of leases, which the owner counts in a place that all threads reach.
    ///
    /// The owner calls it before each event. A shard that was never available has no leases.
    package mutating func setLeases(_ count: UInt32) {
        precondition(count == 0 || mayBeLeased, "a lease of a shard that was never available")
        leases = count
    }

    /// Applies one event.
    ///
    /// - Parameters:
    ///   - event: The event. A `release` needs a lease.
    ///   - number: The number of the job, if the event starts one.
    /// - Returns: The effects, in order. For a caller's event they contain exactly one of `grant`, `park`, `complete`
    ///   and `reject`; for other events none. Empty if the event came too late to matter.
    ///
    /// *Cost*: constant; no allocation if no effect has a job number.
    package mutating func receive(_ event: Event, job number: JobNumber) -> [Effect] {
        if event == .release { return release() }
        switch state {
        case .absent: return receiveAbsent(event, number)
        case .registered: return receiveRegistered(event, number)
        case .initializing(let job): return receiveInitializing(event, job)
        case .available: return receiveAvailable(event, number)
        case .opening(let job): return receiveOpening(event, job)
        case .open: return receiveOpen(event)
        case .recovering(let job): return receiveRecovering(event, job)
        case .failed: return receiveFailed(event, number)
        }
    }

    package var mayBeLeased: Bool {
        switch state {
        case .absent, .registered, .initializing: false
        case .available, .opening, .open, .recovering, .failed: true
        }
    }

    /// Ends a lease, in any state that may have one; a failed shard stays failed.
    private mutating func release() -> [Effect] {
        precondition(leases > 0, "a lease was released twice")
        leases -= 1
        return [.announce(.release)]
    }
}

// The table: a function for each state, with a line or two for each event. No function has a `default`, so the
// compiler asks for every new event in every state.
extension ShardLifecycle {
    private mutating func receiveAbsent(_ event: Event, _ number: JobNumber) -> [Effect] {
        switch event {
        case .register(indexesNow: false):
            state = .registered
            return [.commit(.insert), .announce(.register), .complete]
        case .register(indexesNow: true):
            state = .initializing(job: number)
            return [
                .commit(.insert), .announce(.register), .announce(.initialize),
                .start(job: number), .park,
            ]
        case .initialize, .acquire, .retry, .recover, .destroy:
            return [.reject(.unknown)]
        case .release, .indexed, .indexingFailed, .opened, .openingFailed, .abandoned,
            .sourceLost, .evict, .resume:
            return []
        }
    }

    private mutating func receiveRegistered(_ event: Event, _ number: JobNumber) -> [Effect] {
        switch event {
        case .register:
            return [.reject(.exists)]
        case .initialize, .acquire, .retry:
            state = .initializing(job: number)
            return [.commit(.update), .announce(.initialize), .start(job: number), .park]
        case .recover:
            return [.reject(.notFailed)]
        case .destroy:
            return destroyIdle()
        case .resume(recovering: false):
            // No caller waits, and the record says already that the shard is to be indexed.
            state = .initializing(job: number)
            return [.announce(.register), .announce(.initialize), .start(job: number)]
        case .release, .indexed, .indexingFailed, .opened, .openingFailed, .abandoned,
            .sourceLost, .evict, .resume:
            return []
        }
    }

    private mutating func receiveInitializing(_ event: Event, _ job: JobNumber) -> [Effect] {
        switch event {
        case .register: return [.reject(.exists)]
        case .initialize, .acquire, .retry: return [.park]
        case .recover: return [.reject(.notFailed)]
        case .destroy: return destroyBusy(job)
        case .indexed(job): return publish()
        case .indexingFailed(job): return failWaiting()
        case .abandoned(job):
            state = .registered
            return [.failParked(.abandoned)]
        case .release, .indexed, .indexingFailed, .opened, .openingFailed, .abandoned,
            .sourceLost, .evict, .resume:
            return []
        }
    }

    private mutating func receiveAvailable(_ event: Event, _ number: JobNumber) -> [Effect] {
        switch event {
        case .register: return [.reject(.exists)]
        case .initialize: return [.complete]
        case .acquire, .retry:
            state = .opening(job: number)
            return [.open(job: number), .park]
        case .recover: return [.reject(.notFailed)]
        case .destroy:
            // Leases from before a recovery may still be held.
            guard leases == 0 else { return [.reject(.inUse)] }
            return destroyIdle()
        case .sourceLost:
            state = .failed
            return [.commit(.update), .announce(.fail)]
        case .release, .indexed, .indexingFailed, .opened, .openingFailed, .abandoned,
            .evict, .resume:
            return []
        }
    }

    private mutating func receiveOpening(_ event: Event, _ job: JobNumber) -> [Effect] {
        switch event {
        case .register: return [.reject(.exists)]
        case .initialize: return [.complete]
        case .acquire, .retry: return [.park]
        case .recover: return [.reject(.notFailed)]
        case .destroy: return [.reject(.inUse)]
        case .opened(job):
            state = .open
            return [.retryParked]
        case .openingFailed(job): return failWaiting()
        case .abandoned(job):
            state = .available
            return [.failParked(.abandoned)]
        case .release, .indexed, .indexingFailed, .opened, .openingFailed, .abandoned,
            .sourceLost, .evict, .resume:
            return []
        }
    }

    private mutating func receiveOpen(_ event: Event) -> [Effect] {
        switch event {
        case .register: return [.reject(.exists)]
        case .initialize: return [.complete]
        case .acquire, .retry:
            leases += 1
            return [.announce(.acquire), .grant]
        case .recover: return [.reject(.notFailed)]
        case .destroy:
            guard leases == 0 else { return [.reject(.inUse)] }
            state = .absent
            return [.close, .commit(.remove), .announce(.destroy), .complete]
        case .sourceLost:
            state = .failed
            return [.close, .commit(.update), .announce(.fail)]
        case .evict:
            guard leases == 0 else { return [] }
            state = .available
            return [.close]
        case .release, .indexed, .indexingFailed, .opened, .openingFailed, .abandoned, .resume:
            return []
        }
    }

    private mutating func receiveRecovering(_ event: Event, _ job: JobNumber) -> [Effect] {
        switch event {
        case .register: return [.reject(.exists)]
        case .initialize, .acquire, .retry: return [.park]
        case .recover: return [.reject(.notFailed)]
        case .destroy:
            guard leases == 0 else { return [.reject(.inUse)] }
            return destroyBusy(job)
        case .indexed(job): return publish()
        case .opened(job):
            // The earlier index is valid.
            state = .available
            return [.commit(.update), .announce(.makeAvailable), .retryParked]
        case .indexingFailed(job): return failWaiting()
        case .abandoned(job):
            state = .failed
            return [.failParked(.abandoned)]
        case .release, .indexed, .indexingFailed, .opened, .openingFailed, .abandoned,
            .sourceLost, .evict, .resume:
            return []
        }
    }

    private mutating func receiveFailed(_ event: Event, _ number: JobNumber) -> [Effect] {
        switch event {
        case .register: return [.reject(.exists)]
        case .initialize: return [.reject(.failed)]
        case .retry: return [.announce(.acquire), .reject(.failed)]
        case .acquire:
            guard recoversOnAcquire else { return [.announce(.acquire), .reject(.failed)] }
            recoversOnAcquire = false
            return recoverWaiting(number)
        case .recover: return recoverWaiting(number)
        case .destroy:
            guard leases == 0 else { return [.reject(.inUse)] }
            return destroyIdle()
        case .resume(recovering: true):
            state = .recovering(job: number)
            return [.announce(.recover), .start(job: number)]
        case .release, .indexed, .indexingFailed, .opened, .openingFailed, .abandoned,
            .sourceLost, .evict, .resume:
            return []
        }
    }

    // MARK: What several states share

    private mutating func publish() -> [Effect] {
        state = .available
        return [.commit(.publish), .announce(.makeAvailable), .retryParked]
    }

    private mutating func failWaiting() -> [Effect] {
        state = .failed
        return [.commit(.update), .announce(.fail), .failParked(.failed)]
    }

    private mutating func recoverWaiting(_ number: JobNumber) -> [Effect] {
        state = .recovering(job: number)
        return [.commit(.update), .announce(.recover), .start(job: number), .park]
    }

    private mutating func destroyIdle() -> [Effect] {
        state = .absent
        return [.commit(.remove), .announce(.destroy), .complete]
    }

    private mutating func destroyBusy(_ job: JobNumber) -> [Effect] {
        state = .absent
        return [
            .cancel(job: job), .commit(.remove), .announce(.destroy), .failParked(.destroyed),
            .complete,
        ]
    }
}
