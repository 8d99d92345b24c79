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
                .filter { busyKeys.insert($0.key) }
            defer { for placement in due { busyKeys.remove(placement.key) } }
            guard !due.isEmpty else { return false }
            try await inParallel(due.filter { $0.state == .dropped }) { try await $0.drop($1) }
            try await inParallel(due.filter { $0.state == .wanted }) { try await $0.obtain($1) }
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
                        } catch let error as DAGStoreError where error.code != .closed {
                            // If the database is away, the report fails too.
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

        /// Destroys a copy, unless the node's shard with the key is no copy of the cluster's.
        private func drop(_ placement: Placement) async throws {
            let others = try await database.placements(ofKey: placement.key, on: profile.id)
                .filter { $0.shard != placement.shard }
            // An indexing begins only when no other placement has the key.
            let isNewer = others.contains { $0.state == .held }
            let status = try store.status(of: placement.key)
            if let status, !isNewer, try await mounts(of: placement).contains(status.mountURL) {
                do {
                    try await store.destroy(placement.key)
                    say(.info, "destroyed its copy", placement.key)
                } catch let error as DAGStoreError where error.code == .shardUnknown {
                    // Another call destroyed it.
                }
            }
            try await database.remove(placement)
        }

        /// The mounts that a copy of the cluster's may read: a crash may have come between store and database.
        private func mounts(of placement: Placement) async throws -> Set<String> {
            var mounts: Set = [placement.mountURL]
            if let shard = try await database.shard(placement.shard) {
                mounts.insert(shard.mountURL)
            }
            if let move = try await database.move(of: placement.shard) {
                mounts.insert(move.mountURL)
            }
            return mounts
        }

        /// Imports a shard, and reports that the node holds it.
        private func obtain(_ placement: Placement) async throws {
            guard let shard = try await database.shard(placement.shard) else {
                return try await database.remove(placement)
            }
            guard let name = shard.bundle else { return try await database.remove(placement) }
            let others = try await database.placements(ofKey: placement.key, on: profile.id)
            guard !others.contains(where: { $0.state == .dropped }) else {
                // The node first destroys its copy of an earlier shard with the key.
                throw DAGStoreError(
                    .shardInUse,
                    "an earlier copy is not destroyed",
                    shard: shard.key
                )
            }
            if let status = try store.status(of: shard.key) {
                let isMoved = status.mountURL != shard.mountURL
                let isOwnMount = try await mounts(of: placement).contains(status.mountURL)
                guard isOwnMount else {
                    throw DAGStoreError(
                        .shardExists,
                        "the node's store has another shard with the key",
                        shard: shard.key
                    )
                }
                if try await isCopy(status, of: shard, named: name) {
                    if isMoved {
                        try await store.relocate(shard.key, to: MountURL(shard.mountURL))
                    }
                    _ = try await database.hold(placement, at: shard.mountURL)
                    return
                }
                // What an earlier process left, or a copy that failed.
                try await store.destroy(shard.key)
            }
            let bundle = try BlobName(name)
            do {
                try await importBundle(bundle, of: shard)
            } catch let error as DAGStoreError
                where [.malformedIndex, .catalogCorrupt].contains(error.code)
            {
                try await verify(bundle, of: shard)
                throw error
            }
            say(.info, "imported a shard of \(shard.blockCount) blocks", shard.key)
            _ = try await database.hold(placement, at: shard.mountURL)
        }

        /// Whether a sound shard of the store has the very index of the bundle.
        ///
        /// *Cost*: an export of the index.
        private func isCopy(
            _ status: ShardStatus,
            of shard: ClusterShard,
            named name: [UInt8]
        ) async throws -> Bool {
            guard status.error == nil, status.blockCount == shard.blockCount,
                status.payloadSize == shard.payloadSize
            else { return false }
            let exporter = BundleExporter(store)
            let exported = try? await database.blocking { try exporter.export(shard.key) { _ in } }
            return exported?.name == name
        }

        // MARK: Comparing

        /// Compares what the node holds with its store, and makes lost copies again.
        ///
        /// - Throws: `catalogUnreachable`.
        func comparePlacements() async throws {
            var last: UInt32?
            while true {
                let held = try await database.heldPlacements(
                    of: profile.id,
                    after: last,
                    limit: 256
                )
                guard let end = held.last else { return }
                last = end.shard
                let rows = try await database.shards(numbered: held.map(\.shard))
                let shards = Dictionary(
                    uniqueKeysWithValues: rows.map { ($0.shard.number, $0.shard) }
                )
                for placement in held where !busyKeys.contains(placement.key) {
                    guard let status = try store.status(of: placement.key),
                        status.state != .failed
                    else {
                        say(.warning, "the node's copy is gone or failed", placement.key)
                        try await database.lose(placement)
                        continue
                    }
                    if let shard = shards[placement.shard], status.isOther(than: shard) {
                        try await replace(placement)
                    } else {
                        try await moveBack(placement, status)
                    }
                }
            }
        }

        /// Destroys a copy that has another index than its shard, so that the node imports the shard again.
        ///
        /// The database may be an older copy, which names a shard that had the key before.
        ///
        /// - Throws: `catalogUnreachable`.
        func replace(_ placement: Placement) async throws {
            guard busyKeys.insert(placement.key) else { return }
            defer { busyKeys.remove(placement.key) }
            // The copy may have changed since the placements were read.
            guard try await database.placement(of: placement.shard, on: profile.id) == placement
            else { return }
            say(.warning, "the node's copy is another shard's", placement.key)
            do {
                try await store.destroy(placement.key)
                try await database.lose(placement)
            } catch let error as DAGStoreError where error.code != .catalogUnreachable {
                say(.warning, "\(error)", placement.key)
            }
        }

        /// Imports a bundle; the copy reads the CAR at the shard's mount, or at another one.
        func importBundle(
            _ name: BlobName,
            of shard: ClusterShard,
            at mountURL: String? = nil
        ) async throws {
            let blobs = try blobs
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
                    mountURL: try MountURL(mountURL ?? shard.mountURL),
                    policy: shard.policy
                ),
                named: name.bytes,
                from: { try reader.next() }
            )
        }
    }

    extension ShardStatus {
        /// Whether an indexed copy has other counts than a shard of the cluster.
        fileprivate func isOther(than shard: ClusterShard) -> Bool {
            state == .available && shard.state == .available
                && (blockCount != shard.blockCount || payloadSize != shard.payloadSize)
        }
    }
#endif
