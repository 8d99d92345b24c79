#if Node
    public import DAGStorage
    internal import GatewayRequests
    internal import HummingbirdCore
    internal import HummingbirdHTTP2
    public import Logging
    internal import NIOCore
    internal import NIOPosix
    public import ServiceLifecycle

    /// Serves the blocks of a store over HTTP: IPFS Trustless Gateway, and the CARs of shards.
    ///
    /// ```
    /// /ipfs/{cid}          one block, or the CAR of a DAG
    /// /ipfs/{cid}/{path}   the CAR of a DAG below a path
    /// /piece/{key}         the CAR of a shard, as it is
    /// /health/livez        200 while the process answers
    /// /health/readyz       200 while the store can be read
    /// ```
    ///
    /// *Memory*: an answer holds at most three chunks of 256 KiB, whatever the size of its content.
    ///
    /// *Concurrency*: the gateway runs on NIO's event loops. What may wait for a disk runs on threads of its own.
    public struct Gateway: Service {
        private let server: any Service

        /// Creates a gateway; `run()` starts it.
        ///
        /// - Parameters:
        ///   - store: The store, which outlives the gateway.
        ///   - configuration: How to listen, and how much to serve.
        ///   - logger: Receives a line at level `debug` for each answer, and one at `warning` or `error` for each that
        ///     went wrong.
        ///   - observer: Receives what the gateway does; nil for none.
        ///   - isReady: Whether the store can be read now; any thread calls it, and it returns at once.
        ///   - onListening: Receives the address that the gateway listens on, once.
        /// - Throws: `DAGStoreError` with `invalidConfiguration` if a limit is not above zero, or if the certificate or
        ///   the key cannot be read.
        public init(
            store: DAGStore,
            configuration: GatewayConfiguration = GatewayConfiguration(),
            logger: Logger,
            observer: (any GatewayObserver)? = nil,
            isReady: @escaping @Sendable () -> Bool = { true },
            onListening: @escaping @Sendable (_ host: String, _ port: Int) -> Void = { _, _ in }
        ) throws {
            try configuration.check()
            let responder = Responder(store, configuration, logger, observer, isReady: isReady)
            let address = BindAddress.hostname(configuration.host, port: configuration.port)
            server = try configuration.serverBuilder(logger, responder).buildServer(
                configuration: ServerConfiguration(
                    address: address,
                    backlog: 4096,
                    availableConnectionsDelegate: MaximumAvailableConnections(
                        configuration.connectionsMax,
                        logger: logger
                    )
                ),
                eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
                logger: logger,
                responder: { request, writer, channel in
                    try await responder.respond(to: request, with: writer, on: channel)
                },
                onServerRunning: { channel in
                    guard let address = channel.localAddress, let port = address.port else {
                        return
                    }
                    onListening(address.ipAddress ?? configuration.host, port)
                }
            )
        }

        /// Serves until the task is cancelled or its service group shuts down.
        ///
        /// A graceful shutdown closes idle connections, and lets answers that began go on to their end.
        ///
        /// - Throws: An error of the system if the address cannot be listened on.
        public func run() async throws { try await server.run() }
    }

    extension GatewayConfiguration {
        /// Checks the limits.
        ///
        /// - Throws: `invalidConfiguration`.
        func check() throws(DAGStoreError) {
            guard streamsMax > 0, connectionsMax > 0, requestBytesMax ?? 1 > 0,
                totalBytesMax ?? 1 > 0
            else {
                throw DAGStoreError(
                    .invalidConfiguration,
                    "the gateway's limits must be above zero"
                )
            }
            let times = [
                slowClientTimeout, idleTimeout, fetchTimeout, totalBytesPeriod, retryAfter,
            ]
            guard times.allSatisfy({ $0 > .zero && $0 <= .seconds(1 << 30) }) else {
                throw DAGStoreError(
                    .invalidConfiguration,
                    "the gateway's times must be above zero and at most 34 years"
                )
            }
            guard (certificatePath == nil) == (keyPath == nil) else {
                throw DAGStoreError(
                    .invalidConfiguration,
                    "TLS needs a certificate and a key"
                )
            }
        }

        /// Returns what makes the server: HTTP/1.1 in the clear, or HTTP/2 and HTTP/1.1 over TLS.
        ///
        /// What it makes throws `invalidConfiguration` if the certificate or the key cannot be used.
        fileprivate func serverBuilder(
            _ logger: Logger,
            _ responder: Responder
        ) -> HTTPServerBuilder {
            let idle = TimeAmount(idleTimeout)
            let slowest = TimeAmount(slowClientTimeout)
            let streams = HTTP1Channel.Configuration(
                additionalChannelHandlers: [
                    HandlerInstaller(
                        { responder.promptAnswer(to: $0) },
                        idleTimeout: idle,
                        slowClientTimeout: slowest
                    ),
                    SlowClientHandler(timeout: slowest, logger: logger),
                ],
                idleTimeout: idle
            )
            let blocking = responder.blocking
            guard let certificatePath, let keyPath else {
                return HTTPServerBuilder { responder in
                    LoopChannel(HTTP1Channel(responder: responder, configuration: streams))
                }
            }
            let upgrade = HTTP2UpgradeChannel.Configuration(
                idleTimeout: idleTimeout,
                streamConfiguration: streams
            )
            return HTTPServerBuilder { responder in
                let files = try CertificateFiles(certificatePath, keyPath, blocking, logger)
                return LoopChannel(
                    try HTTP2UpgradeChannel(
                        tlsConfiguration: files.configuration,
                        configuration: upgrade,
                        responder: responder
                    ),
                    handshakeTimeout: idle
                )
            }
        }
    }
#endif
