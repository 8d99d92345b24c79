#if Node
    internal import NIOCore
    internal import NIOHTTP1

    /// Answers a client of HTTP/1.0, such as a proxy with old settings: it knows no chunks.
    ///
    /// A body of unknown length ends with the connection; a body that is cut ends with a reset of it. The connection
    /// stays open only if the client asks for that, and the answer has a length.
    ///
    /// A connection gets the handler with its first such request; the others do not pay for it.
    ///
    /// *Concurrency*: the connection's event loop.
    ///
    /// *Source*: RFC 9112, sections 6.1 and 9.3.
    final class FirstVersionHandler: ChannelOutboundHandler, RemovableChannelHandler {
        typealias OutboundIn = HTTPServerResponsePart
        typealias OutboundOut = HTTPServerResponsePart

        /// Whether the requests without an answer ask to keep the connection, in their order.
        private var wishes: [Bool] = []
        /// Whether the connection ends with the answer that is being written.
        private var isLast = false
        /// Whether the last answer has been written.
        private var isOver = false
        /// Whether an answer has begun and not ended.
        private var isUnderWay = false

        /// Prepares a connection for the answer to a request, if that has version 1.0.
        ///
        /// - Parameters:
        ///   - head: The request's head.
        ///   - context: The place of a handler behind NIO's decoder.
        /// - Throws: An error of NIO if the connection is closed.
        @inline(__always)
        static func prepare(
            for head: HTTPRequestHead,
            _ context: ChannelHandlerContext
        ) throws {
            guard head.version.major == 1, head.version.minor == 0 else { return }
            try install(for: head, context)
        }

        @inline(never)
        private static func install(
            for head: HTTPRequestHead,
            _ context: ChannelHandlerContext
        ) throws {
            let pipeline = context.pipeline.syncOperations
            let handler: FirstVersionHandler
            if let known = try? pipeline.handler(type: FirstVersionHandler.self) {
                handler = known
            } else {
                handler = FirstVersionHandler()
                typealias Decoder = ByteToMessageHandler<HTTPRequestDecoder>
                let decoder = try pipeline.handler(type: Decoder.self)
                try pipeline.addHandler(handler, position: .after(decoder))
            }
            let options = head.headers[canonicalForm: "connection"]
            handler.wishes.append(options.contains { $0.lowercased() == "keep-alive" })
        }

        func write(
            context: ChannelHandlerContext,
            data: NIOAny,
            promise: EventLoopPromise<Void>?
        ) {
            // Bytes behind a body that ends with the connection would belong to it.
            if isOver {
                promise?.fail(ChannelError.ioOnClosedChannel)
                return
            }
            switch unwrapOutboundIn(data) {
            case .head(var head):
                isUnderWay = true
                head.version = .http1_0
                head.headers.remove(name: "transfer-encoding")
                let hasEnd =
                    head.headers.contains(name: "content-length")
                    || !head.status.mayHaveResponseBody
                // The refusal of a malformed request has no wish.
                let isKept = wishes.isEmpty ? false : wishes.removeFirst()
                isLast = !(isKept && hasEnd)
                head.headers.replaceOrAdd(
                    name: "connection",
                    value: isLast ? "close" : "keep-alive"
                )
                context.write(wrapOutboundOut(.head(head)), promise: promise)
            case .body:
                context.write(data, promise: promise)
            case .end:
                context.write(data, promise: promise)
                isUnderWay = false
                isOver = isLast
                if isLast { context.close(promise: nil) }
            }
        }

        func close(
            context: ChannelHandlerContext,
            mode: CloseMode,
            promise: EventLoopPromise<Void>?
        ) {
            guard isUnderWay, mode != .input else {
                return context.close(mode: mode, promise: promise)
            }
            isUnderWay = false
            context.channel.resetAtClose()
            context.close(mode: .all, promise: promise)
        }
    }
#endif
