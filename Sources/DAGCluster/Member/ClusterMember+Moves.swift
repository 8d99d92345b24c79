#if Cluster
    internal import DAGMounts
    internal import DAGStorage

    /// Shards that get another mount.
    extension ClusterMember {
        /// The most claims of a comparison that fails; then the move is refused.
        private static let attemptsOfMove: Int64 = 3
        /// The copies that follow in one step.
        private static let followersAtOnce = 16

        // MARK: Comparing

        /// Compares the CAR at another mount with the index of a shard, if one waits.
        ///
        /// The node's own copy then reads the new mount. A node without a copy imports the bundle there first.
        ///
        /// - Returns: Whether one waited.
        /// - Throws: `JobLost`; `catalogUnreachable`.
        func compareMove() async throws -> Bool {
            try await work(on: try await claimForHolder(.move), in: .available) { claim in
                let (shard, job) = (claim.shard, claim.job)
                guard let move = try await database.move(of: shard.number), move.state == .waiting
                else { return try await database.remove(job) }
                do {
                    try await keeping(job) { [self] in
                        try await compare(move, of: shard, job, isHolder: claim.isHolder)
                    }
                    say(.info, "the CAR is the same at \(move.mountURL)", shard.key)
                } catch let error as DAGStoreError where error.code != .catalogUnreachable {
                    say(.warning, "the shard keeps its mount: \(error)", shard.key)
                    try await destroyImported(move, of: claim)
                    let isCertain =
                        error.code.exitStatus == 5
                        || [.sourceChanged, .unknownScheme, .invalidArgument].contains(error.code)
                    if isCertain || job.attempts >= Self.attemptsOfMove {
                        try await database.refuse(move, job, error)
                    } else {
                        try await database.release(job, runAgainIn: times.retry, isFault: true)
                    }
                } catch is JobLost {
                    // The next comparison with the placements brings a holder's copy back to the shard's mount.
                    try await destroyImported(move, of: claim)
                    throw JobLost()
                }
            }
        }

        private func compare(
            _ move: ShardMove,
            of shard: ClusterShard,
            _ job: JobLease,
            isHolder: Bool
        ) async throws {
            if !isHolder, try store.status(of: shard.key) == nil, let name = shard.bundle {
                try await database.beginIndexing(shard, job, on: profile.id)
                try await importBundle(BlobName(name), of: shard, at: move.mountURL)
            }
            // Compares size and a sample of the sections, and keeps the leases.
            try await store.relocate(shard.key, to: MountURL(move.mountURL))
            try await database.publish(move, of: shard, job, by: profile.id)
        }

        /// Destroys what a comparison imported.
        private func destroyImported(_ move: ShardMove, of claim: ClaimedShard) async throws {
            guard !claim.isHolder else { return }
            let shard = claim.shard
            // The move may be published although its answer was lost.
            let now = try await database.placement(of: shard.number, on: profile.id)
            guard now?.state != .held else { return }
            let status = try store.status(of: shard.key)
            if !claim.isOwn, let status, [shard.mountURL, move.mountURL].contains(status.mountURL) {
                do {
                    try await store.destroy(shard.key)
                } catch let error as DAGStoreError
                    where [.shardUnknown, .shardInUse].contains(error.code)
                {
                    // Gone, or in use: the placement then goes the usual way.
                }
            }
            try await database.endIndexing(of: shard.number, on: profile.id)
        }

        // MARK: Following

        /// Lets copies read the mounts that their shards have got.
        ///
        /// - Returns: Whether there were any.
        /// - Throws: `catalogUnreachable`.
        func followMoves() async throws -> Bool {
            let due = try await database.placementsToFollow(
                of: profile.id,
                limit: Self.followersAtOnce
            ).filter { busyKeys.insert($0.key) }
            defer { for placement in due { busyKeys.remove(placement.key) } }
            for placement in due {
                guard let shard = try await database.shard(placement.shard) else { continue }
                do {
                    if try store.status(of: shard.key)?.mountURL != shard.mountURL {
                        try await store.relocate(shard.key, to: MountURL(shard.mountURL))
                    }
                    try await database.follow(placement, to: shard.mountURL)
                    say(.info, "reads the CAR at its new mount", shard.key)
                } catch let error as DAGStoreError
                    where error.code != .catalogUnreachable && error.code != .closed
                {
                    say(.warning, "reads the CAR at its old mount: \(error)", shard.key)
                    try await database.report(error, of: placement, retryAfter: times.retry)
                }
            }
            return !due.isEmpty
        }

        /// Brings a copy back to the mount of its placement, after a comparison that was not published.
        ///
        /// - Throws: `catalogUnreachable`.
        func moveBack(_ placement: Placement, _ status: ShardStatus?) async throws {
            guard let status, status.mountURL != placement.mountURL else { return }
            let move = try await database.move(of: placement.shard)
            // While a move goes on, the placement follows the copy.
            guard move == nil || move?.state == .refused else { return }
            do {
                guard busyKeys.insert(placement.key) else { return }
                defer { busyKeys.remove(placement.key) }
                // The placement may have changed since it was read.
                guard try await database.placement(of: placement.shard, on: profile.id) == placement
                else { return }
                try await store.relocate(placement.key, to: MountURL(placement.mountURL))
            } catch let error as DAGStoreError where error.code == .sourceChanged {
                try await replace(placement)
            } catch let error as DAGStoreError where error.code != .catalogUnreachable {
                // Both mounts have the same CAR, so the copy serves on.
                say(.debug, "reads the CAR at \(status.mountURL): \(error)", placement.key)
            }
        }
    }
#endif
