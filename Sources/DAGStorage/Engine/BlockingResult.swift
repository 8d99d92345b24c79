internal import Dispatch
internal import SharedReads

/// A result that one thread delivers and another thread waits for.
///
/// *Concurrency*: `deliver` and `wait` are called once each, on any threads.
package final class BlockingResult<Success: Sendable, Failure: Error>: Sendable {
    private let bell = DispatchSemaphore(value: 0)
    private let result = Lock<Result<Success, Failure>?>(nil)

    package init() {}

    /// Delivers the result.
    package func deliver(_ result: Result<Success, Failure>) {
        self.result.withLock { $0 = result }
        bell.signal()
    }

    /// Blocks the thread until the result is there.
    ///
    /// - Throws: The failure.
    package func wait() throws(Failure) -> Success {
        bell.wait()
        guard let result = result.withLock({ $0 }) else {
            preconditionFailure("a result was announced and not delivered")
        }
        return try result.get()
    }
}
