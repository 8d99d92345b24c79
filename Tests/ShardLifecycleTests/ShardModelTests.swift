import ShardLifecycle
import Testing

@Suite("Shard model")
struct ShardModelTests {
    static let eventCount: UInt64 = 250_000

    /// Which events met which states.
    private struct Coverage {
        static let eventKinds = 15
        var isMet = Array(
            repeating: Array(repeating: false, count: eventKinds),
            count: Situation.Place.allCases.count
        )

        mutating func note(_ state: ShardLifecycle.State, _ event: Event) {
            isMet[Situation.Place(state).rawValue][event.kind] = true
        }

        /// The pairs that were not met, without those that cannot be.
        var missing: [String] {
            Situation.Place.allCases.flatMap { place in
                (0..<Self.eventKinds)
                    .filter { !isMet[place.rawValue][$0] }
                    .filter { $0 != Event.release.kind || place.mayBeLeased }
                    .map { "\(place) and event \($0)" }
            }
        }
    }

    // A million events, in four runs that the machine may do side by side.
    @Test(
        "under random events no caller is lost and the state agrees with the disk",
        arguments: [1, 2, 3, 4] as [UInt64]
    )
    func anything(seed: UInt64) {
        var dice = Dice(state: seed)
        var model = ShardModel(recoversOnAcquire: seed % 2 == 0)
        var coverage = Coverage()
        while model.number < Self.eventCount, model.complaint == nil {
            Self.step(&model, &dice, &coverage)
        }
        #expect(model.complaint == nil, "seed \(seed), event \(model.number)")
        #expect(coverage.missing == [])
        // Every job ends one day, and then every caller has an answer.
        while model.complaint == nil, model.job != nil || !model.returning.isEmpty {
            model.finishJob(well: dice.roll(2) == 0, failsToCommit: false)
            while !model.returning.isEmpty { model.callBack() }
        }
        #expect(model.complaint == nil, "seed \(seed), at the end")
        #expect(model.came == model.ended)
        #expect(model.parked.isEmpty)
    }

    private static func step(
        _ model: inout ShardModel,
        _ dice: inout Dice,
        _ coverage: inout Coverage
    ) {
        let failsToCommit = dice.roll(50) == 0
        let state = model.shard.state
        switch dice.roll(64) {
        case 0..<24:
            let event = Event.ofCallers[Int(dice.roll(UInt64(Event.ofCallers.count)))]
            // Destruction is rare, so that the other events have effects.
            guard event != .destroy || dice.roll(4) == 0 else {
                return Self.acquire(&model, &coverage)
            }
            coverage.note(state, event)
            model.call(event == .retry ? .initialize : event, failsToCommit: failsToCommit)
        case 24..<34:
            model.finishJob(well: dice.roll(4) > 0, failsToCommit: failsToCommit)
        case 34..<46:
            if let isAcquirer = model.returning.last {
                coverage.note(state, isAcquirer ? .retry : .initialize)
            }
            model.callBack()
        case 46..<56:
            if model.leases > 0 { coverage.note(state, .release) }
            model.release()
        case 56..<62:
            let event = Self.stray(&model, &dice)
            coverage.note(state, event)
            model.hear(event, failsToCommit: failsToCommit)
        default:
            guard dice.roll(8) == 0 else { return Self.acquire(&model, &coverage) }
            model.restart(recoversOnAcquire: dice.roll(2) == 0)
        }
    }

    private static func acquire(_ model: inout ShardModel, _ coverage: inout Coverage) {
        coverage.note(model.shard.state, .acquire)
        model.call(.acquire, failsToCommit: false)
    }

    /// Something that may come at any time: a word of a job under way or long gone, or of no job.
    private static func stray(_ model: inout ShardModel, _ dice: inout Dice) -> Event {
        // The current job sends only its own events; an older job may send any.
        let past = model.job.map { $0.number &- 1 &- dice.roll(3) } ?? model.number
        switch dice.roll(10) {
        case 0: return .indexed(job: past)
        case 1: return .indexingFailed(job: past)
        case 2: return .opened(job: past)
        case 3: return .openingFailed(job: past)
        case 4: return .abandoned(job: past)
        case 5: return .abandoned(job: model.job?.number ?? past)
        case 6: return .sourceLost
        case 7: return .resume(recovering: dice.roll(2) == 0)
        default: return .evict
        }
    }
}

extension Event {
    /// A number for each case.
    fileprivate var kind: Int {
        switch self {
        case .register: 0
        case .initialize: 1
        case .acquire: 2
        case .retry: 3
        case .release: 4
        case .recover: 5
        case .destroy: 6
        case .indexed: 7
        case .indexingFailed: 8
        case .opened: 9
        case .openingFailed: 10
        case .abandoned: 11
        case .sourceLost: 12
        case .evict: 13
        case .resume: 14
        }
    }
}
