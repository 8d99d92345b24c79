internal import Foundation

/// The pause between two evaluations of a condition: it leaves the processors to the threads that make it true.
private let pause = 0.001

/// Waits until another thread or process makes a condition true.
///
/// The test's own time limit ends the wait.
package func eventually(_ condition: () throws -> Bool) async rethrows {
    while try !condition() { try? await Task.sleep(for: .seconds(pause)) }
}

/// Waits until a condition is true that another process answers, such as a database.
///
/// The test's own time limit ends the wait.
package func eventually(_ condition: () async throws -> Bool) async throws {
    while try await !condition() { try await Task.sleep(for: .seconds(10 * pause)) }
}

/// Waits for a condition on a thread of its own, so that the tasks of other tests cannot delay it.
///
/// - Parameters:
///   - condition: Evaluated on that thread.
///   - action: Runs on that thread as soon as the condition is true.
package func eventuallyOnThread(
    _ condition: @escaping @Sendable () -> Bool,
    then action: @escaping @Sendable () -> Void
) async {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread {
            while !condition() { Thread.sleep(forTimeInterval: pause) }
            action()
            continuation.resume()
        }
    }
}
