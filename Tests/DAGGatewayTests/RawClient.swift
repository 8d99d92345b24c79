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
            let connection = try await connect(port)
            return try await connection.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: text))
                if closesOutput { outbound.finish() }
                var all: [UInt8] = []
                do {
                    for try await part in inbound { all += part.readableBytesView }
                } catch {
                    // The server reset the connection; what came before counts.
                }
                return String(decoding: all, as: UTF8.self)
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
            let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .channelOption(.autoRead, value: false)
                .channelOption(.socketOption(.so_rcvbuf), value: 4096)
                .connect(host: "127.0.0.1", port: port).get()
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
#endif
