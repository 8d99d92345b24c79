internal import Dispatch
internal import SharedReads
internal import Synchronization

/// Where letters for the loop wait.
///
/// *Concurrency*: any thread posts; one thread takes.
final class LoopInbox: Sendable {
    private struct State {
        var letters: [Letter] = []
        var isOpen = true
    }

    private let state = Lock(State())
    private let bell = DispatchSemaphore(value: 0)
    private let waiting = Atomic<Int>(0)
    private let taken = Atomic<Int>(0)

    /// 1 on the thread that takes.
    private let place = ThreadPlace()

    /// Whether this is the thread that takes.
    var isOwnThread: Bool { place.value == 1 }

    /// Says that this thread takes the letters from now on.
    func noteOwnThread() { place.value = 1 }

    /// Whether letters wait.
    var isBusy: Bool { count > 0 }

    /// How many letters wait, about.
    var count: Int { waiting.load(ordering: .relaxed) }

    /// How many letters were taken.
    var takenCount: Int { taken.load(ordering: .relaxed) }

    /// Leaves a letter.
    ///
    /// - Returns: Whether the loop will read it; it will not after it has ended.
    @discardableResult
    func post(_ letter: Letter) -> Bool {
        let (isOpen, isFirst) = state.withLock { state in
            guard state.isOpen else { return (false, false) }
            state.letters.append(letter)
            return (true, state.letters.count == 1)
        }
        guard isOpen else { return false }
        waiting.add(1, ordering: .relaxed)
        if isFirst { bell.signal() }
        return true
    }

    /// Everything that waits; waits itself until there is something, or until `deadline`.
    func take(until deadline: ContinuousClock.Instant?) -> [Letter] {
        if let deadline {
            let left = max(.zero, deadline - .now)
            let (seconds, attoseconds) = left.components
            let nanoseconds = min(seconds, 1 << 30) * 1_000_000_000 + attoseconds / 1_000_000_000
            _ = bell.wait(timeout: .now() + .nanoseconds(Int(nanoseconds) + 1))
        } else {
            bell.wait()
        }
        let letters = state.withLock { state in
            let letters = state.letters
            state.letters = []
            return letters
        }
        waiting.subtract(letters.count, ordering: .relaxed)
        taken.add(letters.count, ordering: .relaxed)
        return letters
    }

    /// Takes no more letters.
    ///
    /// - Returns: Those that were left.
    func close() -> [Letter] {
        state.withLock { state in
            state.isOpen = false
            defer { state.letters = [] }
            return state.letters
        }
    }
}
