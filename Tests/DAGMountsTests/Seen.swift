import Synchronization

/// A list that jobs append to, from any thread.
final class Seen: Sendable {
    private let state = Mutex((numbers: [Int](), running: 0, most: 0))

    var numbers: [Int] { state.withLock { $0.numbers } }
    var mostAtOnce: Int { state.withLock { $0.most } }

    func append(_ number: Int) { state.withLock { $0.numbers.append(number) } }

    /// Calls `body` and counts how many do so at once.
    func `while`(_ body: () -> Void) {
        state.withLock { state in
            state.running += 1
            state.most = max(state.most, state.running)
        }
        body()
        state.withLock { $0.running -= 1 }
    }
}
