#if Node
    internal import NIOCore
    internal import NIOHTTP1

    /// An answer whose content is in memory.
    struct PromptAnswer {
        let head: HTTPResponseHead
        let body: ByteBuffer
    }

    /// Returns the answer to a request if it waits for nothing; else nil.
    typealias PromptResponder = @Sendable (HTTPRequestHead) -> PromptAnswer?

    /// Answers requests whose content is in memory, where they arrive.
    ///
    /// Such an answer passes no task and no queue, which take half of a request's time. All other requests go on to
    /// Hummingbird: those that may wait, and those that arrive while the connection owes an answer to an earlier one.
    ///
    /// Hummingbird closes a connection whose last request that it saw is older than the idle timeout. So one request in
    /// a quarter of that time goes on to it.
    ///
    /// *Concurrency*: the connection's event loop.
    final class PromptAnswerHandler: ChannelDuplexHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias InboundOut = HTTPServerRequestPart
        typealias OutboundIn = HTTPServerResponsePart
        typealias OutboundOut = HTTPServerResponsePart

        private let responder: PromptResponder
        private let interval: TimeAmount
        /// The answers that Hummingbird owes.
        private var owedCount = 0
        /// Whether the request that is arriving has its answer.
        private var isAnswered = false
        /// The bytes that were written since the last flush, about.
        private var unflushedSize = 0
        private var hasWritten = false
        private var nextForwarding = NIODeadline.uptimeNanoseconds(0)

        /// Creates the handler of one connection.
        ///
        /// - Parameters:
        ///   - responder: Returns the answers; it must not block.
        ///   - idleTimeout: Hummingbird's.
        init(_ responder: @escaping PromptResponder, idleTimeout: TimeAmount) {
            self.responder = responder
            interval = .nanoseconds(idleTimeout.nanoseconds / 4)
        }

        func handlerAdded(context: ChannelHandlerContext) {
            nextForwarding = context.eventLoop.now + interval
        }

        /// The bytes from which on the handler flushes before the socket's read has ended.
        static let unflushedSizeMax = 64 << 10
        /// What the head of an answer counts, in bytes: about its size.
        private static let headSize = 1024

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                do {
                    try FirstVersionHandler.prepare(for: head, context)
                } catch {
                    return context.fireErrorCaught(error)
                }
                // TLS keeps what is not flushed where it does not count as unwritten.
                if unflushedSize >= Self.unflushedSizeMax { flush(context) }
                // A client that does not read its answers waits in a task for the room of the next one.
                if owedCount == 0, context.channel.isWritable,
                    context.eventLoop.now < nextForwarding,
                    let answer = responder(head)
                {
                    isAnswered = true
                    hasWritten = true
                    unflushedSize += Self.headSize + answer.body.readableBytes
                    context.write(wrapOutboundOut(.head(answer.head)), promise: nil)
                    let body = HTTPServerResponsePart.body(.byteBuffer(answer.body))
                    context.write(wrapOutboundOut(body), promise: nil)
                    context.write(wrapOutboundOut(.end(nil)), promise: nil)
                    return
                }
                owedCount += 1
                nextForwarding = context.eventLoop.now + interval
            case .body:
                if isAnswered { return }
            case .end:
                if isAnswered {
                    isAnswered = false
                    return
                }
            }
            context.fireChannelRead(data)
        }

        func channelReadComplete(context: ChannelHandlerContext) {
            if hasWritten { flush(context) }
            context.fireChannelReadComplete()
        }

        private func flush(_ context: ChannelHandlerContext) {
            hasWritten = false
            unflushedSize = 0
            context.flush()
        }

        func write(
            context: ChannelHandlerContext,
            data: NIOAny,
            promise: EventLoopPromise<Void>?
        ) {
            // The refusal of a malformed request answers none that was forwarded.
            if case .end = unwrapOutboundIn(data) { owedCount = max(0, owedCount - 1) }
            context.write(data, promise: promise)
        }
    }
#endif
