#if Cluster
    internal import DAGMounts
    internal import DAGStorage

    /// Makes and destroys the copies that the cluster wants on this node.
    extension ClusterMember {
        /// The most copies at once.
        private static let copiesAtOnce = 4

        /// Makes and destroys some copies.
        ///
        /// - Returns: Whether there was anything to do.
        /// - Throws: `catalogUnreachable`.
        func makePlacements() async throws -> Bool {
            let due = try await database.duePlacements(of: profile.id, limit: 64)
            guard !due.isEmpty else { return false }
            let dropped = due.filter { $0.state == .dropped }
            try await inParallel(dropped) { try await $0.drop($1) }
            // A copy to destroy may have the key of a new shard.
            let blocked = Set(dropped.map(\.key))
            let wanted = due.filter { $0.state == .wanted && !blocked.contains($0.key) }
            try await inParallel(wanted) { try await $0.obtain($1) }
            return true
        }

        private func inParallel(
            _ placements: [Placement],
            _ body: @escaping @Sendable (ClusterMember, Placement) async throws -> Void
        ) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, placement) in placements.enumerated() {
                    if number >= Self.copiesAtOnce { try await group.next() }
                    group.addTask {
                        do {
                            try await body(self, placement)
                        } catch let error as DAGStoreError
                            where error.code != .catalogUnreachable && error.code != .closed
                        {
                            self.say(.warning, "\(error)", placement.key)
                            try await self.database.report(
                                error,
                                of: placement,
                                retryAfter: self.times.retry
                            )
                        }
                    }
                }
                try await group.waitForAll()
            }
        }

        /// Destroys a copy.
        private func drop(_ placement: Placement) async throws {
            do {
                try await store.destroy(placement.key)
                say(.info, "destroyed its copy", placement.key)
            } catch let error as DAGStoreError where error.code == .shardUnknown {
                // An earlier process destroyed it, and ended before it could say so.
            }
            try await database.removeDropped(placement)
        }

        /// Imports a shard, and reports that the node holds it.
        private func obtain(_ placement: Placement) async throws {
            guard let shard = try await database.shard(placement.shard), let name = shard.bundle
            else { return }
            if let status = try store.status(of: shard.key) {
                guard isCopy(status, of: shard) else {
                    throw DAGStoreError(
                        .shardExists,
                        "the node's store has another shard with the key",
                        shard: shard.key
                    )
                }
            } else {
                try await importBundle(try BlobName(name), of: shard)
                say(.info, "imported a shard of \(shard.blockCount) blocks", shard.key)
            }
            _ = try await database.hold(placement)
        }

        /// Whether a shard of the store is a copy that an earlier import or indexing made.
        func isCopy(_ status: ShardStatus, of shard: ClusterShard) -> Bool {
            status.mountURL == shard.mountURL && status.blockCount == shard.blockCount
                && status.payloadSize == shard.payloadSize && status.error == nil
        }

        private func importBundle(_ name: BlobName, of shard: ClusterShard) async throws {
            guard let blob = try await blobs.find(name) else {
                throw DAGStoreError(
                    .catalogCorrupt,
                    "the cluster lacks the bundle \(name)",
                    shard: shard.key
                )
            }
            let reader = BlobReader(blobs: blobs, blob: blob)
            try await BundleImporter(store).importBundle(
                ImportedBundle(
                    key: shard.key,
                    mountURL: try MountURL(shard.mountURL),
                    policy: shard.policy
                ),
                named: name.bytes,
                from: { try reader.next() }
            )
        }
    }
#endif
