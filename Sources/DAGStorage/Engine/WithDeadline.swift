/// Runs `body`, and cancels it when a deadline passes.
///
/// - Parameters:
///   - deadline: The deadline; nil for no limit.
///   - body: The work, which ends soon after its task is cancelled.
/// - Returns: The result of `body`.
/// - Throws: `deadlineExceeded`; `CancellationError` if the caller's task was cancelled; the errors of `body`.
func withDeadline<R: Sendable>(
    _ deadline: ContinuousClock.Instant?,
    _ body: @escaping @Sendable () async throws -> R
) async throws -> R {
    guard let deadline else { return try await body() }
    return try await withThrowingTaskGroup(of: R.self) { group in
        group.addTask(operation: body)
        group.addTask {
            try await ContinuousClock().sleep(until: deadline)
            throw DAGStoreError(.deadlineExceeded, "the deadline passed")
        }
        defer { group.cancelAll() }
        guard let result = try await group.next() else { throw CancellationError() }
        return result
    }
}
