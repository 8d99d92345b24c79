#if Node
    internal import Logging
    internal import NIOCore

    /// Closes a connection whose client takes no bytes.
    ///
    /// The time runs while the channel holds more than NIO's high-water mark, and stops when the client has taken
    /// nearly all of it. So a client has the time for each chunk of an answer, and not for the whole.
    ///
    /// *Cost*: nothing while the client keeps up; else a timer for each chunk.
    final class SlowClientHandler: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = NIOAny

        private let timeout: TimeAmount
        private let logger: Logger
        private var timer: Scheduled<Void>?

        init(timeout: TimeAmount, logger: Logger) {
            self.timeout = timeout
            self.logger = logger
        }

        func channelWritabilityChanged(context: ChannelHandlerContext) {
            if context.channel.isWritable {
                stop()
            } else if timer == nil {
                let channel = context.channel
                let logger = logger
                timer = context.eventLoop.scheduleTask(in: timeout) {
                    logger.warning(
                        "The client takes too long; closing its connection",
                        metadata: ["client": "\(channel.remoteAddress?.description ?? "unknown")"]
                    )
                    channel.triggerUserOutboundEvent(FlushBeforeCloseHandler.Cut(), promise: nil)
                    channel.close(promise: nil)
                }
            }
            context.fireChannelWritabilityChanged()
        }

        func channelInactive(context: ChannelHandlerContext) {
            stop()
            context.fireChannelInactive()
        }

        func handlerRemoved(context: ChannelHandlerContext) { stop() }

        private func stop() {
            timer?.cancel()
            timer = nil
        }
    }
#endif
