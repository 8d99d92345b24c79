#if Node
    #if Cluster
        package import DAGCluster
    #endif
    internal import DAGStorage
    internal import Logging
    internal import ServiceLifecycle

    /// The cluster of a node: its catalog, and the number of the node in it.
    ///
    /// Without the trait Cluster there is no value of this type.
    package struct NodeCluster: Sendable {
        #if Cluster
            private let number: NodeNumber
            private let database: ClusterDatabase

            /// Creates the cluster of a node.
            package init(_ number: NodeNumber, in database: ClusterDatabase) {
                self.number = number
                self.database = database
            }
        #else
            private init() {}
        #endif

        /// Makes the services of the node.
        func services(
            _ store: DAGStore,
            _ settings: NodeSettings,
            _ release: String,
            _ logger: Logger,
            _ address: @escaping @Sendable () async -> NodeAddress
        ) -> [any Service] {
            #if Cluster
                [
                    ClusterService(
                        number: number,
                        database: database,
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
