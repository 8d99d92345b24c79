#if Node && Cluster
    internal import AdminMessages
    internal import DAGAdmin
    internal import DAGCluster
    internal import DAGStorage

    extension ClusterView {
        /// Creates the view of a cluster out of its database.
        ///
        /// - Parameters:
        ///   - number: The number of this node.
        ///   - database: The catalog.
        init(of number: NodeNumber, in database: ClusterDatabase) {
            self.init(
                of: number.cluster.hexadecimal,
                overview: {
                    let facts = try await database.facts()
                    let totals = try await database.totals()
                    let nodes = try await database.nodes()
                    let counts = try await database.placementCounts()
                    let jobs = try await database.jobCounts()
                    return { json in
                        json.member("cluster", facts.id.hexadecimal)
                        json.member("copies", facts.copies)
                        json.member("shards") { json in
                            for state in ClusterShard.State.allCases {
                                json.member(state.name, totals.shards[state] ?? 0)
                            }
                        }
                        json.member("placements") { $0.members(of: totals.placements) }
                        json.member("blocks", totals.blockCount)
                        json.member("bytes", totals.payloadSize)
                        json.member("indexBytes", totals.bundleSize)
                        json.member("nodes", each: nodes) { json, node in
                            json.member("node", node.id.hexadecimal)
                            json.member("name", node.name)
                            json.member("self", node.id == number.node)
                            json.member("state", node.condition)
                            json.member("url", node.url)
                            json.member("capacity", node.capacity)
                            json.member("release", node.release)
                            json.member("secondsSilent", node.silence)
                            json.member("placements") { $0.members(of: counts[node.id] ?? [:]) }
                        }
                        json.member("jobs", each: jobs) { json, job in
                            json.member("kind", job.kind.name)
                            json.member("running", job.running)
                            json.member("waiting", job.waiting)
                            json.member("resting", job.resting)
                        }
                    }
                },
                copies: { try await Self.copies(of: $0, in: database, for: number) }
            )
        }

        /// Asks for the copies of a shard.
        private static func copies(
            of key: ShardKey,
            in database: ClusterDatabase,
            for number: NodeNumber
        ) async throws -> Members {
            guard let placed = try await database.placedShard(key) else {
                throw DAGStoreError(
                    .shardUnknown,
                    "the cluster has no such shard",
                    shard: key
                )
            }
            let nodes = try await database.nodes()
            return { json in
                let shard = placed.shard
                json.member("key", key.text)
                json.member("state", shard.state.name)
                json.member("mount", shard.mountURL)
                json.member("error", shard.errorCode?.name)
                json.member("errorMessage", shard.error.isEmpty ? nil : shard.error)
                json.member("epoch", shard.epoch)
                json.member("copies", each: placed.placements) { json, copy in
                    let node = nodes.first { $0.id == copy.node }
                    json.member("node", copy.node.hexadecimal)
                    json.member("name", nodes.name(of: copy.node))
                    json.member("self", copy.node == number.node)
                    json.member("state", copy.state.name)
                    json.member("condition", node?.condition ?? "left")
                    json.member("url", node?.url ?? "")
                    json.member("errorMessage", copy.error.isEmpty ? nil : copy.error)
                }
            }
        }
    }

    extension JSONWriter {
        /// Writes the number of placements in each state.
        fileprivate mutating func members(of counts: [Placement.State: Int]) {
            for state in Placement.State.allCases { member(state.name, counts[state] ?? 0) }
        }
    }
#endif
