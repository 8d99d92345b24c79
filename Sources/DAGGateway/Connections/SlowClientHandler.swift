#if Node
    internal import Logging
    internal import NIOCore
    internal import NIOHTTP1

    /// Closes a connection whose client takes no bytes.
    ///
    /// The time runs while the channel holds more than NIO's high-water mark, and stops when the client has taken
    /// nearly all of it. So a client has the time for each chunk of an answer, and not for the whole.
    ///
    /// *Cost*: a look at the clock for each chunk, and a timer in each timeout.
    final class SlowClientHandler: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = NIOAny

        private let timeout: TimeAmount
        private let logger: Logger
        private var timer: Scheduled<Void>?
        /// When the client must have taken what the channel holds; nil while it keeps up.
        private var end: NIODeadline?

        init(timeout: TimeAmount, logger: Logger) {
            self.timeout = timeout
            self.logger = logger
        }

        /// Makes a connection of HTTP/1.1 writable again only when the system has taken all that it held.
        ///
        /// A stream of HTTP/2 ends the process when it is asked to.
        func handlerAdded(context: ChannelHandlerContext) {
            typealias Decoder = ByteToMessageHandler<HTTPRequestDecoder>
            let pipeline = context.pipeline.syncOperations
            guard (try? pipeline.handler(type: Decoder.self)) != nil else { return }
            let marks = ChannelOptions.Types.WriteBufferWaterMark(low: 1, high: 64 << 10)
            context.channel.setOption(.writeBufferWaterMark, value: marks).whenFailure { _ in }
        }

        func channelWritabilityChanged(context: ChannelHandlerContext) {
            if context.channel.isWritable {
                end = nil
            } else if end == nil {
                end = context.eventLoop.now + timeout
                if timer == nil { startTimer(context.channel, in: timeout) }
            }
            context.fireChannelWritabilityChanged()
        }

        func channelInactive(context: ChannelHandlerContext) {
            stop()
            context.fireChannelInactive()
        }

        func handlerRemoved(context: ChannelHandlerContext) { stop() }

        /// The timer goes on while the client keeps up: to start one for each chunk takes longer than a look.
        private func startTimer(_ channel: any Channel, in time: TimeAmount) {
            timer = channel.eventLoop.assumeIsolated().scheduleTask(in: time) { [self] in
                timer = nil
                guard let end else { return }
                let rest = end - channel.eventLoop.now
                guard rest <= .zero else { return startTimer(channel, in: rest) }
                close(channel)
            }
        }

        private func close(_ channel: any Channel) {
            logger.warning(
                "The client takes too long; closing its connection",
                metadata: ["client": "\(channel.remoteAddress?.description ?? "unknown")"]
            )
            channel.triggerUserOutboundEvent(FlushBeforeCloseHandler.Cut(), promise: nil)
            channel.close(promise: nil)
        }

        private func stop() {
            timer?.cancel()
            timer = nil
            end = nil
        }
    }
#endif
