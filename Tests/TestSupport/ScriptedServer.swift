#if Node
    internal import NIOCore
    internal import NIOHTTP1
    internal import NIOPosix
    internal import Synchronization

    /// An HTTP server on loopback that answers as a test says, wrongly if it must.
    ///
    /// Its end closes the socket and all connections.
    package final class ScriptedServer: Sendable {
        /// A request.
        package struct Request: Sendable {
            /// The method.
            package let method: String
            /// The path and the query.
            package let target: String
            /// The headers, in order.
            package let headers: [(name: String, value: String)]
            /// The body.
            package let body: [UInt8]

            /// The first value of a header.
            package func header(_ name: String) -> String? {
                headers.first { $0.name.lowercased() == name.lowercased() }?.value
            }
        }

        /// What ends a response.
        package enum Ending: Sendable {
            /// The body ends as HTTP says.
            case complete
            /// The connection closes after the body's bytes, although more were announced.
            case cut
            /// No more bytes come, and the connection stays open.
            case stall
            /// The body's bytes come one by one, with a pause in milliseconds before each.
            case drip(Int)
        }

        /// A response.
        package struct Reply: Sendable {
            /// The status.
            package var status: Int
            /// The headers; without `Content-Length`, the server sends chunks.
            package var headers: [(name: String, value: String)]
            /// The bytes that are sent.
            package var body: [UInt8]
            /// What comes after them.
            package var ending = Ending.complete
            /// The time before the response, as a distant server has it, in milliseconds.
            package var delay: Int64 = 0

            /// A response that announces the size of its body.
            package init(
                _ status: Int,
                _ headers: [(name: String, value: String)] = [],
                body: [UInt8] = [],
                ending: Ending = .complete
            ) {
                self.status = status
                self.headers = headers
                self.body = body
                self.ending = ending
                if !headers.contains(where: { $0.name == "Content-Length" }) {
                    self.headers.append(("Content-Length", "\(body.count)"))
                }
            }
        }

        package typealias Script = @Sendable (Request) async -> Reply

        /// The port.
        package let port: Int
        private let listener: any Channel
        private let log: RequestLog

        /// Starts a server on a free port.
        ///
        /// - Parameter script: Answers each request; requests on several connections run at once.
        /// - Throws: The error of the system.
        package init(_ script: @escaping Script) async throws {
            let log = RequestLog()
            self.log = log
            listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        log.opened(channel)
                        try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                        try channel.pipeline.syncOperations.addHandler(
                            ScriptHandler(script, log)
                        )
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            port = listener.localAddress?.port ?? 0
        }

        deinit { close() }

        /// Closes the socket and all connections.
        package func close() {
            listener.close(promise: nil)
            for channel in log.channels { channel.close(promise: nil) }
        }

        /// `http://127.0.0.1:port`.
        package var url: String { "http://127.0.0.1:\(port)" }
        /// The requests so far.
        package var requests: [Request] { log.requests }
        /// The most requests that were answered at once.
        package var peak: Int { log.peak }
        /// The connections that clients made.
        package var connectionCount: Int { log.channels.count }

        /// Answers a request for `bytes` as a correct server of files does.
        package static func serve(
            _ bytes: [UInt8],
            tag: String? = "\"v1\"",
            lastModified: String? = nil,
            _ request: Request
        ) -> Reply {
            var headers: [(name: String, value: String)] = [("Accept-Ranges", "bytes")]
            if let tag { headers.append(("ETag", tag)) }
            if let lastModified { headers.append(("Last-Modified", lastModified)) }
            if let condition = request.header("If-Match"), condition != tag {
                return Reply(412, headers)
            }
            if let condition = request.header("If-Unmodified-Since"), condition != lastModified {
                return Reply(412, headers)
            }
            if request.method == "HEAD" {
                return Reply(200, headers + [("Content-Length", "\(bytes.count)")])
            }
            guard let value = request.header("Range") else {
                return Reply(200, headers, body: bytes)
            }
            let ends = value.dropFirst("bytes=".count).split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, first < bytes.count else {
                return Reply(416, headers + [("Content-Range", "bytes */\(bytes.count)")])
            }
            let last = min(ends.count == 2 ? ends[1] : bytes.count - 1, bytes.count - 1)
            headers.append(("Content-Range", "bytes \(first)-\(last)/\(bytes.count)"))
            return Reply(206, headers, body: Array(bytes[first...last]))
        }
    }

    /// The requests and connections of a server.
    private final class RequestLog: Sendable {
        private struct State {
            var requests: [ScriptedServer.Request] = []
            var running = 0
            var peak = 0
            var channels: [any Channel] = []
        }

        private let state = Mutex(State())

        var requests: [ScriptedServer.Request] { state.withLock { $0.requests } }
        var peak: Int { state.withLock { $0.peak } }
        var channels: [any Channel] { state.withLock { $0.channels } }

        func opened(_ channel: any Channel) { state.withLock { $0.channels.append(channel) } }

        func began(_ request: ScriptedServer.Request) {
            state.withLock { state in
                state.requests.append(request)
                state.running += 1
                state.peak = max(state.peak, state.running)
            }
        }

        func ended() { state.withLock { $0.running -= 1 } }
    }

    /// One connection.
    private final class ScriptHandler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let script: ScriptedServer.Script
        private let log: RequestLog
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(_ script: @escaping ScriptedServer.Script, _ log: RequestLog) {
            self.script = script
            self.log = log
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body = []
            case .body(let part): body += part.readableBytesView
            case .end:
                guard let head else { return }
                let request = ScriptedServer.Request(
                    method: head.method.rawValue,
                    target: head.uri,
                    headers: head.headers.map { ($0.name, $0.value) },
                    body: body
                )
                log.began(request)
                let (script, log, channel) = (script, log, context.channel)
                channel.eventLoop.makeFutureWithTask { await script(request) }
                    .whenSuccess { reply in
                        @Sendable func answer() {
                            log.ended()
                            Self.send(reply, channel)
                        }
                        guard reply.delay > 0 else { return answer() }
                        channel.eventLoop.scheduleTask(in: .milliseconds(reply.delay), answer)
                    }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }

        private static func send(_ reply: ScriptedServer.Reply, _ channel: any Channel) {
            let headers = HTTPHeaders(reply.headers.map { ($0.name, $0.value) })
            let status = HTTPResponseStatus(statusCode: reply.status)
            let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
            let headSent = channel.write(HTTPServerResponsePart.head(head))
            if case .drip(let pause) = reply.ending {
                channel.flush()
                return drip(reply.body[...], .milliseconds(Int64(pause)), channel)
            }
            var sent = headSent
            if !reply.body.isEmpty {
                let buffer = channel.allocator.buffer(bytes: reply.body)
                sent = channel.write(HTTPServerResponsePart.body(.byteBuffer(buffer)))
            }
            switch reply.ending {
            case .complete: channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
            case .stall, .drip: channel.flush()
            case .cut:
                // To close earlier would discard the bytes that the socket had no room for.
                sent.whenComplete { _ in channel.close(promise: nil) }
                channel.flush()
            }
        }

        private static func drip(
            _ bytes: ArraySlice<UInt8>,
            _ pause: TimeAmount,
            _ channel: any Channel
        ) {
            guard let byte = bytes.first, channel.isActive else { return }
            channel.eventLoop.scheduleTask(in: pause) {
                let buffer = channel.allocator.buffer(bytes: [byte])
                channel.writeAndFlush(
                    HTTPServerResponsePart.body(.byteBuffer(buffer)),
                    promise: nil
                )
                drip(bytes.dropFirst(), pause, channel)
            }
        }
    }
#endif
