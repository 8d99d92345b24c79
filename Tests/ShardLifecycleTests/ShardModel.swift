import ShardLifecycle

/// A small generator with the same numbers for the same seed.
///
/// It is here so that `mutants.sh` can build this suite with only the tested module. Source: Steele, Lea and Flood,
/// "Fast splittable pseudorandom number generators".
struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }

    /// A number below `bound`.
    mutating func roll(_ bound: UInt64) -> UInt64 { next() % bound }
}

/// The owner of one shard, simulated: its disk, its jobs, its parked callers and its leases.
///
/// It compares every effect with the owner's state, and keeps the first wrong one in `complaint`.
struct ShardModel {
    /// The record on disk: the state at the last commit, and whether a job was running.
    struct Record: Equatable {
        var resting: ShardLifecycle.Resting
        var isPassing: Bool
    }

    /// The purpose of a job.
    enum Work { case indexing, opening }

    private(set) var shard: ShardLifecycle
    /// The count that threads would change; the shard gets it before each event.
    private(set) var leases: UInt32 = 0
    private(set) var record = Record(resting: .absent, isPassing: false)
    private(set) var job: (number: UInt64, work: Work)?
    private(set) var isInMemory = false
    /// Those parked, by whether they acquire.
    private(set) var parked: [Bool] = []
    /// Those that are to come back, the next one last.
    private(set) var returning: [Bool] = []
    /// How many callers came, and how many of them have been answered for good.
    private(set) var came = 0
    private(set) var ended = 0
    private(set) var number: UInt64 = 0
    private(set) var complaint: String?

    init(recoversOnAcquire: Bool) {
        shard = ShardLifecycle(.absent, recoversOnAcquire: recoversOnAcquire)
    }

    // MARK: What may happen

    /// A caller comes with `event`.
    ///
    /// - Parameters:
    ///   - event: The caller's event.
    ///   - failsToCommit: Whether the disk refuses writes now.
    mutating func call(_ event: Event, failsToCommit: Bool) {
        came += 1
        deliver(event, asAcquirer: event == .acquire, failsToCommit: failsToCommit)
    }

    /// One of those that were parked comes back.
    mutating func callBack() {
        guard let isAcquirer = returning.popLast() else { return }
        deliver(isAcquirer ? .retry : .initialize, asAcquirer: isAcquirer, failsToCommit: false)
    }

    /// Receives an event that has no caller.
    ///
    /// - Parameters:
    ///   - event: The event; it may complete a job that does not exist.
    ///   - failsToCommit: Whether the disk refuses writes now.
    mutating func hear(_ event: Event, failsToCommit: Bool) {
        deliver(event, asAcquirer: nil, failsToCommit: failsToCommit)
    }

    /// A lease ends, if there is one.
    mutating func release() {
        guard leases > 0 else { return }
        deliver(.release, asAcquirer: nil, failsToCommit: false)
    }

    /// The job of the state ends, if there is one.
    mutating func finishJob(well: Bool, failsToCommit: Bool) {
        guard let job else { return }
        switch (job.work, well) {
        case (.indexing, true): hear(.indexed(job: job.number), failsToCommit: failsToCommit)
        case (.indexing, false):
            hear(.indexingFailed(job: job.number), failsToCommit: failsToCommit)
        case (.opening, true): hear(.opened(job: job.number), failsToCommit: failsToCommit)
        case (.opening, false):
            hear(.openingFailed(job: job.number), failsToCommit: failsToCommit)
        }
    }

    /// The process ends, with everything that was in memory, and the store is opened again.
    mutating func restart(recoversOnAcquire: Bool) {
        ended = came
        parked = []
        returning = []
        job = nil
        isInMemory = false
        leases = 0
        shard = ShardLifecycle(record.resting, recoversOnAcquire: recoversOnAcquire)
        guard record.isPassing else { return }
        hear(.resume(recovering: record.resting == .failed), failsToCommit: false)
        demand(job != nil, "an interrupted job is not resumed")
    }

    // MARK: What the owner does

    private mutating func deliver(_ event: Event, asAcquirer isAcquirer: Bool?, failsToCommit: Bool)
    {
        number += 1
        shard.setLeases(leases)
        let before = shard
        let effects = shard.receive(event, job: number)
        let isCommitted = !failsToCommit || !effects.contains { $0.isCommit }
        guard isCommitted else {
            shard = before
            if isAcquirer != nil { ended += 1 }
            // A job whose result cannot be written has none.
            guard let job, event.isOutcome(of: job.number) else { return checkInvariants(event) }
            return hear(.abandoned(job: job.number), failsToCommit: false)
        }
        // The owner of the events that end a job forgets the job first; so does one that destroys.
        if let job, event.isOutcome(of: job.number), before != shard { self.job = nil }
        if event == .release { leases -= 1 }
        var answers = 0
        for effect in effects {
            if effect.isAnswer { answers += 1 }
            apply(effect, asAcquirer: isAcquirer)
        }
        demand(answers == (isAcquirer == nil ? 0 : 1), "\(answers) answers to \(event)")
        checkInvariants(event)
    }

    private mutating func apply(_ effect: Effect, asAcquirer isAcquirer: Bool?) {
        switch effect {
        case .commit(let change): commit(change)
        case .announce: break
        case .start(let number): begin(number, .indexing)
        case .open(let number): begin(number, .opening)
        case .cancel(let number):
            demand(job?.number == number, "a job is cancelled that is not under way")
            job = nil
        case .close:
            demand(isInMemory, "there is nothing to close")
            isInMemory = false
        case .grant:
            demand(isAcquirer == true, "a lease is granted to one who did not ask")
            demand(isInMemory, "a lease is granted of what is not in memory")
            leases += 1
            ended += 1
        case .complete:
            demand(isAcquirer == false, "an acquirer is done without a lease")
            ended += 1
        case .reject: ended += 1
        case .park: parked.append(isAcquirer ?? false)
        case .retryParked:
            if shard.state == .open { isInMemory = true }
            returning = parked.reversed() + returning
            parked = []
        case .failParked:
            ended += parked.count
            parked = []
        }
    }

    private mutating func commit(_ change: ShardLifecycle.Change) {
        let isKnown = record.resting != .absent
        demand(isKnown == (change != .insert), "\(change) of a record that is not so")
        record = Record(resting: resting, isPassing: isIndexing)
        demand(
            (change == .remove) == (record.resting == .absent),
            "\(change) of a shard that lives"
        )
        demand((change == .publish) == (record.resting == .available), "\(change) of no index")
    }

    private mutating func begin(_ number: UInt64, _ work: Work) {
        demand(job == nil, "a second job is begun")
        demand(number == self.number, "a job has another's number")
        job = (number, work)
    }

    // MARK: What must hold

    /// The record of the state.
    private var resting: ShardLifecycle.Resting {
        switch Situation.Place(shard.state) {
        case .absent: .absent
        case .registered, .initializing: .registered
        case .available, .opening, .open: .available
        case .recovering, .failed: .failed
        }
    }

    private var isIndexing: Bool {
        let place = Situation.Place(shard.state)
        return place == .initializing || place == .recovering
    }

    private mutating func checkInvariants(_ event: Event) {
        let place = Situation.Place(shard.state)
        demand(shard.leases == leases, "\(event): leases are miscounted")
        demand(leases == 0 || place.mayBeLeased, "\(event): leases of a shard that is \(place)")
        demand(record.resting == resting, "\(event): \(place) is on disk as something else")
        demand(isInMemory == (place == .open), "\(event): \(place) in memory, or open and not")
        demand(came == ended + parked.count + returning.count, "\(event): a caller is lost")
        switch shard.state {
        case .initializing(let number), .recovering(let number):
            demand(job?.number == number && job?.work == .indexing, "\(event): nobody indexes")
        case .opening(let number):
            demand(job?.number == number && job?.work == .opening, "\(event): nobody opens")
        case .absent, .registered, .available, .open, .failed:
            demand(job == nil, "\(event): a job outlives its state")
            demand(parked.isEmpty, "\(event): callers wait for nothing")
        }
    }

    private mutating func demand(_ holds: Bool, _ words: @autoclosure () -> String) {
        guard !holds, complaint == nil else { return }
        complaint = words()
    }
}

extension Effect {
    /// Whether it changes the record.
    var isCommit: Bool {
        guard case .commit = self else { return false }
        return true
    }
}

extension Event {
    /// Returns whether it ends the job of this number.
    func isOutcome(of job: UInt64) -> Bool {
        switch self {
        case .indexed(job), .indexingFailed(job), .opened(job), .openingFailed(job),
            .abandoned(job):
            true
        case .register, .initialize, .acquire, .retry, .release, .recover, .destroy, .indexed,
            .indexingFailed, .opened, .openingFailed, .abandoned, .sourceLost, .evict, .resume:
            false
        }
    }
}
