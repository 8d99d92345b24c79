internal import CDAGSystem
internal import Dispatch

/// Threads of the system, for what blocks.
///
/// Dispatch starts at most 255 threads in a process. Loops that never end would use them up, one a store, and
/// queues that have work would then wait for ever.
package enum SystemThread {
    /// Runs `body` on a new thread, whose name debuggers show (15 bytes of it on Linux).
    ///
    /// If the system has no thread left, `body` runs on one of Dispatch's.
    ///
    /// *Cost*: some 20 us. *Concurrency*: any thread; returns at once.
    package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let content = unsafe Unmanaged.passRetained(Content(body))
        // SAFETY: the reference that the thread takes over is given out once, and taken back here if there is none.
        let isStarted = unsafe dagstore_thread_start(
            name,
            { context in
                guard let context = unsafe context else {
                    preconditionFailure("a thread without its content")
                }
                unsafe Unmanaged<Content>.fromOpaque(context).takeRetainedValue().body()
            },
            content.toOpaque()
        )
        guard !isStarted else { return }
        unsafe content.release()
        DispatchQueue(label: name).async(execute: body)
    }

    private final class Content: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
