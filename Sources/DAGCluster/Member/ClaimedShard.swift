#if Cluster
    internal import DAGStorage

    /// A shard that a job of this node is about, and that no other task of the process changes.
    struct ClaimedShard {
        /// The job.
        let job: JobLease
        /// The shard.
        let shard: ClusterShard
        /// The node's placement of it.
        let placement: Placement?
        /// Whether the store has the shard without a placement, so that it stays whatever the job does.
        let isOwn: Bool

        /// Whether the cluster knows that the node holds a copy.
        var isHolder: Bool { placement?.state == .held }
    }

    extension ClusterMember {
        /// Claims a job that a holder of the shard does best.
        ///
        /// - Throws: `catalogUnreachable`.
        func claimForHolder(_ kind: JobKind) async throws -> JobLease? {
            try await database.claimForHolder(
                kind,
                for: profile.id,
                lease: times.lease,
                // After a pause of the database all nodes look silent.
                deadAfter: isJudge ? times.deadAfter : nil
            )
        }

        /// Does a claimed job about a shard; removes it if the shard is gone or in another state.
        ///
        /// - Parameters:
        ///   - job: The job; nil if none was due.
        ///   - state: The state in which the job has a meaning.
        ///   - body: Does the job, and ends or releases it.
        /// - Returns: Whether there was something to do; false also if another task has the shard.
        /// - Throws: `catalogUnreachable`; the errors of `body`.
        func work(
            on job: JobLease?,
            in state: ClusterShard.State,
            _ body: (ClaimedShard) async throws -> Void
        ) async throws -> Bool {
            guard let job else { return false }
            guard let number = UInt32(exactly: job.subject),
                let shard = try await database.shard(number), shard.state == state
            else {
                try await database.remove(job)
                return true
            }
            guard busyKeys.insert(shard.key) else {
                try await database.release(job, runAgainIn: times.poll)
                return false
            }
            defer { busyKeys.remove(shard.key) }
            let placement = try await database.placement(of: number, on: profile.id)
            // A copy without a placement is none that an earlier job left.
            let isOwn = try placement == nil && store.status(of: shard.key) != nil
            try await body(
                ClaimedShard(job: job, shard: shard, placement: placement, isOwn: isOwn)
            )
            return true
        }
    }
#endif
