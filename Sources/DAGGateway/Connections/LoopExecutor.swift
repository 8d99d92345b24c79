#if Node
    internal import HummingbirdCore
    internal import Logging
    internal import NIOCore

    /// Runs the steps of tasks on the thread of an event loop.
    ///
    /// The tasks of a connection run where its bytes arrive and leave, so a chunk is sent by the thread that filled it.
    /// With changes of threads for each chunk, a stream takes 1.4 times the processor's time.
    ///
    /// *Concurrency*: any thread.
    final class LoopExecutor: TaskExecutor {
        private let loop: any EventLoop

        /// Creates an executor over an event loop.
        init(_ loop: any EventLoop) { self.loop = loop }

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            // SAFETY: the closure keeps the executor alive until the step has ended.
            loop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }
    }

    /// A connection whose tasks run on its event loop.
    struct LoopChannel<Base: ServerChildChannel>: ServerChildChannel {
        private let base: Base
        private let handshakeTimeout: TimeAmount?

        /// Creates the connection that `base` sets up and handles.
        ///
        /// - Parameters:
        ///   - base: The connection.
        ///   - handshakeTimeout: The longest time of a TLS handshake; nil without TLS.
        init(_ base: Base, handshakeTimeout: TimeAmount? = nil) {
            self.base = base
            self.handshakeTimeout = handshakeTimeout
        }

        func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
            let value = base.setup(channel: channel, logger: logger)
            guard let handshakeTimeout else { return value }
            do {
                try HandshakeHandler(timeout: handshakeTimeout).install(in: channel)
            } catch {
                return channel.eventLoop.makeFailedFuture(error)
            }
            return value
        }

        func handle(value: Base.Value, logger: Logger) async {
            let channel = value.channel
            await withTaskExecutorPreference(LoopExecutor(channel.eventLoop)) {
                await withTaskCancellationHandler {
                    await base.handle(value: value, logger: logger)
                } onCancel: {
                    // The wait for the end of a handshake takes no notice of a cancellation.
                    guard handshakeTimeout != nil else { return }
                    channel.pipeline.fireUserInboundEventTriggered(HandshakeHandler.Cancellation())
                }
            }
        }
    }
#endif
