import DAGMounts

/// Tasks on whose end a verb's thread waits.
enum Waiting {
    /// Runs a task, and blocks the thread until it has ended.
    ///
    /// In a node the thread runs the verb of a client. A client that goes away, and the end of the node, cancel the
    /// task; the call then waits for its end, because the task may use what the caller frees.
    ///
    /// - Parameter body: The task, which ends soon when it is cancelled.
    /// - Returns: The result of the task.
    /// - Throws: The error of the task; `CancellationError`.
    static func wait<R: Sendable>(
        _ body: @escaping @Sendable () async throws -> R
    ) throws -> R {
        let answer = FirstAnswer<R, any Error>()
        let task = OwnedTask {
            do {
                answer.deliver(.success(try await body()))
            } catch {
                answer.deliver(.failure(error))
            }
        }
        guard Console.client != nil else {
            return try withExtendedLifetime(task) { try answer.wait() }
        }
        while !Task.isCancelled {
            if let result = try answer.wait(atMost: 1) { return result }
        }
        task.cancel()
        _ = try? answer.wait()
        throw CancellationError()
    }
}
