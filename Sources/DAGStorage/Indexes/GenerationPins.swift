internal import SharedReads

/// Counts the readers of each index, so that an index lives as long as its readers.
///
/// *Concurrency*: any thread.
final class GenerationPins: Sendable {
    private struct State {
        var counts: [UInt64: Int] = [:]
        /// Indexes without a record; the last reader of each causes its deletion.
        var doomed: Set<UInt64> = []
    }

    private let state = Lock(State())
    private let delete: @Sendable (UInt64) -> Void

    /// Creates an object without pins.
    ///
    /// - Parameter delete: Deletes an index; called on the thread that releases the last pin.
    init(delete: @escaping @Sendable (UInt64) -> Void) { self.delete = delete }

    /// Pins an index, which then lives as long as the pin.
    func pin(_ generation: UInt64) -> GenerationPin {
        state.withLock { $0.counts[generation, default: 0] += 1 }
        return GenerationPin(generation, of: self)
    }

    /// Checks whether an index without a record has readers; if so, its last reader causes the deletion.
    ///
    /// - Returns: Whether the index has no readers, so that the caller deletes it now.
    func isUnread(_ generation: UInt64) -> Bool {
        state.withLock { state in
            guard state.counts[generation] != nil else { return true }
            state.doomed.insert(generation)
            return false
        }
    }

    fileprivate func unpin(_ generation: UInt64) {
        let isLast = state.withLock { state in
            let left = state.counts[generation, default: 1] - 1
            state.counts[generation] = left == 0 ? nil : left
            return left == 0 && state.doomed.remove(generation) != nil
        }
        if isLast { delete(generation) }
    }
}

/// A pin: its index lives as long as the pin.
final class GenerationPin: Sendable {
    private let generation: UInt64
    private let pins: GenerationPins

    fileprivate init(_ generation: UInt64, of pins: GenerationPins) {
        self.generation = generation
        self.pins = pins
    }

    deinit { pins.unpin(generation) }
}
