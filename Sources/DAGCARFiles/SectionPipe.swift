internal import DAGMounts
internal import Dispatch
internal import ShardIndex
internal import SharedReads

/// Scans the sections of a CAR on a thread of its own, some batches ahead of the thread that indexes them.
///
/// Four batches go round: the scanner fills them, the indexer empties them, and returns them.
///
/// *Memory*: five batches. *Concurrency*: `forEach` is called once, on the thread that indexes.
final class SectionPipe: Sendable {
    /// From so many bytes of payload on a thread costs less than it saves.
    static let payloadSizeMin: UInt64 = 1 << 20
    private static let batchCount = 4

    /// Holds a batch on its way.
    private final class Slot: @unchecked Sendable {
        // SAFETY: `@unchecked Sendable`: a slot stands in one list, or one thread has it.
        var batch = SectionBatch()
    }

    /// Takes a walk to its thread.
    private final class WalkBox: @unchecked Sendable {
        // SAFETY: `@unchecked Sendable`: the thread that made the box no longer uses the walk.
        var walk: SectionWalk

        init(_ walk: SectionWalk) { self.walk = walk }
    }

    private struct State {
        var full: [Slot] = []
        var empty: [Slot] = []
        /// How the scan ended: the offset after the last section, or an error.
        var outcome: Result<UInt64, any Error>?
        var isStopped = false
    }

    private let state = Lock(State())
    private let filled = DispatchSemaphore(value: 0)
    private let emptied = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    /// Starts to scan.
    ///
    /// - Parameter walk: Stands before the first section to scan; its source is read until `forEach` has returned.
    init(_ walk: consuming SectionWalk) {
        for _ in 0..<Self.batchCount { returnSlot(Slot()) }
        let box = WalkBox(walk)
        SystemThread.start("dagstore.scan") { [self] in
            let outcome = Result { try scan(&box.walk) }
            state.withLock { $0.outcome = outcome }
            filled.signal()
            ended.signal()
        }
    }

    /// Calls `body` with every batch, in CAR order.
    ///
    /// - Returns: The payload offset after the last section.
    /// - Throws: `CARError`, `MountError`, and what `body` throws; the scan has ended then.
    func forEach(_ body: (borrowing SectionBatch) throws -> Void) throws -> UInt64 {
        defer {
            state.withLock { $0.isStopped = true }
            emptied.signal()
            ended.wait()
        }
        while true {
            filled.wait()
            let (slot, outcome) = state.withLock { state in
                state.full.isEmpty ? (nil, state.outcome) : (state.full.removeFirst(), nil)
            }
            if let slot {
                try body(slot.batch)
                returnSlot(slot)
            } else if let outcome {
                return try outcome.get()
            }
        }
    }

    private func returnSlot(_ slot: Slot) {
        slot.batch.removeAll()
        state.withLock { $0.empty.append(slot) }
        emptied.signal()
    }

    /// Passes a batch on to the thread that indexes, and leaves an empty one.
    ///
    /// - Returns: Whether the thread that indexes wants more.
    private func passOn(_ batch: inout SectionBatch) -> Bool {
        emptied.wait()
        guard let slot = state.withLock({ $0.isStopped ? nil : $0.empty.popLast() }) else {
            // The next call must not wait either.
            emptied.signal()
            return false
        }
        swap(&slot.batch, &batch)
        state.withLock { $0.full.append(slot) }
        filled.signal()
        return true
    }

    /// Scans everything, unless it is stopped.
    private func scan(_ walk: inout SectionWalk) throws -> UInt64 {
        var batch = SectionBatch()
        let outcome = Result { try walk.forEach(into: &batch) { passOn(&$0) } }
        // The sections before a damaged one may have an error of their own, which comes first.
        if batch.count > 0 { _ = passOn(&batch) }
        try outcome.get()
        return walk.position
    }
}
