#if Cluster
    public import DAGStorage

    extension Cluster {
        /// A shard of a cluster, as the database knew it at the time of a call.
        public struct Shard: Sendable, Equatable {
            /// The states of a shard.
            public enum State: String, Sendable, CaseIterable {
                /// A node will index it.
                case registered
                /// It has an index, and nodes serve it.
                case available
                /// No node could index it.
                case failed
            }

            /// The number in the cluster, which no other shard ever gets.
            let number: UInt32
            /// The key.
            public let key: ShardKey
            /// The state.
            public let state: State
            /// The URL of the mount.
            public let mountURL: String
            /// The number of sections; 0 before it is available.
            public let blockCount: UInt64
            /// The size of the payload in bytes; 0 before it is available.
            public let payloadSize: UInt64
            /// The nodes that serve it.
            public let holders: [Node]
            /// Why it failed; nil in other states.
            public let failure: DAGStoreError?

            init(_ placed: PlacedShard, _ nodes: [ClusterNode]) {
                let shard = placed.shard
                number = shard.number
                key = shard.key
                state =
                    switch shard.state {
                    case .registered: .registered
                    case .available: .available
                    case .failed: .failed
                    }
                mountURL = shard.mountURL
                blockCount = shard.blockCount
                payloadSize = shard.payloadSize
                holders = placed.holders.map { id in
                    Node(
                        name: nodes.name(of: id),
                        url: nodes.first { $0.id == id }.flatMap { $0.url.isEmpty ? nil : $0.url }
                    )
                }
                failure = shard.errorCode.map { DAGStoreError($0, shard.error, shard: shard.key) }
            }
        }

        /// A node of a cluster.
        public struct Node: Sendable, Hashable {
            /// The name for people.
            public let name: String
            /// Where clients reach its gateway; nil if they cannot.
            public let url: String?
        }
    }
#endif
