#if Cluster
    internal import DAGMounts
    internal import Dispatch
    internal import SharedReads

    /// A task for a thread that may block.
    ///
    /// *Concurrency*: one thread waits, which is none of Swift's cooperative threads.
    final class BlockingTask<R: Sendable>: Sendable {
        private let outcome = Lock<Result<R, any Error>?>(nil)
        private let done = DispatchSemaphore(value: 0)
        private let task: OwnedTask<Void>

        /// Starts the task.
        init(_ body: @escaping @Sendable () async throws -> R) {
            task = OwnedTask { [outcome, done] in
                let result: Result<R, any Error>
                do {
                    result = .success(try await body())
                } catch {
                    result = .failure(error)
                }
                outcome.withLock { $0 = result }
                done.signal()
            }
        }

        /// Waits for the result; called once.
        ///
        /// - Throws: The error of the task.
        func wait() throws -> R {
            done.wait()
            guard let result = outcome.withLock({ $0 }) else {
                preconditionFailure("a task ended without a result")
            }
            return try result.get()
        }
    }

    /// Whether the task that waits for blocking work was canceled.
    ///
    /// *Concurrency*: any thread.
    final class CancellationMark: Sendable {
        private let state = Lock(false)

        /// Marks the work as canceled.
        func set() { state.withLock { $0 = true } }

        /// Ends the work if its caller was canceled.
        ///
        /// - Throws: `CancellationError`.
        func check() throws {
            if state.withLock({ $0 }) { throw CancellationError() }
        }
    }

    /// Waits on a thread that may block for what a task does.
    enum Blocking {
        /// Runs `body` in a task, and waits for it; the thread is none of Swift's cooperative threads.
        ///
        /// - Throws: The error of `body`.
        static func wait<R: Sendable>(
            _ body: @escaping @Sendable () async throws -> R
        ) throws -> R { try BlockingTask(body).wait() }
    }
#endif
