internal import Dispatch
internal import SharedReads

/// A function that runs its argument on a new thread, and does not wait for it.
package typealias HelperThread = (@escaping @Sendable () -> Void) -> Void

/// Collects the hashes of a shard for the inverse index, in order.
///
/// A large shard has a run of its own. The helper, if there is one, packs it while this thread packs the locator.
///
/// *Concurrency*: one thread.
final class InverseHashes {
    private let sink: any IndexSink
    private var hashes: [UInt64] = []
    private var last: UInt64?
    private var builder: InverseRunBuilder?
    private var packing: InversePacking?

    init(entries count: UInt64, _ sink: any IndexSink, helper: HelperThread?) {
        self.sink = sink
        guard count >= UInt64(InverseParts.ownRunFrom) else { return }
        let shape = InverseRunShape(entries: count, shards: 0...0)
        guard let helper else {
            builder = InverseRunBuilder(
                shape,
                makeBuffer: { sink.makeBuffer() },
                sink: { try sink.writeInverse($0, $1) }
            )
            return
        }
        let packing = InversePacking(shape)
        self.packing = packing
        helper { packing.run() }
    }

    /// Adds the hashes of entries in order; the first is not below the last one added.
    ///
    /// - Parameter entries: The entries; the call may exchange their memory.
    /// - Throws: `.storage`.
    func append(_ entries: inout LocatorEntries) throws(ShardIndexError) {
        do {
            if let packing {
                packing.submit(&entries)
                try removeSegments(of: packing)
            } else if builder != nil {
                try builder?.append(hashesOf: entries)
            } else {
                for index in 0..<entries.count {
                    let hash = InverseEntry.hash(of: entries[index].hash)
                    if hash != last { hashes.append(hash) }
                    last = hash
                }
            }
        } catch {
            throw Self.storage(error)
        }
    }

    /// Writes the rest.
    ///
    /// - Returns: The entries for the inverse index.
    /// - Throws: `.storage`.
    func finish() throws(ShardIndexError) -> InverseParts {
        do {
            if let packing {
                let shape = packing.finish()
                try removeSegments(of: packing)
                return .run(shape)
            }
            guard let shape = try builder?.finish() else { return .recent(hashes) }
            return .run(shape)
        } catch {
            throw Self.storage(error)
        }
    }

    /// Waits for the helper; the caller adds nothing afterwards.
    func end() { if let packing { _ = packing.finish() } }

    private func removeSegments(of packing: InversePacking) throws {
        for (number, bytes) in packing.removeSegments() { try sink.writeInverse(number, bytes) }
    }

    private static func storage(_ error: any Error) -> ShardIndexError {
        ShardIndexError(.storage, "a segment of the inverse index", underlying: error)
    }
}

/// Packs the run of a shard on another thread.
///
/// *Memory*: two parts of sorted entries, and the segments that the owner has not taken.
private final class InversePacking: Sendable {
    /// A place for the entries of one part.
    private final class Slot: @unchecked Sendable {
        // SAFETY: `@unchecked Sendable`: a slot is in one list, or one thread has it.
        var entries = LocatorEntries()
    }

    private struct State {
        var full: [Slot] = []
        var empty = [Slot(), Slot()]
        var segments: [(number: Int, bytes: [UInt8])] = []
        /// Whether the last entries have come.
        var isOver = false
        /// The run's shape, after the last entries.
        var shape: InverseRunShape?
    }

    private let first: InverseRunShape
    private let state = Lock(State())
    private let filled = DispatchSemaphore(value: 0)
    private let emptied = DispatchSemaphore(value: 2)
    private let ended = DispatchSemaphore(value: 0)

    init(_ shape: InverseRunShape) { first = shape }

    /// Passes entries on, and exchanges their memory for another.
    func submit(_ entries: inout LocatorEntries) {
        emptied.wait()
        state.withLock { state in
            let slot = state.empty.removeLast()
            swap(&slot.entries, &entries)
            state.full.append(slot)
        }
        filled.signal()
    }

    /// Returns the finished segments, and removes them here.
    func removeSegments() -> [(number: Int, bytes: [UInt8])] {
        state.withLock { state in
            defer { state.segments = [] }
            return state.segments
        }
    }

    /// Ends the run, and waits for its shape.
    ///
    /// - Returns: The shape; later calls return it again.
    func finish() -> InverseRunShape {
        let isFirst = state.withLock { state in
            defer { state.isOver = true }
            return !state.isOver
        }
        if isFirst {
            filled.signal()
            ended.wait()
        }
        guard let shape = state.withLock({ $0.shape }) else {
            preconditionFailure("a packed run has no shape")
        }
        return shape
    }

    /// Packs all entries that come; the body of the thread.
    func run() {
        var builder = InverseRunBuilder(first) { [self] number, bytes in
            state.withLock { $0.segments.append((number, bytes)) }
        }
        do {
            while true {
                filled.wait()
                let slot = state.withLock { state in
                    state.full.isEmpty ? nil : state.full.removeFirst()
                }
                guard let slot else { break }
                try builder.append(hashesOf: slot.entries)
                state.withLock { $0.empty.append(slot) }
                emptied.signal()
            }
            let shape = try builder.finish()
            state.withLock { $0.shape = shape }
        } catch {
            preconditionFailure("a sink in memory refused a segment: \(error)")
        }
        ended.signal()
    }
}

/// Sorts the hashes of a shard without a full index, for the inverse index.
package struct InverseBuilder: ~Copyable {
    private var sorter: LocatorSorter

    /// Creates an empty builder.
    ///
    /// - Parameter budget: The memory for sorting, in bytes; `append(_:spillingTo:)` spills more to its sink.
    package init(budget: Int = .max) { sorter = LocatorSorter(budget: budget) }

    /// Adds the first 64 bits of a keyed hash, and keeps all hashes in memory.
    package mutating func append(_ high: UInt64) {
        sorter.append(LocatorEntry(hash: high, check: high, offset: 0))
    }

    /// Adds the first 64 bits of a keyed hash; spills to the sink if the hashes exceed the budget.
    ///
    /// - Throws: `.storage`.
    package mutating func append(
        _ high: UInt64,
        spillingTo sink: any IndexSink
    ) throws(ShardIndexError) {
        append(high)
        if sorter.isOverBudget { try sorter.spill(to: sink) }
    }

    /// Writes segments to the sink, if the shard has a run of its own.
    ///
    /// - Parameter sink: Receives the segments, and has the spilled hashes.
    /// - Returns: The entries for the inverse index.
    /// - Throws: `.storage`.
    package consuming func finish(to sink: any IndexSink) throws(ShardIndexError) -> InverseParts {
        let inverse = InverseHashes(entries: sorter.count, sink, helper: nil)
        try sorter.drain(from: sink) { entries throws(ShardIndexError) in
            try inverse.append(&entries)
        }
        return try inverse.finish()
    }

    /// Calls `body` with the hash of every entry for the inverse index, in ascending order, without repetition.
    ///
    /// - Parameters:
    ///   - sink: The sink that has the spilled hashes.
    ///   - body: Receives the hashes.
    /// - Throws: `.storage`, and the errors of `body`.
    package consuming func forEachHash(
        from sink: any IndexSink,
        _ body: (UInt64) throws -> Void
    ) throws {
        var last: UInt64?
        var failure: (any Error)?
        do {
            try sorter.drain(from: sink) { entries throws(ShardIndexError) in
                do {
                    for index in 0..<entries.count {
                        let hash = InverseEntry.hash(of: entries[index].hash)
                        if hash != last { try body(hash) }
                        last = hash
                    }
                } catch {
                    failure = error
                    throw ShardIndexError(.storage, "a receiver of hashes", underlying: error)
                }
            }
        } catch {
            throw failure ?? error
        }
    }
}
