#if Node
    internal import AdminMessages
    internal import Dispatch
    internal import SharedReads

    /// Frames on their way from a thread that may block to a task that sends them.
    ///
    /// At most 16 frames wait: the thread waits until the client has taken some.
    ///
    /// *Concurrency*: any thread.
    final class FramePipe: Sendable {
        private static let waitingMax = 16

        /// The frames, in order.
        let frames: AsyncStream<OutputFrame>
        private let continuation: AsyncStream<OutputFrame>.Continuation
        /// Made with zero: libdispatch ends a process that drops a semaphore below its first value.
        private let room = DispatchSemaphore(value: 0)
        private let isClosed = Lock(false)

        init() {
            (frames, continuation) = AsyncStream.makeStream()
            for _ in 0..<Self.waitingMax { room.signal() }
        }

        /// Sends a frame; waits for room.
        ///
        /// - Returns: Whether the client may get it; false after `close`.
        func send(_ frame: OutputFrame) -> Bool {
            room.wait()
            guard !isClosed.withLock({ $0 }) else {
                room.signal()
                return false
            }
            continuation.yield(frame)
            return true
        }

        /// Sends a frame if there is room, and drops it otherwise.
        func offer(_ frame: OutputFrame) {
            guard room.wait(timeout: .now()) == .success else { return }
            guard !isClosed.withLock({ $0 }) else { return _ = room.signal() }
            continuation.yield(frame)
        }

        /// Makes room for a frame, because one was sent.
        func confirm() { room.signal() }

        /// Ends the frames.
        func finish() { continuation.finish() }

        /// Refuses further frames, and lets a thread go that waits for room.
        func close() {
            isClosed.withLock { $0 = true }
            continuation.finish()
            room.signal()
        }
    }
#endif
