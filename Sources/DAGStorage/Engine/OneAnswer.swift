internal import SharedReads

/// A value that a task waits for: the first answer counts.
final class OneAnswer<Success: Sendable>: Sendable {
    private enum State {
        case nothing
        case waiting(CheckedContinuation<Success, any Error>)
        case given(Result<Success, any Error>)
        case taken
    }

    private let state = Lock(State.nothing)

    /// Gives an answer.
    ///
    /// - Returns: Whether it is the first.
    func give(_ answer: Result<Success, any Error>) -> Bool {
        let (isFirst, waiting) = state.withLock { state in
            switch state {
            case .nothing:
                state = .given(answer)
                return (true, nil as CheckedContinuation<Success, any Error>?)
            case .waiting(let continuation):
                state = .taken
                return (true, continuation)
            case .given, .taken: return (false, nil)
            }
        }
        waiting?.resume(with: answer)
        return isFirst
    }

    /// Resumes `continuation` with the answer, at once if there is one.
    func wait(_ continuation: CheckedContinuation<Success, any Error>) {
        let given = state.withLock { state in
            guard case .given(let answer) = state else {
                state = .waiting(continuation)
                return nil as Result<Success, any Error>?
            }
            state = .taken
            return answer
        }
        if let given { continuation.resume(with: given) }
    }
}
