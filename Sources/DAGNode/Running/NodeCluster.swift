#if Node
    #if Cluster
        package import DAGCluster
    #endif
    internal import DAGAdmin
    internal import DAGGateway
    internal import DAGMultiformats
    internal import DAGStorage
    internal import Logging
    internal import ServiceLifecycle
    package import SystemPackage

    /// The cluster of a node: its catalog, and the number of the node in it.
    ///
    /// Without the trait Cluster there is no value of this type.
    package struct NodeCluster: Sendable {
        #if Cluster
            private let number: NodeNumber
            private let database: ClusterDatabase
            private let lookups: ClusterDatabase
            private let guide: ClusterGuide
            private let reader: ClusterReader

            /// Creates the cluster of a node.
            ///
            /// - Parameters:
            ///   - number: The node's number.
            ///   - database: The catalog, for the work of the node.
            ///   - lookups: The same catalog with less patience, for requests of clients.
            ///   - directory: The folder of the node's store.
            package init(
                _ number: NodeNumber,
                in database: ClusterDatabase,
                lookups: ClusterDatabase,
                directory: FilePath
            ) {
                self.number = number
                self.database = database
                self.lookups = lookups
                guide = ClusterGuide(
                    in: lookups,
                    for: number.node,
                    directory: directory,
                    times: .ofProcess
                )
                reader = ClusterReader(guide)
            }
        #else
            private init() {}
        #endif

        /// Tells a gateway what to do with what the node lacks and another one has.
        func serveMisses(_ settings: NodeSettings, _ configuration: inout GatewayConfiguration) {
            #if Cluster
                if settings.readsMisses {
                    configuration.blocksElsewhere = { [reader] in try await reader.blocks(for: $0) }
                }
                configuration.elsewhere = { [guide] content in
                    switch content {
                    case .block where settings.readsMisses: nil
                    case .block(let cid):
                        try await guide.urls(ofBlock: cid.multihash).randomElement()
                    case .piece(let key): try await guide.url(ofShard: key)
                    }
                }
            #endif
        }

        /// What the admin interface tells about the cluster.
        var view: ClusterView? {
            #if Cluster
                ClusterView(of: number, in: lookups)
            #else
                nil
            #endif
        }

        /// Makes the services of the node.
        func services(
            _ store: DAGStore,
            _ settings: NodeSettings,
            _ release: String,
            _ logger: Logger,
            _ address: @escaping @Sendable () async throws -> NodeAddress
        ) -> [any Service] {
            #if Cluster
                [
                    ClusterService(
                        number: number,
                        database: database,
                        guide: guide,
                        store: store,
                        settings: settings,
                        release: release,
                        logger: logger,
                        address: address
                    )
                ]
            #else
                []
            #endif
        }
    }
#endif
