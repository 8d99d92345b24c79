#if Node
    internal import NIOCore
    internal import NIOHTTP1

    /// Adds to a connection of HTTP/1.1 the handlers whose places are near the socket.
    ///
    /// ```
    /// socket   FlushBeforeCloseHandler   NIO's encoder and decoder   PromptAnswerHandler   Hummingbird
    /// ```
    ///
    /// It does nothing in a stream of HTTP/2.
    final class HandlerInstaller: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = NIOAny

        private let responder: PromptResponder
        private let idleTimeout: TimeAmount
        private let slowClientTimeout: TimeAmount

        /// Creates an installer for one connection; see the handlers for the parameters.
        init(
            _ responder: @escaping PromptResponder,
            idleTimeout: TimeAmount,
            slowClientTimeout: TimeAmount
        ) {
            self.responder = responder
            self.idleTimeout = idleTimeout
            self.slowClientTimeout = slowClientTimeout
        }

        func handlerAdded(context: ChannelHandlerContext) {
            let pipeline = context.pipeline.syncOperations
            typealias Decoder = ByteToMessageHandler<HTTPRequestDecoder>
            guard let decoder = try? pipeline.handler(type: Decoder.self) else { return }
            do {
                try pipeline.addHandler(
                    FlushBeforeCloseHandler(timeout: slowClientTimeout),
                    position: .first
                )
                let prompt = PromptAnswerHandler(responder, idleTimeout: idleTimeout)
                try pipeline.addHandler(prompt, position: .after(decoder))
            } catch {
                context.fireErrorCaught(error)
            }
        }
    }
#endif
