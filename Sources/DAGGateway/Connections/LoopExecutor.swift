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

        /// Creates the connection that `base` sets up and handles.
        init(_ base: Base) { self.base = base }

        func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
            base.setup(channel: channel, logger: logger)
        }

        func handle(value: Base.Value, logger: Logger) async {
            await withTaskExecutorPreference(LoopExecutor(value.channel.eventLoop)) {
                await base.handle(value: value, logger: logger)
            }
        }
    }
#endif
