#if Cluster && Node
    import DAGStorage
    import TestSupport
    import Testing

    @testable import DAGCluster

    /// Nodes of a cluster whose bytes lie in an object store.
    @Suite(
        "Clusters with an object store",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer(),
        .timeLimit(.minutes(10))
    )
    struct S3ClusterTests {
        /// A cluster with its bytes in a bucket in memory.
        private func scene(_ store: MemoryS3) async throws -> ClusterScene {
            try await ClusterScene(objects: "s3://bucket/folder", variables: store.variables)
        }

        /// Registers shards, lets two nodes hold them, merges, finds, destroys and sweeps.
        private func checkLife(_ scene: ClusterScene) async throws {
            let nodes = try (1...2).map {
                try scene.node("node\($0)")
            }
            let cars = try (1...3).map { try scene.car("\($0).car", seed: UInt64($0)) }
            for (number, car) in cars.enumerated() { try await scene.register("\(number)", car) }
            for number in 0..<3 { try await scene.settled("\(number)", copies: 2) }
            for node in nodes {
                for car in cars { #expect(try await node.hasBlocks(of: car)) }
            }
            #expect(try scene.query("SELECT count(*) FROM dagstore_blob_parts") == "0")
            // They would take the merges that follow.
            for node in nodes { await node.kill() }
            let blobs = try Blobs(scene.facts, in: scene.database)
            for isMerged in [false, true] {
                if isMerged {
                    let merged = try await merge(scene, blobs)
                    #expect(merged > 0)
                    let old = try await Sweeper(blobs: blobs, grace: .milliseconds(-1)).sweep()
                    // An indexing whose lease ran out on a busy machine leaves a run more.
                    #expect(old.blobCount >= 3)
                }
                let finder = ClusterFinder(scene.facts, in: scene.database)
                for (number, car) in cars.enumerated() {
                    let block = try #require(car.builder.blocks.first)
                    let found = try await finder.shards(containing: block.cid.multihash)
                    #expect(found.map(\.shard.key.text) == ["\(number)"])
                    #expect(found.first?.holders.count == 2)
                }
            }
            for number in 0..<3 { try await scene.database.destroy(ShardKey("\(number)")) }
            // The merged runs stay until the next merge.
            let swept = try await Sweeper(blobs: blobs, grace: .milliseconds(-1)).sweep()
            #expect(swept.blobCount == 3)
            let left = try await blobs.bytes.uploads(olderThan: .milliseconds(-1), after: nil)
            let runs = try scene.query("SELECT count(DISTINCT blob) FROM dagstore_runs")
            #expect(try scene.query("SELECT count(*) FROM dagstore_blobs") == runs)
            #expect(left.uploads.count <= Int(runs) ?? 0)
        }

        /// Merges all partitions.
        private func merge(_ scene: ClusterScene, _ blobs: Blobs) async throws -> Int {
            let node = [UInt8](repeating: 9, count: 16)
            try scene.query(
                "UPDATE dagstore_jobs SET run_at = now(), lease_until = now() WHERE kind = 3"
            )
            var count = 0
            while let job = try await scene.database.claim(.merge, for: node, lease: .seconds(60)) {
                let merger = RunMerger(blobs: blobs, partitionBits: scene.facts.partitionBits)
                if try await merger.merge(job, isForced: true) { count += 1 }
                try await scene.database.release(job, runAgainIn: .seconds(3600))
            }
            return count
        }

        @Test("two nodes register, import, merge, find and sweep; all bytes are objects")
        func life() async throws {
            let store = try await MemoryS3()
            try await checkLife(scene(store))
        }

        @Test(
            "the same over a store that nobody here wrote",
            .enabled(if: ObjectServer.program != nil, "weed is not installed; set DAGSTORE_WEED")
        )
        func realStore() async throws {
            let program = try #require(ObjectServer.program)
            let folder = try TemporaryFolder()
            let store = try await ObjectServer(program, in: folder)
            let marker = try folder.write([1], to: "marker")
            try await store.upload(marker, to: "marker", in: "bucket")
            var variables = store.variables
            let scene = try await ClusterScene(
                objects: "s3://bucket/some folder",
                variables: variables
            )
            try await checkLife(scene)
            try await checkBlob(scene)
            variables["AWS_SECRET_ACCESS_KEY"] = "wrong"
            let wrong = variables
            let database = try ClusterDatabase(at: scene.address) { wrong[$0] }
            await #expect(throws: DAGStoreError(.invalidConfiguration)) {
                try await database.sweep(grace: .seconds(3600))
            }
        }

        /// Uploads, reads and deletes a blob of several objects.
        private func checkBlob(_ scene: ClusterScene) async throws {
            let blobs = try Blobs(scene.facts, in: scene.database)
            var generator = SplitMix64(seed: 5)
            let all = generator.bytes(9_000_000)
            let name = try BlobName(Checksums.sha256(all))
            var rest = all[...]
            try await blobs.put(name, size: UInt64(all.count)) {
                defer { rest = rest.dropFirst(1 << 20) }
                return rest.isEmpty ? nil : Array(rest.prefix(1 << 20))
            }
            let blob = try #require(try await blobs.find(name))
            for range in [0..<10, 4_194_300..<4_194_310, 0..<9_000_000] as [Range<UInt64>] {
                let found = try await blobs.bytes(range, of: blob)
                #expect(found == Array(all[Int(range.lowerBound)..<Int(range.upperBound)]))
            }
            #expect(try await blobs.bytes.size(of: name, blob.incarnation) == 9_000_000)
            #expect(try await blobs.bytes.size(of: name, 77) == 0)
            // A database that was restored knows nothing of the blob.
            try scene.query("DELETE FROM dagstore_blobs WHERE size = 9000000")
            let sweeper = Sweeper(blobs: blobs, grace: .milliseconds(-1))
            #expect(try await sweeper.sweep().byteCount >= 9_000_000)
            #expect(try await blobs.bytes.size(of: name, blob.incarnation) == 0)
        }

        // MARK: Faults

        @Test(
            "a node whose credentials are refused fails no shard, and goes on when they are mended"
        )
        func refused() async throws {
            let store = try await MemoryS3()
            let scene = try await scene(store)
            let node = try scene.node("node1")
            await eventually { node.notices.contains("joined the cluster") }
            store.setFault { _ in MemoryS3.failure(403, "AccessDenied") }
            let car = try scene.car("a.car", seed: 1)
            try await scene.register("a", car)
            await eventually { node.notices.contains("invalidConfiguration") }
            // More tries than a faulty CAR has.
            let begun = store.server.requests.count
            await eventually { store.server.requests.count > begun + 10 }
            #expect(try await scene.database.shard(ShardKey("a"))?.state == .registered)
            store.setFault(nil)
            try await eventually {
                try await scene.database.shard(ShardKey("a"))?.state == .available
            }
            #expect(try await node.hasBlocks(of: car))
            await node.kill()
        }

        @Test("a node that starts with refused credentials takes work when they are mended")
        func refusedAtStart() async throws {
            let store = try await MemoryS3()
            let scene = try await scene(store)
            store.setFault { _ in MemoryS3.failure(403, "AccessDenied") }
            let node = try scene.node("node1")
            await eventually { node.notices.contains("the bytes of the cluster are away") }
            // It serves what it holds, so others must see that it lives.
            #expect(try await scene.database.nodes().map(\.state) == [.active])
            let car = try scene.car("a.car", seed: 1)
            try await scene.register("a", car)
            store.setFault(nil)
            try await scene.settled("a", copies: 1)
            #expect(try await node.hasBlocks(of: car))
            await node.kill()
        }

        @Test("an import refuses a bundle that was changed, and succeeds when the bytes are back")
        func tampered() async throws {
            let store = try await MemoryS3()
            let scene = try await scene(store)
            let first = try scene.node("node1")
            let car = try scene.car("a.car", seed: 1)
            try await scene.register("a", car)
            try await scene.settled("a", copies: 1)
            let bundle = try #require(try await scene.database.shard(ShardKey("a"))?.bundle)
            let name = try BlobName(bundle).description
            let sound = store.objects
            for key in sound.keys where key.contains(name) {
                store.objects[key]?[100] ^= 1
            }
            let second = try scene.node("node2")
            try await eventually {
                try scene.query("SELECT count(*) FROM dagstore_placements WHERE error_code <> 0")
                    == "1"
            }
            #expect(try second.store.status(of: ShardKey("a")) == nil)
            #expect(try await first.hasBlocks(of: car))
            store.objects = sound
            try await scene.settled("a", copies: 2)
            #expect(try await second.hasBlocks(of: car))
            for node in [first, second] { await node.kill() }
        }

        @Test("a bundle that is gone leaves the copies that there are")
        func vanished() async throws {
            let store = try await MemoryS3()
            let scene = try await scene(store)
            let first = try scene.node("node1")
            let car = try scene.car("a.car", seed: 1)
            try await scene.register("a", car)
            try await scene.settled("a", copies: 1)
            let sound = store.objects
            // A node refuses a store without the mark.
            store.objects = sound.filter { $0.key.hasSuffix("/cluster") }
            let second = try scene.node("node2")
            await eventually { second.notices.contains("catalogCorrupt") }
            #expect(try await first.hasBlocks(of: car))
            #expect(try await scene.database.shard(ShardKey("a"))?.state == .available)
            store.objects = sound
            try await scene.settled("a", copies: 2)
            for node in [first, second] { await node.kill() }
        }
    }
#endif
