#if Node
    #if Cluster
        internal import DAGCluster
    #endif
    internal import DAGHashing
    internal import DAGNode
    internal import DAGStorage

    /// The facts of a cluster that a node needs before it opens its store.
    struct ClusterJoining {
        /// The key of hashes for a new store; nil if the store exists, or the node is in no cluster.
        let hashKey: HashKey?
        /// Whether the node joins for the first time.
        var isNew: Bool { hashKey != nil }

        #if Cluster
            private let database: ClusterDatabase?
            private let id: [UInt8]

            /// Asks the database, unless the store's folder has the number of its cluster.
            ///
            /// So a node that was in the cluster serves its shards while the database is away.
            ///
            /// - Throws: `invalidArgument`, `catalogUnreachable`, `catalogTooNew`.
            init(_ settings: NodeSettings) async throws {
                guard let address = settings.cluster else {
                    (hashKey, database, id) = (nil, nil, [])
                    return
                }
                let database = try ClusterDatabase(at: address)
                self.database = database
                if let number = try NodeNumber(in: settings.store) {
                    hashKey = nil
                    id = number.cluster
                } else {
                    let facts = try await database.facts()
                    hashKey = HashKey(facts.hashKey)
                    id = facts.id
                }
            }

            /// The time that a request of a client waits for the database.
            private static let patienceOfLookups = Duration.seconds(2)

            /// The cluster of the node, whose store is open now; nil for a node by itself.
            ///
            /// - Throws: `invalidArgument` if the store has another key of hashes than the cluster; `catalogCorrupt`,
            ///   `readOnly`.
            func cluster(_ settings: NodeSettings, _ store: DAGStore) throws -> NodeCluster? {
                guard let database, let address = settings.cluster else { return nil }
                guard hashKey == nil || hashKey == store.hashKey else {
                    throw DAGStoreError(
                        .invalidArgument,
                        "the store was made with another hash key than the cluster's",
                        advice:
                            "give --store an empty folder, or make the cluster of this store with "
                            + "'dagstore cluster adopt'"
                    )
                }
                return NodeCluster(
                    try NodeNumber(in: settings.store, of: id),
                    in: database,
                    lookups: try ClusterDatabase(
                        at: address,
                        patience: Self.patienceOfLookups,
                        isForClients: true
                    ),
                    directory: settings.store
                )
            }
        #else
            /// Rejects `--cluster`, which this build lacks.
            init(_ settings: NodeSettings) async throws {
                guard settings.cluster == nil else { throw VerbNotBuiltIn.cluster }
                hashKey = nil
            }

            /// No cluster.
            func cluster(_ settings: NodeSettings, _ store: DAGStore) throws -> NodeCluster? { nil }
        #endif
    }
#endif
