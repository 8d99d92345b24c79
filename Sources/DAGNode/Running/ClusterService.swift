#if Node && Cluster
    internal import DAGCluster
    internal import DAGStorage
    internal import DAGSystem
    internal import Logging
    internal import ServiceLifecycle

    /// The part of a node in its cluster, as a service that ends in order.
    struct ClusterService: Service {
        let number: NodeNumber
        let database: ClusterDatabase
        let guide: ClusterGuide
        let store: DAGStore
        let settings: NodeSettings
        let release: String
        let logger: Logger
        let address: @Sendable () async throws -> NodeAddress

        /// Joins the cluster as soon as the gateway listens; at the end hands the node's shards over and leaves.
        ///
        /// The gateway ends first. The end of `--drain` cancels the task, also while others still import shards.
        func run() async throws {
            let member = ClusterMember(
                try await profile(),
                of: number.cluster,
                in: database,
                store: store,
                times: .ofProcess,
                notify: { [logger] notice in
                    let metadata = notice.shard.map { ["shard": "\($0)"] as Logger.Metadata } ?? [:]
                    logger.log(
                        level: notice.level.logLevel,
                        "\(notice.message)",
                        metadata: metadata
                    )
                }
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await member.run() }
                group.addTask { await follow() }
                group.addTask {
                    try await gracefulShutdown()
                    do {
                        try await member.drain()
                    } catch {
                        logger.warning("the node could not hand its shards over: \(error)")
                        // The end would wait for the database once more.
                        if (error as? DAGStoreError)?.code == .catalogUnreachable { return }
                    }
                    do {
                        try await member.leave()
                    } catch {
                        // The others notice after a while that the node is silent.
                        logger.warning("the node could not leave the cluster: \(error)")
                    }
                }
                defer { group.cancelAll() }
                try await group.next()
            }
            // Answers that go on may still ask the guide, which then says that the database is away.
            database.close()
        }

        /// Keeps the guide informed until the task is canceled.
        private func follow() async {
            while !Task.isCancelled {
                do {
                    try await guide.follow()
                } catch {
                    // The member reports a database that is away.
                    logger.debug("no news of the inverse index: \(error)")
                }
                try? await Task.sleep(for: ClusterTimes.ofProcess.poll)
            }
        }

        private func profile() async throws -> NodeProfile {
            let address = try await address()
            let scheme = settings.tls == nil ? "http" : "https"
            return NodeProfile(
                id: number.node,
                name: settings.clusterName ?? ThisProcess.hostName,
                // These names mean every interface of this machine; a client on another one would reach itself.
                url: settings.clusterURL
                    ?? (["0.0.0.0", "::"].contains(address.host) ? "" : "\(scheme)://\(address)"),
                capacity: settings.clusterCapacity,
                release: release
            )
        }
    }

    extension ClusterMember.Notice.Level {
        fileprivate var logLevel: Logger.Level {
            switch self {
            case .debug: .debug
            case .info: .info
            case .warning: .warning
            case .error: .error
            }
        }
    }
#endif
