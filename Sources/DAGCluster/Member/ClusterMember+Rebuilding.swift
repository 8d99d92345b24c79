#if Cluster
    internal import DAGStorage

    /// Entries of the inverse index that are written again after damage.
    extension ClusterMember {
        /// Writes the entries of a shard again, if a damaged run has some and the node holds the shard.
        ///
        /// - Returns: Whether there was such a shard.
        /// - Throws: `JobLost`; `catalogUnreachable`.
        func rebuildRuns() async throws -> Bool {
            let claimed = try await database.claimForHolder(
                .rebuild,
                for: profile.id,
                lease: times.lease,
                deadAfter: nil
            )
            guard let job = claimed else { return false }
            guard let number = UInt32(exactly: job.subject),
                let shard = try await database.shard(number), shard.state == .available
            else {
                // A program of an older release destroyed the shard, and knows no rebuilds.
                try await database.removeRebuilds(job)
                return true
            }
            do {
                try await keeping(job) { [self] in try await rebuild(shard, job) }
                say(.info, "wrote the entries of the inverse index again", shard.key)
            } catch let error as DAGStoreError where error.code != .catalogUnreachable {
                say(.warning, "the inverse index lacks entries: \(error)", shard.key)
                try await database.release(job, runAgainIn: times.retry, isFault: true)
                return false
            }
            return true
        }

        private func rebuild(_ shard: ClusterShard, _ job: JobLease) async throws {
            let damaged = try await database.damagedRuns(of: shard.number)
            guard !damaged.isEmpty else { return try await database.remove(job) }
            try await database.checkRoomForRun()
            let parts = Set(damaged.map(\.part))
            let isComplete = parts.contains { $0 < 0 }
            var runs: [PublishedRun] = []
            if isComplete {
                let run = try await database.blocking { [self] in
                    try writeRun(of: shard, shard.multihashCount)
                }
                if let run { runs.append(run) }
            } else {
                for part in parts.sorted() {
                    let run = try await database.blocking { [self] in
                        try writeRun(of: shard, shard.multihashCount, part: Int(part))
                    }
                    if let run { runs.append(run) }
                }
            }
            try await database.publishRebuilt(
                runs,
                isComplete: isComplete,
                of: shard,
                for: damaged,
                job
            )
        }
    }
#endif
