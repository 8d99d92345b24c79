#if Cluster
    internal import DAGBytes
    internal import DAGHashing
    internal import DAGStorage

    /// Bundles that are made again after damage.
    extension ClusterMember {
        /// The bytes that a verification reads at once.
        private static let readSize: UInt64 = 4 << 20
        /// The longest pause between two claims.
        private static let mendingPauseMax = Duration.seconds(600)

        // MARK: Finding damage

        /// Verifies a bundle whose import failed, and gives it up if its bytes are damaged.
        ///
        /// *Cost*: reads and hashes the bundle.
        ///
        /// - Throws: `catalogUnreachable`, and the errors of an object store.
        func verify(_ bundle: BlobName, of shard: ClusterShard) async throws {
            let blobs = try blobs
            let blob = try await blobs.find(bundle)
            if let blob, try await blobs.isSound(blob, readSize: Self.readSize) { return }
            say(.warning, "the bundle is damaged; a node makes it again", shard.key)
            try await database.giveUp(bundle, blob?.incarnation)
        }

        // MARK: Making a bundle again

        /// Makes the bundle of a shard again, if one is due.
        ///
        /// - Returns: Whether one was.
        /// - Throws: `JobLost`; `catalogUnreachable`.
        func mendBundle() async throws -> Bool {
            try await work(on: try await claimForHolder(.mend), in: .available) { claim in
                let (shard, job) = (claim.shard, claim.job)
                do {
                    try await keeping(job) { [self] in
                        if claim.isHolder {
                            try await exportAgain(shard, job)
                        } else {
                            try await indexAgain(shard, job)
                        }
                    }
                    say(.info, "made the bundle again", shard.key)
                } catch let error as DAGStoreError where error.code != .catalogUnreachable {
                    say(.warning, "the bundle is not made again: \(error)", shard.key)
                    try await destroyUnpublished(shard, isOwn: claim.isOwn)
                    // The shard stays available: its holders serve, and one that comes back exports it.
                    let pause = min(times.retry * Int(job.attempts), Self.mendingPauseMax)
                    try await database.release(job, runAgainIn: pause, isFault: true)
                } catch is JobLost {
                    try await destroyUnpublished(shard, isOwn: claim.isOwn)
                    throw JobLost()
                }
            }
        }

        /// Uploads the bundle from the node's own copy.
        ///
        /// - Throws: `JobLost`; `sourceChanged` if the copy is another CAR's; the errors of the store.
        private func exportAgain(_ shard: ClusterShard, _ job: JobLease) async throws {
            let indexed = try await upload(shard)
            guard indexed.bundle.bytes != shard.bundle else {
                return try await database.finishMending(indexed.bundle, job)
            }
            guard indexed.blockCount == shard.blockCount, indexed.sourceSize == shard.sourceSize,
                indexed.payloadSize == shard.payloadSize,
                indexed.multihashCount == shard.multihashCount
            else {
                throw DAGStoreError(
                    .sourceChanged,
                    "the node's copy has other counts than the shard",
                    shard: shard.key
                )
            }
            // Another release writes the same index as other bytes.
            try await database.publish(indexed, of: shard, job, by: profile.id)
        }

        /// Indexes the CAR, because no living node holds the shard.
        private func indexAgain(_ shard: ClusterShard, _ job: JobLease) async throws {
            try await database.beginIndexing(shard, job, on: profile.id)
            try await index(shard, job)
        }
    }

    extension Blobs {
        /// Whether a blob has the bytes of its name.
        ///
        /// *Cost*: reads and hashes all bytes. *Memory*: one read.
        ///
        /// - Throws: `catalogUnreachable`, and the errors of an object store.
        func isSound(_ blob: StoredBlob, readSize: UInt64) async throws -> Bool {
            var hash = SHA256Stream()
            var start: UInt64 = 0
            while start < blob.size {
                try Task.checkCancellation()
                let end = min(blob.size, start + readSize)
                do {
                    try await bytes(start..<end, of: blob).withView { hash.update($0) }
                } catch let error as DAGStoreError where error.code == .catalogCorrupt {
                    return false
                }
                start = end
            }
            return hash.finish() == blob.name.bytes
        }
    }
#endif
