#if Node
    internal import DAGGateway
    internal import DAGIPLD
    package import DAGStorage
    internal import Logging
    internal import NIOCore
    internal import ServiceLifecycle
    internal import SystemPackage

    extension Node {
        /// Prepares a node with the gateway; see the other initializer.
        package init(
            _ settings: NodeSettings,
            store: DAGStore,
            log: NodeLog,
            onListening: @escaping @Sendable (NodeAddress) -> Void
        ) throws {
            try self.init(
                settings,
                store: store,
                log: log,
                makeServer: { store, settings, logger, isReady, onListening in
                    try Gateway(
                        store: store,
                        configuration: settings.gateway,
                        logger: logger,
                        isReady: isReady,
                        onListening: { onListening(NodeAddress(host: $0, port: $1)) }
                    )
                },
                onListening: onListening
            )
        }
    }

    extension NodeSettings {
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
        init(listeningAt address: NodeAddress, _ error: any Error) {
            guard let error = error as? DAGStoreError else {
                self.init(.invalidArgument, "--listen \(address): \(Self.reason(error))")
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
