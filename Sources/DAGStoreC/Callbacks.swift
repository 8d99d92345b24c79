internal import CDAGSystem
internal import DAGMounts
internal import DAGStorage
internal import Dispatch
internal import SharedReads

/// Runs a callback of the caller's; `isInCallback` is true meanwhile.
func runCallback<R>(_ body: () throws -> R) rethrows -> R {
    dagstore_callback_enter()
    defer { dagstore_callback_leave() }
    return try body()
}

/// Whether this thread is in a callback, so that it must not wait for the store to close.
var isInCallback: Bool { dagstore_callback_is_running() }

/// A pointer that a C caller wants back in its callbacks.
@safe struct Context: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: the library never reads through it; the header says which threads get it back.
    let pointer: UnsafeMutableRawPointer?

    @safe init(_ pointer: UnsafeMutableRawPointer?) {
        // SAFETY: only kept.
        unsafe self.pointer = pointer
    }
}

/// Runs `body` in a task, and blocks this thread until it ends.
func waitForTask<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) throws -> R {
    let outcome = FirstAnswer<R, any Error>()
    let task = OwnedTask {
        do {
            outcome.deliver(.success(try await body()))
        } catch {
            outcome.deliver(.failure(error))
        }
    }
    return try withExtendedLifetime(task) { try outcome.wait() }
}
