internal import Dispatch
internal import SharedReads
internal import Synchronization

/// The messages that wait for the loop.
///
/// *Concurrency*: any thread posts; one thread reads.
package final class LoopInbox: Sendable {
    private struct State {
        var messages: [LoopMessage] = []
        var isOpen = true
    }

    private let state = Lock(State())
    private let bell = DispatchSemaphore(value: 0)
    private let waiting = Atomic<Int>(0)

    /// The value 1 on the loop's thread.
    private let place = ThreadPlace()

    /// Whether the calling thread is the loop's.
    var isOwnThread: Bool { place.value == 1 }

    /// Makes the calling thread the loop's.
    func adoptThread() { place.value = 1 }

    /// Whether messages wait.
    var isBusy: Bool { count > 0 }

    /// The approximate number of waiting messages.
    var count: Int { waiting.load(ordering: .relaxed) }

    /// Adds a message.
    ///
    /// - Returns: Whether the loop will read the message; false after the end of the loop.
    @discardableResult
    func post(_ message: LoopMessage) -> Bool {
        let (isOpen, isFirst) = state.withLock { state in
            guard state.isOpen else { return (false, false) }
            state.messages.append(message)
            return (true, state.messages.count == 1)
        }
        guard isOpen else { return false }
        waiting.add(1, ordering: .relaxed)
        if isFirst { bell.signal() }
        return true
    }

    /// Blocks the thread until there is a message, or until `deadline`.
    ///
    /// - Returns: All messages, which are no longer in the inbox.
    func waitForMessages(until deadline: ContinuousClock.Instant?) -> [LoopMessage] {
        if let deadline {
            let left = max(.zero, deadline - .now)
            let (seconds, attoseconds) = left.components
            let nanoseconds = min(seconds, 1 << 30) * 1_000_000_000 + attoseconds / 1_000_000_000
            _ = bell.wait(timeout: .now() + .nanoseconds(Int(nanoseconds) + 1))
        } else {
            bell.wait()
        }
        let messages = state.withLock { state in
            let messages = state.messages
            state.messages = []
            return messages
        }
        waiting.subtract(messages.count, ordering: .relaxed)
        return messages
    }

    /// Runs `body` on the loop's thread, between two of its commits, and blocks the calling thread until `body` has
    /// ended.
    ///
    /// The loop is the only writer of records and recent entries. Other changes to them run through this call.
    ///
    /// - Throws: `closed`, and the errors of `body`.
    package func perform<R: Sendable>(_ body: @escaping @Sendable () throws -> R) throws -> R {
        let result = FirstAnswer<R, any Error>()
        let isSent = post(.perform { result.deliver(Result { try body() }) })
        guard isSent else { throw DAGStoreError.storeIsClosed }
        return try result.wait()
    }

    /// Refuses further messages.
    ///
    /// - Returns: The messages that the loop has not read.
    func close() -> [LoopMessage] {
        state.withLock { state in
            state.isOpen = false
            defer { state.messages = [] }
            return state.messages
        }
    }
}
