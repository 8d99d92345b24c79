#if Node
    import NIOCore
    import NIOPosix

    /// A client that sends the bytes it is given.
    enum RawClient {
        typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

        static func connect(_ port: Int) async throws -> Connection {
            try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .channelOption(.allowRemoteHalfClosure, value: true)
                .connect(host: "127.0.0.1", port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try Connection(
                            wrappingChannelSynchronously: channel,
                            configuration: .init(isOutboundHalfClosureEnabled: true)
                        )
                    }
                }
        }

        /// Sends bytes, and collects everything that comes until the server closes the connection.
        ///
        /// - Parameters:
        ///   - text: The bytes.
        ///   - port: The server's port.
        ///   - closesOutput: Whether the client then says that it sends no more.
        /// - Returns: The bytes as text.
        /// - Throws: An error of the system if there is no connection.
        static func exchange(
            _ text: String,
            _ port: Int,
            closesOutput: Bool = false
        ) async throws -> String {
            let bytes = try await exchangeBytes(text, port, closesOutput: closesOutput)
            return String(decoding: bytes, as: UTF8.self)
        }

        /// As `exchange`, with bytes instead of a text.
        ///
        /// - Parameters:
        ///   - text: As in `exchange`.
        ///   - port: As in `exchange`.
        ///   - closesOutput: As in `exchange`.
        ///   - toleratesReset: Whether what came before a reset of the connection counts.
        /// - Returns: The bytes.
        /// - Throws: An error of the system if there is no connection, or for a reset.
        static func exchangeBytes(
            _ text: String,
            _ port: Int,
            closesOutput: Bool = false,
            toleratesReset: Bool = true
        ) async throws -> [UInt8] {
            let connection = try await connect(port)
            return try await connection.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: text))
                if closesOutput { outbound.finish() }
                var all: [UInt8] = []
                do {
                    for try await part in inbound { all += part.readableBytesView }
                } catch  where toleratesReset {}
                return all
            }
        }

        /// Sends one request for `target`, and asks the server to close the connection after it.
        static func get(_ target: String, _ port: Int) async throws -> String {
            try await exchange(
                "GET \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                port
            )
        }

        /// Opens a connection, sends bytes, and then reads nothing while `body` runs.
        static func stall<R: Sendable>(
            _ text: String,
            _ port: Int,
            _ body: (any Channel) async throws -> R
        ) async throws -> R {
            try await stall(connectStalled(port), text, body)
        }

        /// As `stall`, but first reads the beginning of the answer, and asks again after each status 429.
        ///
        /// A stream's place is free a moment after its client has the last byte.
        static func stallAdmitted<R: Sendable>(
            _ text: String,
            _ port: Int,
            _ body: @Sendable (any Channel) async throws -> R
        ) async throws -> R {
            while true {
                let channel = try await connectStalled(port)
                let answer = try await channel.eventLoop.submit {
                    let handler = FirstBytesHandler(channel.eventLoop.makePromise())
                    try channel.pipeline.syncOperations.addHandler(handler)
                    return handler.first.futureResult
                }.get()
                let result: R? = try await stall(channel, text) { channel in
                    channel.read()
                    let isRefused = try await answer.get().hasPrefix("HTTP/1.1 429 ")
                    return isRefused ? nil : try await body(channel)
                }
                if let result { return result }
            }
        }

        private static func connectStalled(_ port: Int) async throws -> any Channel {
            try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .channelOption(.autoRead, value: false)
                .channelOption(.socketOption(.so_rcvbuf), value: 4096)
                .connect(host: "127.0.0.1", port: port).get()
        }

        private static func stall<R: Sendable>(
            _ channel: any Channel,
            _ text: String,
            _ body: (any Channel) async throws -> R
        ) async throws -> R {
            let outcome: Result<R, any Error>
            do {
                try await channel.writeAndFlush(ByteBuffer(string: text))
                outcome = .success(try await body(channel))
            } catch {
                outcome = .failure(error)
            }
            try? await channel.close()
            return try outcome.get()
        }
    }

    /// Keeps the first bytes of an answer.
    private final class FirstBytesHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        let first: EventLoopPromise<String>

        init(_ first: EventLoopPromise<String>) { self.first = first }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            first.succeed(String(buffer: unwrapInboundIn(data)))
        }

        func channelInactive(context: ChannelHandlerContext) {
            // Has no effect after the first bytes.
            first.fail(ChannelError.eof)
            context.fireChannelInactive()
        }
    }
#endif
