internal import CDAGSystem
internal import Dispatch

/// Threads of the system, for blocking code.
///
/// Dispatch starts at most 255 threads in a process. Endless loops, one for each store, would use them up, and other
/// queues would wait forever.
package enum SystemThread {
    /// Runs `body` on a new thread with a name for debuggers (15 bytes of it on Linux).
    ///
    /// If the system has no thread left, `body` runs on a thread of Dispatch.
    ///
    /// *Cost*: some 20 us. *Concurrency*: any thread; returns at once.
    package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let content = unsafe Unmanaged.passRetained(Content(body))
        // SAFETY: the new thread takes the one retained reference; if there is no thread, this function releases it.
        let isStarted = unsafe dagstore_thread_start(
            name,
            { context in
                guard let context = unsafe context else {
                    preconditionFailure("a thread has no content")
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
