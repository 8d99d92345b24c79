internal import SharedReads

/// Counts the readers of each index, so that none is deleted under them.
///
/// *Concurrency*: any thread.
final class GenerationPins: Sendable {
    private struct State {
        var counts: [UInt64: Int] = [:]
        /// Indexes that no record names any more; they are deleted after their last reader.
        var doomed: Set<UInt64> = []
    }

    private let state = Lock(State())
    private let delete: @Sendable (UInt64) -> Void

    /// - Parameter delete: Deletes an index; called on the thread that releases the last pin.
    init(delete: @escaping @Sendable (UInt64) -> Void) { self.delete = delete }

    /// Keeps an index from being deleted, for as long as the pin lives.
    func pin(_ generation: UInt64) -> GenerationPin {
        state.withLock { $0.counts[generation, default: 0] += 1 }
        return GenerationPin(generation, of: self)
    }

    /// Whether no thread reads an index that no record names; if one does, the index is deleted after its last
    /// reader.
    ///
    /// - Returns: Whether the caller deletes it now.
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

/// Keeps one index from being deleted.
final class GenerationPin: Sendable {
    private let generation: UInt64
    private let pins: GenerationPins

    fileprivate init(_ generation: UInt64, of pins: GenerationPins) {
        self.generation = generation
        self.pins = pins
    }

    deinit { pins.unpin(generation) }
}
