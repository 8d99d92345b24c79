#if Cluster
    internal import DAGMounts
    internal import DAGStorage

    /// The jobs that a node takes: to index shards, to place them, and to sweep.
    extension ClusterMember {
        /// The most claims of a job that fails; then the shard fails.
        private static let attemptsMax: Int64 = 3
        /// The same if the source is away, which may pass: some hours.
        private static let attemptsMaxAway: Int64 = 20
        /// The longest pause between two claims.
        private static let retryMax = Duration.seconds(600)

        // MARK: Indexing

        /// Indexes a shard, if one waits.
        ///
        /// - Returns: Whether one waited.
        /// - Throws: `JobLost`; `catalogUnreachable`.
        package func indexShard() async throws -> Bool {
            let claimed = try await database.claim(.index, for: profile.id, lease: times.lease)
            return try await work(on: claimed, in: .registered) { claim in
                let (shard, job) = (claim.shard, claim.job)
                do {
                    try await destroyMoved(claim.placement, of: shard)
                    try await database.beginIndexing(shard, job, on: profile.id)
                    try await keeping(job) { try await self.index(shard, job) }
                    say(.info, "indexed and published the shard", shard.key)
                } catch let error as DAGStoreError {
                    // If the database is away, this fails too.
                    try await giveUp(shard, job, error, isOwn: claim.isOwn)
                } catch is JobLost {
                    try await destroyUnpublished(shard, isOwn: claim.isOwn)
                    throw JobLost()
                }
            }
        }

        /// Destroys what an indexing at an earlier mount left, before the placement names the new one.
        ///
        /// - Throws: The errors of the store.
        private func destroyMoved(_ placement: Placement?, of shard: ClusterShard) async throws {
            guard let placement, placement.mountURL != shard.mountURL,
                try store.status(of: shard.key)?.mountURL == placement.mountURL
            else { return }
            try await store.destroy(shard.key)
        }

        /// Gives a job back after an error, or fails the shard after several claims.
        private func giveUp(
            _ shard: ClusterShard,
            _ job: JobLease,
            _ error: DAGStoreError,
            isOwn: Bool
        ) async throws {
            // What waits for others, such as merges or the store of bytes, is no fault of the shard.
            let isPassing = [
                .quotaExceeded, .outOfResources, .closed, .cancelled, .catalogFull, .readOnly,
                .shardInUse, .catalogUnreachable, .invalidConfiguration,
            ].contains(error.code)
            guard !isPassing else {
                try await database.release(job, runAgainIn: times.retry)
                return say(.warning, "\(error)", shard.key)
            }
            say(.warning, "\(error)", shard.key)
            try await destroyUnpublished(shard, isOwn: isOwn)
            // Another node may reach the CAR, or have no shard of its own with the key.
            let isAway = [.mountUnreachable, .fetchFailed, .fetchTimedOut, .shardExists]
                .contains(error.code)
            guard job.attempts >= (isAway ? Self.attemptsMaxAway : Self.attemptsMax) else {
                let pause = min(times.retry * Int(job.attempts), Self.retryMax)
                return try await database.release(job, runAgainIn: pause, isFault: true)
            }
            try await database.fail(shard, job, error)
        }

        /// Destroys what an unpublished indexing left in the store.
        ///
        /// - Parameters:
        ///   - shard: The shard.
        ///   - isOwn: Whether the store had the shard before, so that it stays.
        /// - Throws: `catalogUnreachable`; the errors of the store.
        func destroyUnpublished(_ shard: ClusterShard, isOwn: Bool) async throws {
            let present = try await database.placements(ofKey: shard.key, on: profile.id)
            guard !present.contains(where: { $0.state == .held || $0.shard != shard.number }) else {
                return
            }
            if !isOwn, let status = try store.status(of: shard.key),
                status.mountURL == shard.mountURL
            {
                do {
                    try await store.destroy(shard.key)
                } catch let error as DAGStoreError where error.code == .shardUnknown {
                    // Another call destroyed it.
                } catch let error as DAGStoreError where error.code == .shardInUse {
                    // The placement stays, and the node tries again.
                    return
                }
            }
            try await database.endIndexing(of: shard.number, on: profile.id)
        }

        /// Indexes a shard unless the store has its index, and publishes it.
        ///
        /// - Throws: `JobLost`; `shardExists` if the store has another shard with the key; the errors of the store.
        func index(_ shard: ClusterShard, _ job: JobLease) async throws {
            let url = try MountURL(shard.mountURL)
            let others = try await database.placements(ofKey: shard.key, on: profile.id)
            guard !others.contains(where: { $0.shard != shard.number }) else {
                throw DAGStoreError(
                    .shardInUse,
                    "an earlier copy is not destroyed",
                    shard: shard.key
                )
            }
            if let status = try store.status(of: shard.key) {
                // An earlier process indexed it, and ended before the publication.
                guard status.mountURL == shard.mountURL else {
                    throw DAGStoreError(
                        .shardExists,
                        "the store of node \(profile.name) has another shard with the key",
                        shard: shard.key
                    )
                }
                if status.state == .failed { try await store.recover(shard.key) }
                // A lease also completes an index that was migrated without its CAR.
                try await store.acquire(shard.key).release()
            } else {
                try await store.register(
                    shard.key,
                    from: url,
                    indexing: .now,
                    policy: shard.policy
                )
            }
            let indexed = try await upload(shard)
            try await database.publish(indexed, of: shard, job, by: profile.id)
        }

        /// Runs `body`, and renews the lease meanwhile.
        ///
        /// A publication removes the job, so the renewal may miss it before the publication's answer comes. Then the
        /// result of `body` counts.
        ///
        /// - Throws: `JobLost` if another worker got the job; the error of `body`.
        func keeping(
            _ job: JobLease,
            _ body: @escaping @Sendable () async throws -> Void
        ) async throws {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await body()
                    return true
                }
                group.addTask { [self] in
                    while true {
                        do {
                            try await Task.sleep(for: times.lease / 3)
                        } catch {
                            return false
                        }
                        do {
                            try await database.renew(job, lease: times.lease)
                        } catch is JobLost {
                            return false
                        } catch let error as DAGStoreError
                            where error.code == .catalogUnreachable
                        {
                            // The publication finds out whether the lease still holds.
                        }
                    }
                }
                defer { group.cancelAll() }
                if try await group.next() == true { return }
                group.cancelAll()
                do {
                    _ = try await group.next()
                } catch {
                    throw Task.isCancelled ? error : JobLost()
                }
            }
        }

        // MARK: Placing

        /// Places shards, if no other node does.
        ///
        /// - Returns: Always false: the job waits at least for the time of `poll`.
        /// - Throws: `JobLost`; `catalogUnreachable`.
        func placeShards() async throws -> Bool {
            guard let copies = facts?.copies,
                let job = try await database.claim(.place, for: profile.id, lease: times.lease)
            else { return false }
            while try await database.place(
                job,
                copies: copies,
                deadAfter: times.deadAfter,
                isJudge: isJudge
            ) {
                try Task.checkCancellation()
                try await database.renew(job, lease: times.lease)
            }
            try await database.release(job, runAgainIn: times.poll)
            return false
        }

        // MARK: Merging

        /// Merges a partition of the inverse index, if one has enough to merge.
        ///
        /// - Returns: Whether another partition may be due.
        /// - Throws: `JobLost`; `catalogUnreachable`, `catalogCorrupt`.
        package func mergeRuns() async throws -> Bool {
            guard let bits = facts?.partitionBits,
                let job = try await database.claim(.merge, for: profile.id, lease: times.lease)
            else { return false }
            let merger = RunMerger(blobs: try blobs, partitionBits: bits)
            do {
                guard job.subject >= 0, job.subject < 1 << Int64(bits) else {
                    throw DAGStoreError(.catalogCorrupt, "a merge of partition \(job.subject)")
                }
                try await keeping(job) { [self] in
                    guard try await merger.merge(job) else { return }
                    say(.debug, "merged partition \(job.subject) of the inverse index")
                }
            } catch let error as DAGStoreError {
                try await giveBack(job, after: error, "merging")
                return false
            }
            try await database.release(job, runAgainIn: times.merge)
            return true
        }

        /// Gives a job back after an error of the work.
        ///
        /// - Throws: `catalogUnreachable` if the error is that of a database that is away; `JobLost`.
        private func giveBack(
            _ job: JobLease,
            after error: DAGStoreError,
            _ name: String
        ) async throws {
            try await database.release(job, runAgainIn: times.retry)
            say(.warning, "\(name): \(error)")
        }

        // MARK: Sweeping

        /// Sweeps, if it is time and no other node does.
        ///
        /// - Returns: Always false.
        /// - Throws: `JobLost`; `catalogUnreachable`.
        func sweep() async throws -> Bool {
            guard let job = try await database.claim(.sweep, for: profile.id, lease: times.lease)
            else { return false }
            let sweeper = Sweeper(blobs: try blobs, grace: times.grace)
            do {
                try await keeping(job) { [self] in
                    let report = try await sweeper.sweep()
                    guard report.blobCount > 0 else { return }
                    say(.info, "swept \(report.blobCount) blobs of \(report.byteCount) bytes")
                }
            } catch let error as DAGStoreError {
                try await giveBack(job, after: error, "sweeping")
                return false
            }
            try await database.release(job, runAgainIn: times.sweep)
            return false
        }
    }
#endif
