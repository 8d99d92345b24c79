internal import Synchronization

/// The indexes of shards that are not open, kept for the next question.
///
/// *Concurrency*: any thread.
final class IndexReaders: Sendable {
    private struct State {
        var readers: [UInt64: (reader: IndexReader, use: UInt64)] = [:]
        var uses: UInt64 = 0
    }

    /// How many are kept.
    static let countMax = 128

    private let state = Mutex(State())

    /// The reader of a generation, or one that `open` makes, which runs without a lock.
    ///
    /// - Returns: nil if `open` does.
    func reader(
        _ generation: UInt64,
        open: () throws -> IndexReader?
    ) throws -> IndexReader? {
        let found = state.withLock { state -> IndexReader? in
            state.uses += 1
            state.readers[generation]?.use = state.uses
            return state.readers[generation]?.reader
        }
        if let found { return found }
        guard let reader = try open() else { return nil }
        state.withLock { state in
            state.readers[generation] = (reader, state.uses)
            guard state.readers.count > Self.countMax else { return }
            // Half of them at once, so that a walk over many shards sorts seldom.
            let middle = state.readers.values.map(\.use).sorted()[Self.countMax / 2]
            state.readers = state.readers.filter { $0.value.use > middle }
        }
        return reader
    }

    /// Forgets the reader of a generation that is to be deleted.
    func remove(_ generation: UInt64) {
        _ = state.withLock { $0.readers.removeValue(forKey: generation) }
    }

    /// Forgets all of them.
    func removeAll() { state.withLock { $0.readers = [:] } }
}
