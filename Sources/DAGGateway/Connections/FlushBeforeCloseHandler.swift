#if Node
    internal import NIOCore

    /// Lets the client take the end of an answer before the server closes its connection.
    ///
    /// When the server shuts down, Hummingbird closes a connection together with the last part of its answer. NIO drops
    /// the bytes that the system has not taken by then, and the client misses the end. This handler sits next to the
    /// socket, and closes it after these bytes.
    ///
    /// A task that is cancelled, such as at the end of a drain, closes the input first; then nothing waits.
    ///
    /// *Cost*: nothing until a connection is closed.
    final class FlushBeforeCloseHandler: ChannelOutboundHandler, RemovableChannelHandler {
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        /// The event after which a close waits for nothing.
        struct Cut: Sendable {}

        private enum State { case open, flushing, cut }
        private var state = State.open
        private let timeout: TimeAmount
        private var timer: Scheduled<Void>?

        /// Creates a handler.
        ///
        /// - Parameter timeout: How long a client may take for what is left when its connection is closed.
        init(timeout: TimeAmount) { self.timeout = timeout }

        func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

        func close(
            context: ChannelHandlerContext,
            mode: CloseMode,
            promise: EventLoopPromise<Void>?
        ) {
            switch (mode, state) {
            case (.all, .open) where context.channel.isActive:
                state = .flushing
                let flushed = context.eventLoop.makePromise(of: Void.self)
                flushed.futureResult.assumeIsolated().whenComplete { [self] _ in
                    timer?.cancel()
                    context.close(mode: .all, promise: promise)
                }
                timer = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [self] in
                    cut(context)
                }
                flush(context, flushed)
            case (.all, .flushing), (.output, .flushing):
                promise?.completeWith(context.channel.closeFuture)
            case (.output, .open) where context.channel.isActive:
                // The client has closed its side, and NIO would close both at once.
                let flushed = context.eventLoop.makePromise(of: Void.self)
                flushed.futureResult.assumeIsolated().whenComplete { _ in
                    context.close(mode: .output, promise: promise)
                }
                flush(context, flushed)
            case (.input, _):
                context.close(mode: .input, promise: promise)
                cut(context)
            default: context.close(mode: mode, promise: promise)
            }
        }

        /// Fulfils a promise when the system has taken all bytes.
        private func flush(_ context: ChannelHandlerContext, _ flushed: EventLoopPromise<Void>) {
            // Bytes go out in their order, so all others are gone when these none are.
            let none = context.channel.allocator.buffer(capacity: 0)
            context.writeAndFlush(wrapOutboundOut(none), promise: flushed)
        }

        func triggerUserOutboundEvent(
            context: ChannelHandlerContext,
            event: Any,
            promise: EventLoopPromise<Void>?
        ) {
            guard event is Cut else {
                return context.triggerUserOutboundEvent(event, promise: promise)
            }
            cut(context)
            promise?.succeed()
        }

        /// Ends a wait, and all later ones.
        private func cut(_ context: ChannelHandlerContext) {
            let wasFlushing = state == .flushing
            state = .cut
            guard wasFlushing else { return }
            // Bytes are missing. A client whose body ends with the connection learns that by a reset alone.
            context.channel.resetAtClose()
            context.close(mode: .all, promise: nil)
        }
    }
#endif
