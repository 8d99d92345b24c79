#if Node
    package import AdminMessages
    internal import DAGAdmin
    internal import DAGGateway
    internal import DAGIPLD
    package import DAGStorage
    internal import DAGSystem
    internal import Logging
    internal import NIOCore
    internal import ServiceLifecycle
    internal import SharedReads
    package import SystemPackage

    extension Node {
        /// Runs a verb for a client of the admin socket, and returns the exit status.
        ///
        /// It gets the request, the store's directory and a function that sends a frame; that returns false if the
        /// client is gone. It may block its thread.
        package typealias RunVerb =
            @Sendable (VerbRequest, FilePath, OutputSender) async ->
            Int32

        /// Prepares a node with the gateway; see the other initializer.
        package init(
            _ settings: NodeSettings,
            store: DAGStore,
            log: NodeLog,
            telemetry: NodeTelemetry,
            version: String,
            runVerb: @escaping RunVerb,
            cluster: NodeCluster? = nil,
            onListening: @escaping @Sendable (NodeAddress) -> Void
        ) throws {
            let gateway = GatewayPlace()
            try self.init(
                settings,
                store: store,
                log: log,
                makeServer: { store, settings, logger, isReady, onListening in
                    var configuration = settings.gateway
                    configuration.connectionsMax = settings.connectionsMax(
                        within: ThisProcess.descriptorCountMax
                    )
                    cluster?.serveMisses(settings, &configuration)
                    return try Gateway(
                        store: store,
                        configuration: configuration,
                        logger: logger,
                        observer: telemetry.metrics,
                        isReady: isReady,
                        onListening: {
                            let address = NodeAddress(host: $0, port: $1)
                            gateway.set(address)
                            onListening(address)
                        }
                    )
                },
                makeAdmin: { isReady, directory in
                    let watchdog = Watchdog(
                        store,
                        limit: settings.stuckAfter,
                        logger: log.logger("watchdog")
                    )
                    let admin = Admin(
                        store,
                        Admin.Facts(
                            version: version,
                            directory: directory,
                            gateway: { gateway.address?.description },
                            isReady: isReady,
                            logLevel: { log.leastLevel },
                            setLogLevel: { log.leastLevel = $0 },
                            cluster: cluster?.view
                        ),
                        telemetry.metrics,
                        watchdog,
                        runVerb: { await runVerb($0, directory, $1) }
                    )
                    return try NodeAdmin(admin, settings, directory, log).services
                },
                makeMember: { address in
                    cluster?.services(store, settings, version, log.logger("cluster"), address)
                        ?? []
                },
                onListening: onListening
            )
        }
    }

    /// The address on which the gateway listens, once it does.
    private final class GatewayPlace: Sendable {
        private let place = Lock<NodeAddress?>(nil)

        var address: NodeAddress? { place.withLock { $0 } }

        func set(_ address: NodeAddress) { place.withLock { $0 = address } }
    }

    extension NodeSettings {
        /// Returns the connections at once, for a process with a number of descriptors.
        ///
        /// A server without a free descriptor cannot even refuse a connection. So a quarter of them is for CARs, the
        /// store and its sockets; of few, 32 or half.
        func connectionsMax(within descriptors: UInt64?) -> Int {
            guard let descriptors = descriptors.flatMap({ Int(exactly: $0) }) else {
                return connectionsMax
            }
            let kept = max(min(32, descriptors / 2), descriptors / 4)
            return min(connectionsMax, max(1, descriptors - kept))
        }

        /// The settings of the gateway.
        var gateway: GatewayConfiguration {
            var configuration = GatewayConfiguration()
            configuration.host = listen.host
            configuration.port = listen.port
            configuration.certificatePath = tls?.certificate.string
            configuration.keyPath = tls?.key.string
            configuration.streamsMax = streamsMax
            configuration.requestBytesMax = requestBytesMax
            configuration.totalBytesMax = totalBytesMax
            configuration.totalBytesPeriod = totalBytesPeriod
            configuration.retryAfter = retryAfter
            configuration.slowClientTimeout = slowClientTimeout
            configuration.idleTimeout = idleTimeout
            configuration.connectionsMax = connectionsMax
            configuration.fetchTimeout = fetchTimeout
            configuration.verifiesBlocks = verifiesBlocks
            configuration.limits.distinctBlocksMax = distinctBlocksMax
            return configuration
        }
    }

    extension DAGStoreError {
        /// The error of a server that could not begin; its own error where it is one of the store.
        init(
            listeningAt address: NodeAddress,
            _ error: any Error,
            option: String = "--listen"
        ) {
            guard let error = error as? DAGStoreError else {
                self.init(.invalidArgument, "\(option) \(address): \(Self.reason(error))")
                return
            }
            self = error
        }

        private static func reason(_ error: any Error) -> String {
            guard let error = error as? IOError else { return "\(error)" }
            return Errno(rawValue: error.errnoCode).description
        }
    }
#endif
