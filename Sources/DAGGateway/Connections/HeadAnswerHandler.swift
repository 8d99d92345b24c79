#if Node
    internal import NIOCore
    internal import NIOHTTP1

    /// Ends an answer to `HEAD` without the last chunk of a body.
    ///
    /// The head of a CAR has no length, so NIO's encoder says that the body comes in chunks, and ends it with an empty
    /// one. An answer to `HEAD` has no body, and the client would take that chunk for the next answer. RFC 9112,
    /// section 6.1, allows the field `Transfer-Encoding` in it.
    ///
    /// A connection gets the handler with its first such answer; the others do not pay for it.
    final class HeadAnswerHandler: ChannelOutboundHandler, RemovableChannelHandler {
        typealias OutboundIn = HTTPServerResponsePart
        typealias OutboundOut = HTTPServerResponsePart

        private var skipsEnd = false

        func write(
            context: ChannelHandlerContext,
            data: NIOAny,
            promise: EventLoopPromise<Void>?
        ) {
            guard skipsEnd, case .end = unwrapOutboundIn(data) else {
                context.write(data, promise: promise)
                return
            }
            skipsEnd = false
            let empty = context.channel.allocator.buffer(capacity: 0)
            context.write(wrapOutboundOut(.body(.byteBuffer(empty))), promise: promise)
        }

        /// Prepares a connection for an answer to `HEAD` whose length is unknown: the next one that is written to it.
        ///
        /// A stream of HTTP/2 needs nothing.
        ///
        /// - Throws: An error of NIO if the connection is closed.
        static func prepare(_ channel: any Channel) async throws {
            try await channel.eventLoop.submit {
                let pipeline = channel.pipeline.syncOperations
                typealias Decoder = ByteToMessageHandler<HTTPRequestDecoder>
                guard let decoder = try? pipeline.handler(type: Decoder.self) else { return }
                if let handler = try? pipeline.handler(type: HeadAnswerHandler.self) {
                    handler.skipsEnd = true
                    return
                }
                let handler = HeadAnswerHandler()
                handler.skipsEnd = true
                try pipeline.addHandler(handler, position: .after(decoder))
            }.get()
        }
    }
#endif
