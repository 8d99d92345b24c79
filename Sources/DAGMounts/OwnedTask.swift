/// A task that somebody holds: it is cancelled when its owner lets go of it.
///
/// The only place that starts tasks, so that none runs without an owner. They run on threads of their own
/// and not on Swift's task pool: a program that blocks every thread of the pool still has its store.
///
/// *Concurrency*: any thread may call anything.
package final class OwnedTask<Success: Sendable>: Sendable {
    private let task: Task<Success, any Error>

    /// Starts `body`, which inherits nothing of the caller: no actor, no priority, no cancellation.
    package init(_ body: @escaping @Sendable () async throws -> Success) {
        task = Task.detached(executorPreference: OwnedTaskExecutor.shared, operation: body)
    }

    deinit { task.cancel() }

    /// Asks the task to end; it ends when its body heeds that.
    package func cancel() { task.cancel() }

    /// What the body returned, waiting for it.
    ///
    /// The wait ends when the body does, also if the waiting task is cancelled.
    ///
    /// - Throws: What the body throws.
    package var value: Success {
        get async throws { try await task.value }
    }
}

/// Runs the steps of owned tasks.
private final class OwnedTaskExecutor: TaskExecutor {
    static let shared = OwnedTaskExecutor()
    /// Steps of tasks are short; what blocks has pools of its own.
    private static let width = 4

    private let pool = JobPool(label: "dagstore.tasks", width: width, sparesMax: 252)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // SAFETY: the executor is static, and so outlives the job.
        pool.submit { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
