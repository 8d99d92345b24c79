#if Node
    internal import NIOCore
    internal import NIOPosix
    internal import Synchronization

    /// A proxy before a server, which breaks connections as a test says.
    ///
    /// Its end closes the socket and all connections.
    package final class DatabaseProxy: Sendable {
        /// A fault.
        package enum Fault: Sendable {
            /// Everything arrives.
            case none
            /// The connection closes when the client sends these bytes, which do not arrive.
            case cutBefore(String)
            /// The bytes arrive, and the connection closes before any answer to them does.
            case cutAfter(String)
            /// Nothing that the server sends arrives any more; the connection stays open.
            case stall
        }

        /// What a test waits for in the bytes of a client.
        fileprivate struct Trap {
            let parts: [String]
            let passesLast: Bool
            let action: @Sendable () -> Void
        }

        fileprivate struct State {
            var fault = Fault.none
            /// How many connections the fault still meets.
            var faultsLeft = 0
            var trap: Trap?
            var isClosed = false
            var delay: TimeAmount?
            var clients: [ObjectIdentifier: any Channel] = [:]
            var acceptedCount = 0
        }

        /// The port.
        package let port: Int
        private let listener: any Channel
        private let state: ProxyState

        /// Starts a proxy on a free port of loopback.
        ///
        /// - Parameter target: The port of the server on loopback.
        /// - Throws: The error of the system.
        package init(to target: Int) async throws {
            let state = ProxyState()
            self.state = state
            listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                // The client's first bytes wait until there is a connection to the server.
                .childChannelOption(.autoRead, value: false)
                .childChannelInitializer { client in state.join(client, to: target) }
                .bind(host: "127.0.0.1", port: 0).get()
            guard let port = listener.localAddress?.port else {
                throw ChannelError.unknownLocalAddress
            }
            self.port = port
        }

        deinit {
            listener.close(promise: nil)
            cutAll()
        }

        /// The number of connections so far.
        package var acceptedCount: Int { state.value.withLock { $0.acceptedCount } }

        /// Lets the next connections meet a fault.
        ///
        /// - Parameters:
        ///   - fault: The fault.
        ///   - count: How many times it happens.
        package func inject(_ fault: Fault, times count: Int = 1) {
            state.value.withLock {
                $0.fault = fault
                $0.faultsLeft = count
            }
        }

        /// Calls a function when a client has sent these texts one after the other in one connection.
        ///
        /// A session prepares each statement once, so present connections close first.
        ///
        /// - Parameters:
        ///   - parts: The texts.
        ///   - passesLast: Whether the bytes with the last text arrive; their answer does not.
        ///   - action: Called once, on the event loop, before or after these bytes pass.
        package func onceSent(
            _ parts: [String],
            passesLast: Bool = false,
            _ action: @escaping @Sendable () -> Void
        ) {
            state.value.withLock {
                $0.trap = Trap(parts: parts, passesLast: passesLast, action: action)
            }
            cutAll()
        }

        /// Waits for no texts any more.
        package func disarm() { state.value.withLock { $0.trap = nil } }

        /// Delays all bytes by some time; nil for no delay.
        package func delay(by time: Duration?) {
            let amount = time.map { TimeAmount($0) }
            state.value.withLock { $0.delay = amount }
        }

        /// Closes all connections, and each new one at once, until `open`.
        package func close() {
            state.value.withLock { $0.isClosed = true }
            cutAll()
        }

        /// Lets connections through again.
        package func open() { state.value.withLock { $0.isClosed = false } }

        /// Closes all connections.
        package func cutAll() {
            let clients = state.value.withLock { Array($0.clients.values) }
            for client in clients { client.close(promise: nil) }
        }
    }

    /// The state that the handlers share.
    private final class ProxyState: Sendable {
        let value = Mutex(DatabaseProxy.State())

        func join(_ client: any Channel, to target: Int) -> EventLoopFuture<Void> {
            let isClosed = value.withLock { state in
                state.acceptedCount += 1
                if !state.isClosed { state.clients[ObjectIdentifier(client)] = client }
                return state.isClosed
            }
            guard !isClosed else { return client.eventLoop.makeFailedFuture(ChannelError.eof) }
            client.closeFuture.whenComplete { _ in
                self.value.withLock { $0.clients[ObjectIdentifier(client)] = nil }
            }
            return ClientBootstrap(group: client.eventLoop)
                .channelOption(.autoRead, value: false)
                .connect(host: "127.0.0.1", port: target)
                .flatMap { server in
                    client.eventLoop.makeCompletedFuture {
                        let doom = Doom()
                        try client.pipeline.syncOperations.addHandler(
                            PassHandler(to: server, state: self, doom: doom, isFromClient: true)
                        )
                        try server.pipeline.syncOperations.addHandler(
                            PassHandler(to: client, state: self, doom: doom, isFromClient: false)
                        )
                    }.flatMap {
                        client.setOption(.autoRead, value: true)
                            .and(server.setOption(.autoRead, value: true)).map { _ in }
                    }
                }
        }

        /// The time by which bytes are delayed.
        var delay: TimeAmount? { value.withLock { $0.delay } }

        /// Returns the trap if bytes of a client are the last that it waits for.
        func springs(_ bytes: ByteBuffer, _ doom: Doom) -> DatabaseProxy.Trap? {
            value.withLock { state in
                guard let trap = state.trap else { return nil }
                let text = String(decoding: bytes.readableBytesView, as: UTF8.self)
                while doom.sentCount < trap.parts.count, text.contains(trap.parts[doom.sentCount]) {
                    doom.sentCount += 1
                }
                guard doom.sentCount == trap.parts.count else { return nil }
                state.trap = nil
                return trap
            }
        }

        /// Whether bytes of a client meet the fault; counts it.
        func meets(_ bytes: ByteBuffer) -> DatabaseProxy.Fault? {
            value.withLock { state in
                guard state.faultsLeft > 0 else { return nil }
                let text = String(decoding: bytes.readableBytesView, as: UTF8.self)
                switch state.fault {
                case .none: return nil
                case .cutBefore(let part), .cutAfter(let part):
                    guard text.contains(part) else { return nil }
                case .stall: break
                }
                state.faultsLeft -= 1
                return state.fault
            }
        }
    }

    /// Whether answers of one connection still arrive; only its event loop uses it.
    private final class Doom: @unchecked Sendable {
        // SAFETY: `@unchecked Sendable`: both channels of a connection have one event loop.
        var isSilent = false
        var cutsAtAnswer = false
        /// The texts of the trap that the client has sent.
        var sentCount = 0
    }

    /// Passes the bytes of one side to the other.
    private final class PassHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let other: any Channel
        private let state: ProxyState
        private let doom: Doom
        private let isFromClient: Bool
        /// The bytes that wait, in order.
        private var late: CircularBuffer<ByteBuffer> = []

        init(to other: any Channel, state: ProxyState, doom: Doom, isFromClient: Bool) {
            self.other = other
            self.state = state
            self.doom = doom
            self.isFromClient = isFromClient
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            guard isFromClient else {
                if doom.cutsAtAnswer { return context.close(promise: nil) }
                if !doom.isSilent { pass(bytes, context) }
                return
            }
            if let trap = state.springs(bytes, doom) {
                doom.isSilent = true
                if trap.passesLast { other.writeAndFlush(bytes, promise: nil) }
                return trap.action()
            }
            switch state.meets(bytes) {
            case .cutBefore: return context.close(promise: nil)
            case .cutAfter: doom.cutsAtAnswer = true
            case .stall: doom.isSilent = true
            case .some(.none), nil: break
            }
            pass(bytes, context)
        }

        private func pass(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
            let delay = state.delay
            guard delay != nil || !late.isEmpty else {
                return other.writeAndFlush(bytes, promise: nil)
            }
            late.append(bytes)
            context.eventLoop.assumeIsolated().scheduleTask(in: delay ?? .zero) {
                // The first bytes leave first, whatever their delays were.
                guard let bytes = self.late.popFirst() else { return }
                self.other.writeAndFlush(bytes, promise: nil)
            }
        }

        func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
#endif
