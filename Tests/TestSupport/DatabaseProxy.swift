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

        fileprivate struct State {
            var fault = Fault.none
            /// How many connections the fault still meets.
            var faultsLeft = 0
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
            value.withLock {
                $0.acceptedCount += 1
                $0.clients[ObjectIdentifier(client)] = client
            }
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
    }

    /// Passes the bytes of one side to the other.
    private final class PassHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let other: any Channel
        private let state: ProxyState
        private let doom: Doom
        private let isFromClient: Bool

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
                if !doom.isSilent { other.writeAndFlush(bytes, promise: nil) }
                return
            }
            switch state.meets(bytes) {
            case .cutBefore: return context.close(promise: nil)
            case .cutAfter: doom.cutsAtAnswer = true
            case .stall: doom.isSilent = true
            case .some(.none), nil: break
            }
            other.writeAndFlush(bytes, promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
#endif
