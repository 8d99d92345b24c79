#if Node
    internal import NIOCore
    internal import NIOHTTP1

    /// Ends the answers to `HEAD` without the last chunk of a body.
    ///
    /// The head of a CAR has no length, so NIO's encoder says that the body comes in chunks, and ends it with an empty
    /// one. An answer to `HEAD` has no body, and the client would take that chunk for the next answer. RFC 9112, section
    /// 6.1, allows the field `Transfer-Encoding` in it.
    final class HeadAnswerHandler: ChannelDuplexHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias InboundOut = HTTPServerRequestPart
        typealias OutboundIn = HTTPServerResponsePart
        typealias OutboundOut = HTTPServerResponsePart

        /// For each request without its answer yet, whether it is `HEAD`; the oldest first.
        private var isHead = CircularBuffer<Bool>()

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if case .head(let head) = unwrapInboundIn(data) { isHead.append(head.method == .HEAD) }
            context.fireChannelRead(data)
        }

        func write(
            context: ChannelHandlerContext,
            data: NIOAny,
            promise: EventLoopPromise<Void>?
        ) {
            guard case .end = unwrapOutboundIn(data), isHead.popFirst() ?? false else {
                context.write(data, promise: promise)
                return
            }
            let empty = context.channel.allocator.buffer(capacity: 0)
            context.write(wrapOutboundOut(.body(.byteBuffer(empty))), promise: promise)
        }
    }

    /// Puts a `HeadAnswerHandler` where HTTP/1.1 parts are visible; does nothing in a stream of HTTP/2.
    final class HeadAnswerInstaller: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = NIOAny

        func handlerAdded(context: ChannelHandlerContext) {
            let pipeline = context.pipeline.syncOperations
            typealias Decoder = ByteToMessageHandler<HTTPRequestDecoder>
            guard let decoder = try? pipeline.handler(type: Decoder.self) else { return }
            do {
                try pipeline.addHandler(HeadAnswerHandler(), position: .after(decoder))
            } catch {
                context.fireErrorCaught(error)
            }
        }
    }
#endif
