import Testing

/// Walks through every order in which the steps of some threads can come about.
///
/// A state is a value, and `step` computes the next one of a thread. The walk visits each state once.
struct Interleavings<State: Hashable> {
    /// Makes the next step of a thread; nil if it cannot go on now, or has ended.
    let step: (State, _ thread: Int) -> State?
    let threadCount: Int

    /// All states that can come about.
    func reachable(from start: State) -> Set<State> {
        var seen: Set<State> = [start]
        var open = [start]
        while let state = open.popLast() {
            for thread in 0..<threadCount {
                guard let next = step(state, thread), seen.insert(next).inserted else { continue }
                open.append(next)
            }
        }
        return seen
    }
}

/// `Reading` and `Reclaimer` as a model: a reader, a reclaimer, and a processor that holds the reader's stores back.
struct MarkModel: Hashable {
    /// The parts of the protocol.
    ///
    /// The model must find a fault if one is left out.
    struct Design: Hashable {
        var marksFirst = true
        var hasBarrier = true
        var waits = true
        var unlinksFirst = true
    }

    let design: Design
    // Memory.
    var isMarked = false
    var isLinked = true
    var isFreed = false
    /// The reader's mark in its store buffer: nil if the buffer is empty.
    var buffered: Bool?
    var readerAt = 0
    var reclaimerAt = 0
    /// Whether the reader found the object.
    var hasFound = false
    /// Whether the reader touched freed memory.
    var isBroken = false
    /// Whether the reclaimer saw the mark, and has to see it go.
    var isWaiting = false

    /// Threads: 0 the reader, 1 the reclaimer, 2 the reader's store buffer.
    func step(_ thread: Int) -> MarkModel? {
        switch thread {
        case 0: readerStep()
        case 1: reclaimerStep()
        default: drained()
        }
    }

    private func drained() -> MarkModel? {
        guard let buffered else { return nil }
        var next = self
        next.isMarked = buffered
        next.buffered = nil
        return next
    }

    private func readerStep() -> MarkModel? {
        var next = self
        next.readerAt += 1
        // Two readings one after the other: the second must not be mistaken for the first.
        switch (readerAt % 4, design.marksFirst) {
        case (0, true), (1, false): next.buffered = true
        case (1, true), (0, false): next.hasFound = isLinked
        case (2, _): next.isBroken = isBroken || (hasFound && isFreed)
        case (3, _):
            // Stores of one processor leave it in order.
            guard buffered == nil else { return nil }
            next.buffered = false
        default: break
        }
        return readerAt < 8 ? next : nil
    }

    private func reclaimerStep() -> MarkModel? {
        var next = self
        next.reclaimerAt += 1
        switch reclaimerAt {
        case 0: if design.unlinksFirst { next.isLinked = false }
        case 1:
            // membarrier: after it, all stores of the reader are visible.
            if design.hasBarrier, let buffered {
                next.isMarked = buffered
                next.buffered = nil
            }
        case 2: next.isWaiting = isMarked
        case 3: if design.waits, isWaiting, isMarked { return nil }
        case 4: next.isFreed = true
        case 5: next.isLinked = false
        default: return nil
        }
        return next
    }
}

/// `LeaseGate` as a model: two takers that give back, and an owner that closes and sums.
struct GateModel: Hashable {
    /// The parts of the protocol.
    ///
    /// The model must find a fault if one is left out.
    struct Design: Hashable {
        /// A taker looks at the gate after it has added.
        var looksAgain = true
        /// The owner closes before it sums.
        var closesFirst = true
        /// A thread that gives back a lease reads the gate and informs the owner.
        var tells = true
    }

    struct Taker: Hashable {
        var at = 0
        var isIn = false
    }

    let design: Design
    var isOpen = true
    var stripes = [0, 0]
    var takers = [Taker(), Taker()]
    var ownerAt = 0
    var sum = 0
    /// The owner found no lease, and freed the shard.
    var isGone = false
    /// The owner found a lease, and waits for a message.
    var isWaiting = false
    var letters = 0
    /// Whether a thread has a lease of a freed shard.
    var isBroken: Bool { isGone && takers.contains(where: \.isIn) }

    /// Threads: 0 and 1 the takers, 2 the owner.
    func step(_ thread: Int) -> GateModel? { thread < 2 ? takerStep(thread) : ownerStep() }

    private func takerStep(_ thread: Int) -> GateModel? {
        var next = self
        next.takers[thread].at += 1
        switch takers[thread].at {
        case 0:
            guard isOpen else {
                next.takers[thread].at = 6
                return next
            }
        // Without a second look the lease is there from here on.
        case 1:
            next.stripes[thread] += 1
            if !design.looksAgain { next.takers[thread].isIn = true }
        case 2:
            guard design.looksAgain else { break }
            if isOpen { next.takers[thread].isIn = true } else { next.takers[thread].at = 5 }
        case 3:
            // The lease ends on the other thread's stripe.
            next.takers[thread].isIn = false
            next.stripes[1 - thread] -= 1
        case 4:
            if design.tells, !isOpen { next.letters += 1 }
            next.takers[thread].at = 7
        case 5:
            // Refused: the thread subtracts its lease, and informs the owner.
            next.stripes[thread] -= 1
            if design.tells { next.letters += 1 }
            next.takers[thread].at = 7
        default: return nil
        }
        return next
    }

    private func ownerStep() -> GateModel? {
        var next = self
        next.ownerAt += 1
        switch ownerAt {
        case 0: if design.closesFirst { next.isOpen = false }
        case 1: next.sum = stripes[0]
        case 2: next.sum += stripes[1]
        case 3:
            next.isOpen = false
            if sum == 0 { next.isGone = true } else { next.isWaiting = true }
        case 4:
            guard isWaiting, letters > 0 else { return nil }
            next.letters -= 1
            next.ownerAt = 1
            next.isWaiting = false
        default: return nil
        }
        return next
    }

    /// Whether no thread can do anything, although the shard is still there.
    var isStuck: Bool { !isGone && (0..<3).allSatisfy { step($0) == nil } }
}

/// The two protocols of this module, in every order of their steps.
@Suite("Protocols of shared reads, in every order")
struct ProtocolModelTests {
    private func isBroken(_ design: MarkModel.Design) -> Bool {
        let walk = Interleavings<MarkModel>(step: { $0.step($1) }, threadCount: 3)
        return walk.reachable(from: MarkModel(design: design)).contains(where: \.isBroken)
    }

    @Test("nothing is freed that a reader has found")
    func marks() {
        #expect(!isBroken(MarkModel.Design()))
    }

    @Test("every part of the protocol of marks is needed")
    func marksMutated() {
        #expect(isBroken(MarkModel.Design(marksFirst: false)))
        #expect(isBroken(MarkModel.Design(hasBarrier: false)))
        #expect(isBroken(MarkModel.Design(waits: false)))
        #expect(isBroken(MarkModel.Design(unlinksFirst: false)))
    }

    private func states(_ design: GateModel.Design) -> Set<GateModel> {
        let walk = Interleavings<GateModel>(step: { $0.step($1) }, threadCount: 3)
        return walk.reachable(from: GateModel(design: design))
    }

    @Test("a shard is freed once it has no leases, and never before")
    func gate() {
        let states = states(GateModel.Design())
        #expect(!states.contains { $0.isBroken })
        #expect(!states.contains { $0.isStuck })
        #expect(states.contains { $0.isGone && $0.takers.allSatisfy { $0.at >= 5 } })
    }

    @Test("every part of the protocol of the gate is needed")
    func gateMutated() {
        #expect(states(GateModel.Design(looksAgain: false)).contains { $0.isBroken })
        #expect(states(GateModel.Design(closesFirst: false)).contains { $0.isBroken })
        #expect(states(GateModel.Design(tells: false)).contains { $0.isStuck })
    }
}
