internal import Dispatch
internal import SharedReads

/// An answer that one caller waits for; of several answers, the first counts.
///
/// *Concurrency*: any thread may deliver. One caller waits, with one of `wait`, `value` and `whenDelivered`.
package final class FirstAnswer<Success: Sendable, Failure: Error>: Sendable {
    /// A value or an error.
    package typealias Answer = Result<Success, Failure>

    private struct State {
        var answer: Answer?
        var waiter: (@Sendable (Answer) -> Void)?
    }

    private let state = Lock(State())

    /// Creates an object without an answer.
    package init() {}

    /// Delivers an answer.
    ///
    /// - Returns: Whether the answer is the first; later ones are dropped.
    @discardableResult
    package func deliver(_ answer: Answer) -> Bool {
        let (isFirst, waiter) = state.withLock { state in
            guard state.answer == nil else { return (false, nil as (@Sendable (Answer) -> Void)?) }
            state.answer = answer
            defer { state.waiter = nil }
            return (true, state.waiter)
        }
        waiter?(answer)
        return isFirst
    }

    /// Calls `body` once with the first answer: now, or on the thread that delivers it.
    package func whenDelivered(_ body: @escaping @Sendable (Answer) -> Void) {
        let answer = state.withLock { state in
            if state.answer == nil { state.waiter = body }
            return state.answer
        }
        if let answer { body(answer) }
    }

    /// Blocks the thread until there is an answer, at most for some time.
    ///
    /// - Returns: The answer; nil if there is none yet.
    /// - Throws: The failure.
    package func wait(atMost seconds: Int) throws(Failure) -> Success? {
        let bell = DispatchSemaphore(value: 0)
        whenDelivered { _ in bell.signal() }
        _ = bell.wait(timeout: .now() + .seconds(seconds))
        return try state.withLock { $0.answer }?.get()
    }

    /// Blocks the thread until there is an answer.
    ///
    /// - Throws: The failure.
    package func wait() throws(Failure) -> Success {
        let bell = DispatchSemaphore(value: 0)
        whenDelivered { _ in bell.signal() }
        bell.wait()
        guard let answer = state.withLock({ $0.answer }) else {
            preconditionFailure("a delivered answer is missing")
        }
        return try answer.get()
    }
}

extension FirstAnswer where Failure == any Error {
    /// The value; the task waits for it, even if it is cancelled.
    ///
    /// - Throws: The failure.
    package var value: Success {
        get async throws {
            try await withCheckedThrowingContinuation { continuation in
                whenDelivered { continuation.resume(with: $0) }
            }
        }
    }
}
