import ShardLifecycle

typealias Event = ShardLifecycle.Event
typealias Effect = ShardLifecycle.Effect

/// A state, with the leases and the policy it may have, and the way to get there.
struct Situation: Equatable, Sendable {
    /// A state without its job.
    enum Place: Int, CaseIterable, Sendable {
        case absent, registered, initializing, available, opening, open, recovering, failed

        init(_ state: ShardLifecycle.State) {
            self =
                switch state {
                case .absent: .absent
                case .registered: .registered
                case .initializing: .initializing
                case .available: .available
                case .opening: .opening
                case .open: .open
                case .recovering: .recovering
                case .failed: .failed
                }
        }

        /// Whether a lease may be out.
        var mayBeLeased: Bool { self != .absent && self != .registered && self != .initializing }
    }

    /// The job of the state, another job, and the number that comes with an event.
    static let ownJob: UInt64 = 7
    static let otherJob: UInt64 = 8
    static let newJob: UInt64 = 9

    let place: Place
    let leases: UInt32
    let recoversOnAcquire: Bool

    /// Every situation there can be, with one lease at most.
    static let all: [Situation] = Place.allCases.flatMap { place in
        (place.mayBeLeased ? [0, 1] : [0]).flatMap { leases in
            [false, true].map { Situation(place: place, leases: leases, recoversOnAcquire: $0) }
        }
    }

    /// A shard in this situation, brought there by events.
    func shard() -> ShardLifecycle {
        var shard = restingShard()
        for event in approach { _ = shard.receive(event, job: Self.ownJob) }
        shard.setLeases(leases)
        return shard
    }

    private func restingShard() -> ShardLifecycle {
        let resting: ShardLifecycle.Resting =
            switch place {
            case .absent: .absent
            case .registered, .initializing: .registered
            case .available, .opening, .open: .available
            case .recovering, .failed: .failed
            }
        return ShardLifecycle(resting, recoversOnAcquire: recoversOnAcquire)
    }

    private var approach: [Event] {
        switch place {
        case .absent, .registered, .available, .failed: []
        case .initializing: [.initialize]
        case .opening: [.acquire]
        case .open: [.acquire, .opened(job: Self.ownJob)]
        case .recovering: [.recover]
        }
    }

    /// Whether a line of the table speaks of this situation and `event`.
    func matches(_ line: Transitions.Line, _ event: Event) -> Bool {
        guard line.state == words(shard().state), line.events.contains(Substring(words(event)))
        else { return false }
        return line.conditions.allSatisfy { condition in
            switch condition {
            case "free": leases == 0
            case "leased": leases > 0
            case "strict": !recoversOnAcquire
            case "sparing": recoversOnAcquire
            default: preconditionFailure("no such condition: \(condition)")
            }
        }
    }

    /// Describes `shard`, which was in this situation, in the words of the table.
    func outcome(_ shard: ShardLifecycle, _ effects: [Effect]) -> String {
        var parts = [words(shard.state)]
        if shard.leases > leases { parts.append("+\(shard.leases - leases)") }
        if shard.leases < leases { parts.append("-\(leases - shard.leases)") }
        if shard.recoversOnAcquire != recoversOnAcquire {
            parts.append(shard.recoversOnAcquire ? "sparing" : "strict")
        }
        return (parts + ["|"] + effects.map { words($0) }).joined(separator: " ")
    }
}

extension Event {
    private static let own = Situation.ownJob
    private static let other = Situation.otherJob

    /// The events of callers.
    static let ofCallers: [Event] = [
        .register(indexesNow: false), .register(indexesNow: true), .initialize, .acquire, .retry,
        .recover, .destroy,
    ]

    /// Every event, those of jobs once for the state's own job and once for another.
    static let all: [Event] =
        ofCallers
        + [own, other].flatMap { job -> [Event] in
            [
                .indexed(job: job), .indexingFailed(job: job), .opened(job: job),
                .openingFailed(job: job), .abandoned(job: job),
            ]
        } + [
            .release, .sourceLost, .evict, .resume(recovering: false), .resume(recovering: true),
        ]
}

// MARK: The words of the table

func words(job: UInt64) -> String {
    switch job {
    case Situation.ownJob: "(j)"
    case Situation.otherJob: "(x)"
    case Situation.newJob: "(n)"
    default: "(\(job))"
    }
}

func words(_ state: ShardLifecycle.State) -> String {
    switch state {
    case .initializing(let job), .opening(let job), .recovering(let job):
        "\(Situation.Place(state))\(words(job: job))"
    case .absent, .registered, .available, .open, .failed:
        "\(Situation.Place(state))"
    }
}

func words(_ event: Event) -> String {
    switch event {
    case .register(let indexesNow): indexesNow ? "register-now" : "register-later"
    case .indexed(let job): "indexed\(words(job: job))"
    case .indexingFailed(let job): "indexingFailed\(words(job: job))"
    case .opened(let job): "opened\(words(job: job))"
    case .openingFailed(let job): "openingFailed\(words(job: job))"
    case .abandoned(let job): "abandoned\(words(job: job))"
    case .resume(let recovering): recovering ? "resume-recovering" : "resume-initializing"
    case .initialize, .acquire, .retry, .release, .recover, .destroy, .sourceLost, .evict:
        "\(event)"
    }
}

func words(_ effect: Effect) -> String {
    switch effect {
    case .commit(let change): "#\(change)"
    case .announce(let operation): "!\(operation)"
    case .start(let job): "start\(words(job: job))"
    case .open(let job): "open\(words(job: job))"
    case .cancel(let job): "cancel\(words(job: job))"
    case .reject(let rejection): "reject-\(rejection)"
    case .failParked(let parting): "part-\(parting)"
    case .close, .grant, .park, .complete, .retryParked: "\(effect)"
    }
}
