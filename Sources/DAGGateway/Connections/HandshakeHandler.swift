#if Node
    internal import NIOCore
    internal import NIOSSL
    internal import NIOTLS

    /// Closes a TLS connection whose client does not finish the handshake.
    ///
    /// The handlers of HTTP, which know idle connections and the end of the server, come after the handshake. Without
    /// this one, a client that sends nothing would keep its connection, and the end of the server, for ever.
    ///
    /// *Concurrency*: the connection's event loop.
    final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = ByteBuffer
        typealias InboundOut = ByteBuffer

        /// The event of a connection whose task is canceled.
        struct Cancellation: Sendable {}

        private let timeout: TimeAmount
        private var timer: Scheduled<Void>?

        /// Creates the handler of one connection, with the longest time of a handshake.
        init(timeout: TimeAmount) { self.timeout = timeout }

        /// Adds the handler behind the one of TLS, on the connection's event loop; does nothing without TLS.
        ///
        /// - Throws: An error of NIO if the connection is closed.
        func install(in channel: any Channel) throws {
            let pipeline = channel.pipeline.syncOperations
            guard let tls = try? pipeline.handler(type: NIOSSLServerHandler.self) else { return }
            try pipeline.addHandler(self, position: .after(tls))
        }

        func handlerAdded(context: ChannelHandlerContext) {
            let context = NIOLoopBound(context, eventLoop: context.eventLoop)
            timer = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [self] in
                timer = nil
                close(context.value)
            }
        }

        func handlerRemoved(context: ChannelHandlerContext) { stop() }

        func channelInactive(context: ChannelHandlerContext) {
            stop()
            context.fireChannelInactive()
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            context.fireUserInboundEventTriggered(event)
            if case .handshakeCompleted? = event as? TLSUserEvent {
                context.pipeline.syncOperations.removeHandler(self, promise: nil)
            } else if event is ChannelShouldQuiesceEvent || event is Cancellation {
                close(context)
            }
        }

        /// Closes the connection at once: TLS would first wait for the client's farewell.
        private func close(_ context: ChannelHandlerContext) {
            let pipeline = context.pipeline.syncOperations
            let tls = try? pipeline.context(handlerType: NIOSSLServerHandler.self)
            (tls ?? context).close(promise: nil)
        }

        private func stop() {
            timer?.cancel()
            timer = nil
        }
    }
#endif
