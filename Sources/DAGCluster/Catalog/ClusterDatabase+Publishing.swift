#if Cluster
    internal import DAGStorage
    internal import PostgreSQL

    /// A shard that a node has indexed, and whose bytes are uploaded.
    struct IndexedShard: Sendable {
        /// The bundle.
        var bundle: BlobName
        /// The size of the bundle in bytes.
        var bundleSize: UInt64
        /// The size of the CAR in bytes.
        var sourceSize: UInt64
        /// The number of sections.
        var blockCount: UInt64
        /// The number of different multihashes.
        var multihashCount: UInt64
        /// The size of the payload in bytes.
        var payloadSize: UInt64
        /// The number of roots.
        var rootCount: Int
        /// The shard's run of the inverse index; nil if the shard has no multihashes.
        var run: PublishedRun?
    }

    /// A run of the inverse index whose bytes are uploaded.
    struct PublishedRun: Sendable {
        /// The bytes.
        var blob: BlobName
        /// The size of the bytes.
        var size: UInt64
        /// The number of entries.
        var entryCount: UInt64
        /// The encoded directory of chunks.
        var directory: [UInt8]
    }

    /// Outcomes of jobs, which become visible in one transaction.
    extension ClusterDatabase {
        /// Makes an indexed shard visible: its record, its run, and the copy on the node that indexed it.
        ///
        /// If the shard was available with another index, its other nodes import this one.
        ///
        /// - Parameters:
        ///   - shard: The shard's facts.
        ///   - record: The shard's record.
        ///   - job: The job `index` or `mend`, which ends.
        ///   - node: The node that indexed the shard, and holds it.
        /// - Throws: `JobLost` if another worker has the job, or the shard was destroyed; `quotaExceeded` while too
        ///   many runs wait for merges; `catalogUnreachable`, also if a blob was swept meanwhile.
        func publish(
            _ shard: IndexedShard,
            of record: ClusterShard,
            _ job: JobLease,
            by node: [UInt8]
        ) async throws {
            try await change("publish") { transaction in
                try Self.finish(job, transaction)
                try Blobs.keep(shard.bundle, transaction)
                let count = try transaction.run(
                    """
                    UPDATE dagstore_shards SET state = 1, epoch = epoch + 1, settled = 0, bundle = $2,
                        bundle_size = $3, source_size = $4, blocks = $5, multihashes = $6, bytes = $7,
                        roots = $8, error_code = 0, error = ''
                    WHERE number = $1 AND state = $10 AND epoch = $9
                    """,
                    .integer(Int64(record.number)),
                    .bytes(shard.bundle.bytes),
                    .integer(Int64(shard.bundleSize)),
                    .integer(Int64(shard.sourceSize)),
                    .integer(Int64(shard.blockCount)),
                    .integer(Int64(shard.multihashCount)),
                    .integer(Int64(shard.payloadSize)),
                    .integer(Int64(shard.rootCount)),
                    .integer(record.epoch),
                    .integer(record.state.rawValue)
                ).changeCount
                guard count == 1 else { throw JobLost() }
                if let run = shard.run {
                    let number = try Self.add(run, of: record.number, transaction)
                    try transaction.run(
                        "UPDATE dagstore_shards SET published = $2 WHERE number = $1",
                        .integer(Int64(record.number)),
                        .integer(number)
                    )
                }
                if let earlier = record.bundle, earlier != shard.bundle.bytes {
                    try transaction.run(
                        """
                        UPDATE dagstore_placements SET state = 0, error_code = 0, error = '', try_at = now()
                        WHERE shard = $1 AND state = 1 AND node <> $2
                        """,
                        .integer(Int64(record.number)),
                        .bytes(node)
                    )
                }
                try Self.hold(record, at: record.mountURL, on: node, transaction)
                return 0
            }
        }

        /// Says that a node holds a copy of a shard.
        static func hold(
            _ record: ClusterShard,
            at mountURL: String,
            on node: [UInt8],
            _ transaction: borrowing Transaction
        ) throws {
            try transaction.run(
                """
                INSERT INTO dagstore_placements
                    (node, shard, key, mount, state, error_code, error, try_at)
                VALUES ($1, $2, $3, $4, 1, 0, '', now())
                ON CONFLICT (node, shard) DO UPDATE SET state = 1, error_code = 0, error = '',
                    mount = excluded.mount
                """,
                .bytes(node),
                .integer(Int64(record.number)),
                .text(record.key.text),
                .text(mountURL)
            )
        }

        /// Fails a shard that no node could index.
        ///
        /// - Throws: `JobLost`; `catalogUnreachable`.
        func fail(_ record: ClusterShard, _ job: JobLease, _ error: DAGStoreError) async throws {
            try await change("fail") { transaction in
                try Self.finish(job, transaction)
                let count = try transaction.run(
                    """
                    UPDATE dagstore_shards SET state = 2, epoch = epoch + 1, error_code = $2, error = $3
                    WHERE number = $1 AND state = 0 AND epoch = $4
                    """,
                    .integer(Int64(record.number)),
                    .integer(Int64(error.code.rawValue)),
                    .text(error.message.storable),
                    .integer(record.epoch)
                ).changeCount
                guard count == 1 else { throw JobLost() }
                // Nodes destroy what unpublished indexings left.
                try transaction.run(
                    "UPDATE dagstore_placements SET state = 2, try_at = now() WHERE shard = $1",
                    .integer(Int64(record.number))
                )
                return 0
            }
        }

        /// Ends a job whose shard is gone.
        ///
        /// - Throws: `catalogUnreachable`.
        func remove(_ job: JobLease) async throws {
            try await run { transaction in
                do {
                    try Self.finish(job, transaction)
                } catch is JobLost {
                    // Another worker ends it.
                }
            }
        }
    }
#endif
