#if Cluster
    internal import DAGStorage

    /// The store of a node, against the placements of the node.
    extension ClusterChecker {
        /// Compares both ways.
        ///
        /// With `readsBytes`, exports each index and compares its name with the bundle's.
        func compare(
            _ store: DAGStore,
            of node: [UInt8],
            _ totals: inout ClusterCheckTotals,
            _ add: ([ClusterFinding]) throws -> Void
        ) async throws {
            var last: UInt32?
            while true {
                try Task.checkCancellation()
                let held = try await database.heldPlacements(
                    of: node,
                    after: last,
                    limit: Int(Self.pageSize)
                )
                guard let end = held.last else { break }
                last = end.shard
                let shards = try await database.shards(numbered: held.map(\.shard))
                for placed in shards {
                    totals.comparedCount += 1
                    if let finding = try await compare(placed.shard, store, node) {
                        try add([finding])
                    }
                }
            }
            var statuses = store.statuses().makeIterator()
            func next() throws -> ShardStatus? { try statuses.next() }
            while let status = try next() {
                try Task.checkCancellation()
                let placements = try await database.placements(ofKey: status.key, on: node)
                guard placements.isEmpty else { continue }
                try add([
                    ClusterFinding(
                        .storeExtra,
                        "the database does not place the shard on this node, which serves it alone; "
                            + "destroy it, or register it in the cluster",
                        key: status.key,
                        node: node
                    )
                ])
            }
        }

        private func compare(
            _ shard: ClusterShard,
            _ store: DAGStore,
            _ node: [UInt8]
        ) async throws -> ClusterFinding? {
            func finding(_ kind: ClusterFinding.Kind, _ problem: String) -> ClusterFinding {
                ClusterFinding(
                    kind,
                    problem + "; a running node makes the copy again",
                    key: shard.key,
                    node: node
                )
            }
            guard let status = try store.status(of: shard.key) else {
                return finding(.storeLacks, "the store lacks a shard that its node holds")
            }
            if let error = status.error {
                return finding(.storeDiffers, "the store's shard has failed: \(error.message)")
            }
            if status.mountURL != shard.mountURL {
                return finding(
                    .storeDiffers,
                    "the store reads the CAR at \(status.mountURL), the cluster at \(shard.mountURL)"
                )
            }
            if status.blockCount != shard.blockCount || status.payloadSize != shard.payloadSize {
                return finding(.storeDiffers, "the store's shard has other counts")
            }
            guard readsBytes else { return nil }
            let exporter = BundleExporter(store)
            let exported = try await database.blocking {
                do {
                    return Result<ExportedBundle, DAGStoreError>.success(
                        try exporter.export(shard.key) { _ in }
                    )
                } catch let error as DAGStoreError {
                    return .failure(error)
                }
            }
            switch exported {
            case .success(let bundle) where bundle.name == shard.bundle: return nil
            case .success: return finding(.storeDiffers, "the store's index is another bundle")
            case .failure(let error):
                return finding(.storeDiffers, "the store's index is damaged: \(error.message)")
            }
        }
    }
#endif
