/// A task with an owner: the end of this object cancels it.
///
/// Only this type starts unstructured tasks, so every task has an owner. They run on threads of their own instead of
/// Swift's task pool, so the store works even in a program that blocks every thread of the pool.
///
/// *Concurrency*: any thread may call anything.
package final class OwnedTask<Success: Sendable>: Sendable {
    private let task: Task<Success, any Error>

    /// Starts `body`, which inherits neither actor nor priority nor cancellation.
    package init(_ body: @escaping @Sendable () async throws -> Success) {
        task = Task.detached(executorPreference: OwnedTaskExecutor.shared, operation: body)
    }

    deinit { task.cancel() }

    /// Cancels the task; it ends when its body reacts.
    package func cancel() { task.cancel() }

    /// The result of the body; the caller waits for it.
    ///
    /// The wait ends when the body ends, even if the waiting task is cancelled.
    ///
    /// - Throws: The error of the body.
    package var value: Success {
        get async throws { try await task.value }
    }
}

/// Runs the steps of owned tasks.
private final class OwnedTaskExecutor: TaskExecutor {
    static let shared = OwnedTaskExecutor()
    /// Steps of tasks are short; blocking calls have pools of their own.
    private static let width = 4

    private let pool = JobPool(label: "dagstore.tasks", width: width, sparesMax: 252)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // SAFETY: the executor is static, so it outlives the job.
        pool.submit { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
