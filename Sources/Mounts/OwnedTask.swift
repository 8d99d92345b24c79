/// A task that somebody holds: it is cancelled when its owner lets go of it.
///
/// The only place that starts tasks, so that none runs without an owner.
///
/// *Concurrency*: any thread may call anything.
package final class OwnedTask<Success: Sendable>: Sendable {
    private let task: Task<Success, any Error>

    /// Starts `body`, which inherits nothing of the caller: no actor, no priority, no cancellation.
    package init(_ body: @escaping @Sendable () async throws -> Success) {
        task = Task.detached(operation: body)
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
