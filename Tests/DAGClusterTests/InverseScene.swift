#if Cluster
    import DAGBytes
    import DAGHashing
    import DAGMultiformats
    import DAGStorage
    import ShardIndex
    import TestSupport
    import Testing

    @testable import DAGCluster

    /// A cluster whose runs a test publishes without CARs.
    struct InverseScene {
        let cluster: ClusterScene
        let blobs: Blobs
        let node = [UInt8](repeating: 1, count: 16)

        init() async throws {
            cluster = try await ClusterScene()
            blobs = Blobs(
                database: cluster.database,
                bytes: DatabaseBytes(database: cluster.database)
            )
        }

        private var hash: KeyedHash {
            let key = cluster.facts.hashKey
            return KeyedHash(
                key: key.withView { ($0.loadUInt64(at: 0), $0.loadUInt64(at: 8)) }
            )
        }

        /// The multihash with a number.
        static func multihash(_ number: Int) throws -> Multihash {
            Multihash(code: 0x12, digest: Checksums.sha256(Array("\(number)".utf8)))
        }

        /// Registers and publishes a shard with the multihashes of these numbers.
        func publish(_ key: String, _ numbers: [Int]) async throws {
            let database = cluster.database
            let key = try ShardKey(key)
            _ = try await database.register(key, from: .init("https://host.example/\(key)"))
            let shard = try #require(try await database.shard(key))
            let hashes = try numbers.map { number in
                try Self.multihash(number).digest.withView {
                    InverseEntry.hash(of: hash.hash($0).high)
                }
            }
            let run = try await database.blocking { [blobs] in
                let writer = try RunWriter(blobs)
                var builder = try ChunkedRunBuilder(
                    entries: UInt64(hashes.count),
                    shard: shard.number
                ) { try writer.append($0) }
                for hash in hashes.sorted() { try builder.append(hash) }
                let directory = try builder.finish()
                try writer.finish()
                return PublishedRun(
                    blob: writer.name,
                    size: writer.size,
                    entryCount: directory.shape.entryCount,
                    directory: directory.encoded
                )
            }
            let bundle = try BlobName(Checksums.sha256([1]))
            var pieces = [[1]][...] as ArraySlice<[UInt8]>
            try await blobs.put(bundle, size: 1) { pieces.popFirst() }
            var job: JobLease?
            // Other tests of the suite have databases of their own, so the job is this shard's.
            job = try await database.claim(.index, for: node, lease: .seconds(60))
            try await database.publish(
                IndexedShard(
                    bundle: bundle,
                    bundleSize: 1,
                    sourceSize: 1,
                    blockCount: UInt64(numbers.count),
                    multihashCount: UInt64(numbers.count),
                    payloadSize: 1,
                    rootCount: 0,
                    run: run
                ),
                of: shard,
                try #require(job),
                by: node
            )
        }

        /// Merges all partitions that have something to merge.
        func merge(isForced: Bool) async throws -> Int {
            let database = cluster.database
            try cluster.query("UPDATE dagstore_jobs SET run_at = now() WHERE kind = 3")
            var count = 0
            while let job = try await database.claim(.merge, for: node, lease: .seconds(60)) {
                let merger = RunMerger(
                    blobs: blobs,
                    partitionBits: cluster.facts.partitionBits
                )
                if try await merger.merge(job, isForced: isForced) { count += 1 }
                try await database.release(job, runAgainIn: .seconds(3600))
            }
            return count
        }

        func keys(_ number: Int, _ finder: ClusterFinder) async throws -> [String] {
            try await finder.shards(containing: Self.multihash(number)).map(\.shard.key.text)
        }
    }
#endif
