#if Cluster
    internal import DAGMounts
    package import DAGStorage

    /// A shard of a single node's store, on its way into the cluster.
    package struct AdoptedShard: Sendable, Equatable {
        /// The outcomes of an adoption.
        package enum Outcome: Sendable, Equatable {
            /// The cluster has its index.
            case published
            /// The cluster knows it; a node will index it.
            case registered
            /// It stays outside.
            case skipped(DAGStoreError)
        }

        /// The key.
        package let key: ShardKey
        /// The outcome.
        package let outcome: Outcome
    }

    /// Brings the store of a single node into a cluster; no CAR is read.
    extension ClusterMember {
        /// Registers and publishes the shards of the node's store.
        ///
        /// A call that was interrupted may run again: it goes on where the first one ended.
        ///
        /// *Cost*: an export of each index.
        ///
        /// - Parameters:
        ///   - isShared: Whether other nodes reach the mounts, so that they may hold copies.
        ///   - report: Receives each shard.
        /// - Throws: As `run`; `catalogUnreachable`, and the errors of `report`.
        package func adopt(
            isShared: Bool,
            report: (AdoptedShard) throws -> Void
        ) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await join()
                try await checkPlace()
                group.addTask { try await self.beatForever() }
                group.addTask { try await self.postponeForever() }
                defer { group.cancelAll() }
                var iterator = store.statuses().makeIterator()
                // The waiting `next` would be chosen here.
                func next() throws -> ShardStatus? { try iterator.next() }
                while let status = try next() {
                    try Task.checkCancellation()
                    let outcome = try await adopt(status, isShared: isShared)
                    try report(AdoptedShard(key: status.key, outcome: outcome))
                }
            }
        }

        /// Postpones the copies of other shards until the node serves.
        private func postponeForever() async throws {
            let reason = DAGStoreError(
                .outOfResources,
                "the node adopts its store; it makes copies when it serves"
            )
            while true {
                await postponeWanted(reason)
                try await Task.sleep(for: times.poll)
            }
        }

        private func adopt(
            _ status: ShardStatus,
            isShared: Bool
        ) async throws -> AdoptedShard.Outcome {
            if let error = status.error { return .skipped(error) }
            do {
                let number = try await register(status, isShared: isShared)
                guard status.state != .registered else { return .registered }
                guard let number, let job = try await claimIndexing(of: number) else {
                    return .published
                }
                guard let shard = try await database.shard(number) else {
                    return .skipped(DAGStoreError(.shardUnknown, "destroyed meanwhile"))
                }
                try await database.beginIndexing(shard, job, on: profile.id)
                do {
                    try await keeping(job) { try await self.index(shard, job) }
                } catch {
                    // Without the placement, a later failure leaves the store's own shard as it is.
                    try? await database.endIndexing(of: number, on: profile.id)
                    throw error
                }
                return .published
            } catch let error as DAGStoreError
                where ![.catalogUnreachable, .invalidConfiguration].contains(error.code)
            {
                return .skipped(error)
            } catch is JobLost {
                return .registered
            }
        }

        /// Registers a shard of the store.
        ///
        /// - Returns: Its number; nil if the cluster has its index.
        /// - Throws: `shardExists` if the cluster has another shard with the key.
        private func register(_ status: ShardStatus, isShared: Bool) async throws -> UInt32? {
            do {
                return try await database.register(
                    status.key,
                    from: try MountURL(status.mountURL),
                    policy: status.policy,
                    reach: isShared ? nil : profile.id
                )
            } catch let error as DAGStoreError where error.code == .shardExists {
                guard let shard = try await database.shard(status.key),
                    shard.mountURL == status.mountURL,
                    shard.reach == nil || shard.reach == profile.id
                else { throw error }
                return shard.state == .registered ? shard.number : nil
            }
        }

        /// Takes the job to index a shard; nil if another worker has it.
        private func claimIndexing(of number: UInt32) async throws -> JobLease? {
            try await database.claim(.index, of: Int64(number), for: profile.id, lease: times.lease)
        }
    }
#endif
