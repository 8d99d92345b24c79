#if Node
    package import AdminMessages
    package import DAGStorage

    /// What a node tells about its cluster; a node by itself has no such value.
    ///
    /// *Concurrency*: the closures run on any thread, several at once.
    package struct ClusterView: Sendable {
        /// Writes the members of a JSON object.
        package typealias Members = @Sendable (inout JSONWriter) -> Void

        /// The number of the cluster in hexadecimal digits.
        let number: String
        /// Asks the database for the nodes, the totals and the jobs; throws `catalogUnreachable`.
        let overview: @Sendable () async throws -> Members
        /// Asks the database for the copies of a shard; throws `shardUnknown`, `catalogUnreachable`.
        let copies: @Sendable (ShardKey) async throws -> Members

        /// Creates a view.
        ///
        /// - Parameters:
        ///   - number: The number of the cluster in hexadecimal digits.
        ///   - overview: Asks for the nodes, the totals and the jobs.
        ///   - copies: Asks for the copies of a shard.
        package init(
            of number: String,
            overview: @escaping @Sendable () async throws -> Members,
            copies: @escaping @Sendable (ShardKey) async throws -> Members
        ) {
            self.number = number
            self.overview = overview
            self.copies = copies
        }
    }

    extension Admin {
        /// The answer about the cluster, or about the copies of the shard that the query names.
        ///
        /// - Throws: Status 404 on a node by itself; the errors of `ClusterView`.
        func cluster(_ route: AdminRoute, _ part: String?) async throws -> AdminReply {
            guard let cluster = facts.cluster else {
                throw AdminError(
                    status: 404,
                    code: "noCluster",
                    message: "The node belongs to no cluster"
                )
            }
            switch part {
            case nil:
                let members = try await cluster.overview()
                return .json { members(&$0) }
            case "shard":
                let key = try ShardKey(try route.onlyKey)
                let members = try await cluster.copies(key)
                return .json { members(&$0) }
            default: throw Self.noSuchPath
            }
        }
    }
#endif
