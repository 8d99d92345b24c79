#if Cluster
    import DAGStorage
    import TestSupport
    import Testing

    @testable import DAGCluster

    @Suite(
        "Blobs",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer()
    )
    struct BlobTests {
        /// A cluster, and a blob of three pieces.
        private struct Scene {
            let cluster: ClusterScene
            let blobs: Blobs
            let pieces: [[UInt8]]
            let name: BlobName

            init() async throws {
                cluster = try await ClusterScene()
                blobs = Blobs(
                    database: cluster.database,
                    bytes: DatabaseBytes(database: cluster.database),
                    newIncarnation: UploadNumbers().next
                )
                pieces = [Array(0..<100), Array(100..<200), [7]]
                name = try BlobName(Checksums.sha256(pieces.flatMap(\.self)))
            }

            func put() async throws {
                var left = pieces[...]
                try await blobs.put(name, size: 201) { left.popFirst() }
            }

            /// Sweeps without grace.
            func sweep() async throws -> SweepReport {
                try await Sweeper(blobs: blobs, grace: .milliseconds(-1)).sweep()
            }

            var partCount: Int {
                get throws {
                    try #require(Int(cluster.query("SELECT count(*) FROM dagstore_blob_parts")))
                }
            }
        }

        @Test(
            "any range comes back",
            .timeLimit(.minutes(2)),
            arguments: [0..<201, 0..<1, 99..<101, 100..<200, 150..<201, 200..<201, 5..<5]
        )
        func ranges(range: Range<UInt64>) async throws {
            let scene = try await Scene()
            try await scene.put()
            let blob = try #require(try await scene.blobs.find(scene.name))
            #expect(blob.size == 201)
            let all = scene.pieces.flatMap(\.self)
            let found = try await scene.blobs.bytes(range, of: blob)
            #expect(found == Array(all[Int(range.lowerBound)..<Int(range.upperBound)]))
        }

        @Test("bytes beyond the end, and missing ones, are an error", .timeLimit(.minutes(2)))
        func gaps() async throws {
            let scene = try await Scene()
            try await scene.put()
            let blob = try #require(try await scene.blobs.find(scene.name))
            await #expect(throws: DAGStoreError(.catalogCorrupt)) {
                try await scene.blobs.bytes(150..<202, of: blob)
            }
            try scene.cluster.query("DELETE FROM dagstore_blob_parts WHERE start = 100")
            await #expect(throws: DAGStoreError(.catalogCorrupt)) {
                try await scene.blobs.bytes(0..<201, of: blob)
            }
        }

        @Test("the size of an upload ends at its first gap", .timeLimit(.minutes(2)))
        func sizes() async throws {
            let scene = try await Scene()
            #expect(try await scene.blobs.bytes.size(of: scene.name, 1) == 0)
            try await scene.put()
            #expect(try await scene.blobs.bytes.size(of: scene.name, 1) == 201)
            #expect(try await scene.blobs.bytes.size(of: scene.name, 2) == 0)
            try scene.cluster.query("DELETE FROM dagstore_blob_parts WHERE start = 100")
            #expect(try await scene.blobs.bytes.size(of: scene.name, 1) == 100)
            try scene.cluster.query("DELETE FROM dagstore_blob_parts WHERE start = 0")
            #expect(try await scene.blobs.bytes.size(of: scene.name, 1) == 0)
        }

        @Test(
            "a second upload waits for the first, and takes its place if it is dead",
            .timeLimit(.minutes(2))
        )
        func twoUploads() async throws {
            let scene = try await Scene()
            var isFirst = true
            await #expect(throws: DAGStoreError(.catalogUnreachable)) {
                var left = scene.pieces[...]
                try await scene.blobs.put(scene.name, size: 201) {
                    guard isFirst else { return left.popFirst() }
                    isFirst = false
                    try await overtake(scene)
                    return left.popFirst()
                }
            }
            let blob = try #require(try await scene.blobs.find(scene.name))
            let found = try await scene.blobs.bytes(0..<201, of: blob)
            #expect(found == scene.pieces.flatMap(\.self))
        }

        /// Uploads the blob as another program does, which first has to wait.
        private func overtake(_ scene: Scene) async throws {
            await #expect(throws: DAGStoreError(.quotaExceeded)) { try await scene.put() }
            try scene.cluster.query(
                "UPDATE dagstore_blobs SET touched_at = now() - interval '2 minutes'"
            )
            try await scene.put()
        }

        @Test(
            "an upload goes on after a commit whose answer is lost",
            .timeLimit(.minutes(2)),
            arguments: 1...3
        )
        func lostAnswers(count: Int) async throws {
            let scene = try await Scene()
            let server = try #require(DatabaseServer.current)
            let proxy = try await DatabaseProxy(to: server.port)
            let address = server.address(of: scene.cluster.databaseName, port: proxy.port)
            let database = try ClusterDatabase(at: address)
            let blobs = Blobs(database: database, bytes: DatabaseBytes(database: database))
            proxy.inject(.cutAfter("COMMIT"), times: count)
            var left = scene.pieces[...]
            try await blobs.put(scene.name, size: 201) { left.popFirst() }
            let blob = try #require(try await scene.blobs.find(scene.name))
            let found = try await scene.blobs.bytes(0..<201, of: blob)
            #expect(found == scene.pieces.flatMap(\.self))
        }

        @Test("bytes that are there are not uploaded again", .timeLimit(.minutes(2)))
        func again() async throws {
            let scene = try await Scene()
            try await scene.put()
            try await scene.blobs.put(scene.name, size: 201) {
                Issue.record("the upload asked for a piece")
                return nil
            }
        }

        @Test("pieces with another hash or size never become a blob", .timeLimit(.minutes(2)))
        func wrongBytes() async throws {
            let scene = try await Scene()
            for pieces in [[[1, 2, 3]], [scene.pieces[0]], []] as [[[UInt8]]] {
                var left = pieces[...]
                await #expect(throws: DAGStoreError(.catalogCorrupt)) {
                    try await scene.blobs.put(scene.name, size: 201) { left.popFirst() }
                }
                #expect(try await scene.blobs.find(scene.name) == nil)
            }
        }

        @Test(
            "a sweep leaves young bytes, and deletes old ones without a name",
            .timeLimit(.minutes(2))
        )
        func sweeping() async throws {
            let scene = try await Scene()
            try await scene.put()
            let young = try await scene.cluster.database.sweep(grace: .seconds(3600))
            #expect(young.blobCount == 0)
            #expect(try scene.partCount == 3)
            let old = try await scene.sweep()
            #expect(old == SweepReport(blobCount: 1, byteCount: 201))
            #expect(try scene.partCount == 0)
            #expect(try await scene.blobs.find(scene.name) == nil)
            try await scene.put()
            #expect(try scene.partCount == 3)
        }

        @Test("a sweep leaves what a shard names", .timeLimit(.minutes(2)))
        func named() async throws {
            let scene = try await Scene()
            try await scene.put()
            try await scene.cluster.register("a", try scene.cluster.car("a.car", seed: 1))
            let digits = scene.name.description
            try scene.cluster.query(
                "UPDATE dagstore_shards SET bundle = decode('\(digits)', 'hex')"
            )
            #expect(try await scene.sweep().blobCount == 0)
            #expect(try scene.partCount == 3)
        }

        @Test(
            "a sweeper that slept deletes no later upload of the same blob",
            .timeLimit(.minutes(2))
        )
        func lateSweeper() async throws {
            let scene = try await Scene()
            let blobs = Blobs(
                database: scene.cluster.database,
                bytes: DatabaseBytes(database: scene.cluster.database)
            )
            func put() async throws -> StoredBlob {
                var left = scene.pieces[...]
                try await blobs.put(scene.name, size: 201) { left.popFirst() }
                return try #require(try await blobs.find(scene.name))
            }
            let first = try await put()
            // Another sweeper removed the blob meanwhile.
            try scene.cluster.query("DELETE FROM dagstore_blob_parts; DELETE FROM dagstore_blobs")
            let second = try await put()
            while try await !blobs.bytes.deleteSome(of: first.name, first.incarnation) {}
            let found = try await blobs.bytes(0..<201, of: second)
            #expect(found == scene.pieces.flatMap(\.self))
        }

        @Test(
            "an upload that meets a dying blob begins anew, and survives the sweep",
            .timeLimit(.minutes(2))
        )
        func dying() async throws {
            let scene = try await Scene()
            try await scene.put()
            try scene.cluster.query("UPDATE dagstore_blobs SET state = 2")
            try await scene.put()
            let blob = try #require(try await scene.blobs.find(scene.name))
            #expect(blob.incarnation == 2)
            #expect(try scene.partCount == 6)
            // Only the bytes of the first upload go.
            let sweeper = Sweeper(blobs: scene.blobs, grace: .seconds(3600))
            #expect(try await sweeper.sweep().blobCount == 0)
            #expect(try scene.partCount == 3)
            let found = try await scene.blobs.bytes(0..<201, of: blob)
            #expect(found == scene.pieces.flatMap(\.self))
        }

        @Test(
            "bytes that a slow upload writes after a sweep go with the next one",
            .timeLimit(.minutes(2))
        )
        func orphans() async throws {
            let scene = try await Scene()
            try await scene.blobs.bytes.put(
                [BlobPiece(start: 0, bytes: [1, 2, 3])],
                of: scene.name,
                1
            )
            _ = try await scene.sweep()
            #expect(try scene.partCount == 0)
        }
    }
#endif
