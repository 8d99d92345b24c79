import ShardLifecycle
import Testing

@Suite("Shard lifecycle")
struct ShardLifecycleTests {
    // MARK: The whole table

    @Test("every event in every situation has the effects in the table", arguments: Situation.all)
    func table(situation: Situation) {
        for event in Event.all where event != .release || situation.leases > 0 {
            let lines = Transitions.lines.filter { situation.matches($0, event) }
            #expect(lines.count == 1, "\(event) is answered by \(lines)")
            var shard = situation.shard()
            let effects = shard.receive(event, job: Situation.newJob)
            #expect(situation.outcome(shard, effects) == lines.first?.outcome, "\(event)")
        }
    }

    @Test("no line of the table is idle", arguments: Transitions.lines)
    func linesAreUsed(line: Transitions.Line) {
        for word in line.events {
            let isUsed = Situation.all.contains { situation in
                Event.all.contains { words($0) == word && situation.matches(line, $0) }
            }
            #expect(isUsed, "\(word)")
        }
    }

    @Test("a situation has its documented state", arguments: Situation.all)
    func situations(situation: Situation) {
        let shard = situation.shard()
        #expect(Situation.Place(shard.state) == situation.place)
        #expect(shard.leases == situation.leases)
        #expect(shard.recoversOnAcquire == situation.recoversOnAcquire)
    }

    @Test("only the caller of an event gets an answer, exactly one", arguments: Situation.all)
    func answers(situation: Situation) {
        for event in Event.all where event != .release || situation.leases > 0 {
            var shard = situation.shard()
            let answers = shard.receive(event, job: Situation.newJob).filter { $0.isAnswer }
            #expect(answers.count == (Event.ofCallers.contains(event) ? 1 : 0), "\(event)")
        }
    }

    // MARK: The faults of the Go store

    // After a crash during a recovery, acquirers stayed parked forever, and recovery was refused.
    @Test("a recovery that a crash interrupted is taken up again", arguments: [0, 1] as [UInt32])
    func interruptedRecovery(leases: UInt32) {
        var shard = ShardLifecycle(.failed)
        #expect(
            shard.receive(.resume(recovering: true), job: 1) == [
                .announce(.recover), .start(job: 1),
            ]
        )
        shard.setLeases(leases)
        #expect(shard.receive(.acquire, job: 2) == [.park])
        #expect(
            shard.receive(.indexed(job: 1), job: 3) == [
                .commit(.publish), .announce(.makeAvailable), .retryParked,
            ]
        )
        #expect(shard.receive(.retry, job: 4) == [.open(job: 4), .park])
        #expect(shard.receive(.opened(job: 4), job: 5) == [.retryParked])
        #expect(shard.receive(.retry, job: 6) == [.announce(.acquire), .grant])
        #expect(shard.leases == leases + 1)
    }

    // If no owner resumes it, it is a failed shard like any other.
    @Test("a shard whose recovery was interrupted can be recovered by hand")
    func recoverableByHand() {
        var shard = ShardLifecycle(.failed)
        #expect(
            shard.receive(.recover, job: 1) == [
                .commit(.update), .announce(.recover), .start(job: 1), .park,
            ]
        )
        #expect(shard.receive(.abandoned(job: 1), job: 2) == [.failParked(.abandoned)])
        #expect(shard.state == .failed)
        #expect(shard.receive(.recover, job: 3).last == .park)
        #expect(shard.state == .recovering(job: 3))
    }

    // The Go store made a failed shard available again when its last reference was released.
    @Test("the last release of a failed shard leaves it failed")
    func releaseOfFailed() {
        var shard = Situation(place: .open, leases: 1, recoversOnAcquire: false).shard()
        #expect(
            shard.receive(.sourceLost, job: 1) == [.close, .commit(.update), .announce(.fail)]
        )
        #expect(shard.receive(.destroy, job: 2) == [.reject(.inUse)])
        #expect(shard.receive(.release, job: 3) == [.announce(.release)])
        #expect(shard.state == .failed)
        #expect(shard.leases == 0)
        #expect(shard.receive(.acquire, job: 4) == [.announce(.acquire), .reject(.failed)])
    }

    // The Go store persisted a destroyed shard again when its indexing job came in late.
    @Test(
        "a completion that arrives after destroy brings nothing back",
        arguments: [
            Event.indexed(job: 1), .indexingFailed(job: 1), .opened(job: 1),
            .openingFailed(job: 1), .abandoned(job: 1),
        ]
    )
    func lateCompletion(event: Event) {
        var shard = ShardLifecycle()
        _ = shard.receive(.register(indexesNow: true), job: 1)
        #expect(
            shard.receive(.destroy, job: 2) == [
                .cancel(job: 1), .commit(.remove), .announce(.destroy), .failParked(.destroyed),
                .complete,
            ]
        )
        #expect(shard.receive(event, job: 3) == [])
        #expect(shard == ShardLifecycle())
        _ = shard.receive(.register(indexesNow: true), job: 4)
        #expect(shard.receive(event, job: 5) == [])
        #expect(shard.state == .initializing(job: 4))
    }

    // MARK: What leases and policies go through

    @Test("leases outlive the failure and the recovery of their shard")
    func leasesSurvive() {
        var shard = Situation(place: .open, leases: 0, recoversOnAcquire: false).shard()
        shard.setLeases(3)
        for event in [
            .sourceLost, .recover, .indexed(job: 2), .acquire, .opened(job: 4), .retry,
        ] as [Event] {
            _ = shard.receive(event, job: event == .recover ? 2 : 4)
        }
        #expect(shard.state == .open)
        #expect(shard.leases == 4)
        for left in (0..<4).reversed() as ReversedCollection<Range<UInt32>> {
            #expect(shard.receive(.evict, job: 5) == [])
            #expect(shard.receive(.destroy, job: 5) == [.reject(.inUse)])
            #expect(shard.receive(.release, job: 5) == [.announce(.release)])
            #expect(shard.leases == left)
        }
        #expect(shard.receive(.evict, job: 6) == [.close])
        #expect(shard.state == .available)
    }

    @Test("an acquirer recovers a failed shard once and no more")
    func recoversOnce() {
        var shard = ShardLifecycle(.failed, recoversOnAcquire: true)
        #expect(shard.receive(.acquire, job: 1).contains(.start(job: 1)))
        #expect(shard.receive(.indexingFailed(job: 1), job: 2).contains(.failParked(.failed)))
        #expect(shard.receive(.acquire, job: 3) == [.announce(.acquire), .reject(.failed)])
        #expect(!shard.recoversOnAcquire)
    }

    @Test("a store that was closed while indexing resumes without waiters")
    func resumes() {
        var shard = ShardLifecycle(.registered)
        let effects = shard.receive(.resume(recovering: false), job: 1)
        let finish = shard.receive(.indexed(job: 1), job: 2)
        #expect(
            effects + finish == [
                .announce(.register), .announce(.initialize), .start(job: 1), .commit(.publish),
                .announce(.makeAvailable), .retryParked,
            ]
        )
    }

    @Test("sixteen acquirers of a shard that is not indexed start one job and get sixteen leases")
    func oneJob() {
        var shard = ShardLifecycle(.registered)
        let first = (1...16).flatMap { shard.receive(.acquire, job: $0) }
        #expect(first.filter { $0.startsJob } == [.start(job: 1)])
        _ = shard.receive(.indexed(job: 1), job: 17)
        let second = (18...33).flatMap { shard.receive(.retry, job: $0) }
        #expect(second.filter { $0.startsJob } == [.open(job: 18)])
        _ = shard.receive(.opened(job: 18), job: 34)
        let third = (35...50).flatMap { shard.receive(.retry, job: $0) }
        #expect(third.filter { $0 == .announce(.acquire) }.count == 16)
        #expect(third.filter { $0 == .grant }.count == 16)
        #expect(third.count == 32)
        #expect(shard.leases == 16)
    }

    @Test("an owner whose commit failed puts back the value from before")
    func undo() {
        let before = Situation(place: .initializing, leases: 0, recoversOnAcquire: true).shard()
        var shard = before
        _ = shard.receive(.indexed(job: Situation.ownJob), job: 1)
        shard = before
        #expect(
            shard.receive(.abandoned(job: Situation.ownJob), job: 2) == [.failParked(.abandoned)]
        )
        #expect(shard.state == .registered)
    }

    // MARK: The owner's bugs

    @Test("a lease that is released twice ends the process")
    func doubleRelease() async {
        await #expect(processExitsWith: .failure) {
            var shard = Situation(place: .open, leases: 1, recoversOnAcquire: false).shard()
            _ = shard.receive(.release, job: 1)
            guard shard.leases == 0 else { return }
            _ = shard.receive(.release, job: 2)
        }
    }

    @Test("no state forgives a release without a lease", arguments: Situation.Place.allCases)
    func releaseWithoutLease(place: Situation.Place) async {
        await #expect(processExitsWith: .failure) { [number = place.rawValue as Int] in
            guard let place = Situation.Place(rawValue: number) else { return }
            var shard = Situation(place: place, leases: 0, recoversOnAcquire: false).shard()
            _ = shard.receive(.release, job: Situation.newJob)
        }
    }

    @Test(
        "a lease of a shard that was never available ends the process",
        arguments: Situation.Place.allCases.filter { !$0.mayBeLeased }
    )
    func impossibleLease(place: Situation.Place) async {
        await #expect(processExitsWith: .failure) { [number = place.rawValue as Int] in
            guard let place = Situation.Place(rawValue: number) else { return }
            var shard = Situation(place: place, leases: 0, recoversOnAcquire: false).shard()
            shard.setLeases(1)
        }
    }
}

extension Effect {
    /// Whether it answers the caller of its event.
    var isAnswer: Bool {
        switch self {
        case .grant, .park, .complete, .reject: true
        case .commit, .announce, .start, .open, .cancel, .close, .retryParked, .failParked: false
        }
    }

    /// Whether it begins something that ends with a completion.
    var startsJob: Bool {
        switch self {
        case .start, .open: true
        case .commit, .announce, .cancel, .close, .grant, .park, .complete, .reject, .retryParked,
            .failParked:
            false
        }
    }
}
