#if Cluster
    internal import DAGStorage
    internal import ShardIndex

    /// Merges the runs of one partition.
    struct RunMerger: Sendable {
        let blobs: Blobs
        let partitionBits: Int
        private var database: ClusterDatabase { blobs.database }

        /// The bytes of chunks that a merge reads of one run at once.
        private static let readSize: UInt64 = 512 << 10

        init(blobs: Blobs, partitionBits: Int) {
            self.blobs = blobs
            self.partitionBits = partitionBits
        }

        /// Merges, if the partition has enough to merge.
        ///
        /// Marks damaged runs, which the next merge leaves out.
        ///
        /// - Parameters:
        ///   - job: The job `merge` of the partition.
        ///   - isForced: Whether to merge also a few runs.
        /// - Returns: Whether there was something to merge.
        /// - Throws: `JobLost`; `catalogUnreachable`, `catalogCorrupt`.
        func merge(_ job: JobLease, isForced: Bool = false) async throws -> Bool {
            let state = try await database.mergeState(of: job.subject)
            for run in state.unreadable { try await database.markDamaged(run, nil) }
            let shares = UInt64(1) << UInt64(partitionBits)
            let plan = ClusterMergePolicy.next(
                levelZero: state.levelZero.map {
                    ClusterMergePolicy.LevelZeroRun(
                        number: UInt64($0.number.number),
                        entryCount: $0.entryCount / shares,
                        byteCount: $0.directory.totalSize / shares
                    )
                },
                merged: state.merged.map {
                    ClusterMergePolicy.MergedRun(
                        through: UInt64($0.number.number),
                        entryCount: $0.entryCount
                    )
                },
                isForced: isForced
            )
            guard let plan else { return false }
            // A shard of these runs was published before, so it is missing only if it was destroyed.
            let shards = try await database.shardNumbers()
            let fresh = state.levelZero.prefix(plan.levelZeroCount)
                .filter { shards.contains($0.shard) }
            let old = Array(state.merged[plan.merged])
            let result: PublishedRun?
            do {
                result = try await database.blocking(canceling: { [self] mark in
                    try write(fresh + old, part: Int(job.subject), shards: shards, mark)
                })
            } catch let error as DAGStoreError where error.code == .catalogCorrupt {
                try await markDamaged(among: fresh + old)
                throw error
            }
            try await database.publishMerge(
                of: old.map(\.number),
                into: result,
                through: Int64(plan.through),
                job
            )
            return true
        }

        /// Reads the inputs of a merge that failed, and marks the damaged ones.
        private func markDamaged(among runs: [ClusterRun]) async throws {
            let verifier = RunVerifier(blobs: blobs)
            for run in runs where try await verifier.fault(of: run) != nil {
                try await database.markDamaged(run.number, run.blob)
            }
        }

        /// Writes the merged run; blocks the thread.
        private func write(
            _ runs: [ClusterRun],
            part: Int,
            shards: Set<UInt32>,
            _ mark: CancellationMark
        ) throws -> PublishedRun? {
            guard !runs.isEmpty else { return nil }
            let inputs = try runs.map { run in
                let reader = try RunReader(run, blobs, readSize: Self.readSize)
                return ChunkInput(run.directory) { number in
                    try mark.check()
                    return try reader.chunk(number)
                }
            }
            let writer = try RunWriter(blobs)
            do {
                let merge = ChunkMerge(
                    partition: part,
                    bits: partitionBits,
                    inputs: inputs,
                    isWanted: { shards.contains($0) }
                )
                let result = try merge.run { try writer.append($0) }
                guard result.directory.shape.entryCount > 0 else { return nil }
                try writer.finish()
                return PublishedRun(
                    blob: writer.name,
                    size: writer.size,
                    entryCount: result.directory.shape.entryCount,
                    directory: result.directory.encoded
                )
            } catch let error as ShardIndexError {
                throw DAGStoreError(.catalogCorrupt, "a run of the inverse index: \(error.detail)")
            }
        }
    }
#endif
