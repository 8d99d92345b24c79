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
        private let room = DispatchSemaphore(value: FramePipe.waitingMax)
        private let isClosed = Lock(false)

        init() { (frames, continuation) = AsyncStream.makeStream() }

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
