#if Cluster && Node
    import DAGStorage
    import Synchronization
    import TestSupport
    import Testing

    @testable import DAGCluster

    @Suite(
        "Bytes in an object store",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer(),
        .timeLimit(.minutes(10))
    )
    struct S3BytesTests {
        /// A cluster with its bytes in a bucket, and a blob of three objects.
        struct Scene {
            let store: MemoryS3
            let cluster: ClusterScene
            let blobs: Blobs
            let all: [UInt8]
            let name: BlobName

            init() async throws {
                store = try await MemoryS3()
                cluster = try await ClusterScene(
                    objects: "s3://bucket/some/folder/",
                    variables: store.variables
                )
                blobs = Blobs(
                    database: cluster.database,
                    bytes: try cluster.facts.byteStore(cluster.database),
                    newIncarnation: UploadNumbers().next
                )
                var generator = SplitMix64(seed: 3)
                all = generator.bytes(9_000_000)
                name = try BlobName(Checksums.sha256(all))
            }

            func put() async throws {
                // Pieces whose ends are not those of objects.
                var rest = all[...]
                try await blobs.put(name, size: UInt64(all.count)) {
                    defer { rest = rest.dropFirst(900_001) }
                    return rest.isEmpty ? nil : Array(rest.prefix(900_001))
                }
            }

            /// The key of the blob's object that begins at an offset.
            func key(_ incarnation: Int64 = 1, start: UInt64) throws -> String {
                try ObjectFolder(cluster.facts.objects)
                    .key(of: cluster.facts.id, name, incarnation, start: start)
            }

            func sweep(grace: Duration = .milliseconds(-1)) async throws -> SweepReport {
                try await Sweeper(blobs: blobs, grace: grace).sweep()
            }
        }

        // MARK: Names

        @Test(
            "the URL of a folder names a bucket and a prefix",
            arguments: [
                ("s3://bucket", "s3://bucket/"), ("s3://bucket/", "s3://bucket/"),
                ("s3://bucket/a", "s3://bucket/a/"), ("s3://bucket/a/b//", "s3://bucket/a/b/"),
            ]
        )
        func folders(text: String, shown: String) throws {
            let folder = try ObjectFolder(text)
            #expect(folder.bucket == "bucket")
            #expect(folder.url + "/" == shown)
            #expect(try ObjectFolder(folder.url) == folder)
        }

        @Test(
            "other texts are no folders",
            arguments: [
                "", "s3://", "s3:///a", "https://host.example/a", "s3://b", "s3://bucket/../a",
                "s3://bucket//a", "s3://bucket/" + String(repeating: "a", count: 600),
            ]
        )
        func notFolders(text: String) {
            #expect(throws: DAGStoreError(.invalidArgument)) { try ObjectFolder(text) }
        }

        @Test("only keys that this program writes are objects of uploads")
        func keys() throws {
            let folder = try ObjectFolder("s3://bucket/a")
            let cluster = [UInt8](repeating: 7, count: 16)
            let name = try BlobName(Array(0..<32))
            let key = folder.key(of: cluster, name, 5, start: 4 << 20)
            #expect(
                folder.part(key, of: cluster)
                    == ObjectFolder.Part(blob: name, incarnation: 5, start: 4 << 20)
            )
            let others = [
                key + "0", key + "/", String(key.dropLast()), key.uppercased(), "",
                key.replacing("/5/", with: "/05/"), key.replacing("/5/", with: "/-5/"),
                key.replacing("/5/", with: "/0/"), key.replacing("/5/", with: "/\(Int64.max)/"),
                key.replacing("/5/", with: "/99999999999999999999/"),
                key.replacing("a/", with: "b/"), key.replacing("0400000", with: "04x0000"),
            ]
            for other in others where other != key {
                #expect(folder.part(other, of: cluster) == nil)
            }
            #expect(folder.part(key, of: [UInt8](repeating: 8, count: 16)) == nil)
        }

        @Test("batches end at multiples of the size of an object")
        func batches() {
            var batches = BlobBatches()
            var full: [[BlobPiece]] = []
            for _ in 0..<9 {
                if let batch = batches.add([UInt8](repeating: 1, count: 1_000_000)) {
                    full.append(batch)
                }
            }
            #expect(batches.size == 9_000_000)
            #expect(full.map { $0.first?.start } == [0, 4 << 20])
            #expect(full.map { $0.reduce(0) { $0 + $1.bytes.count } } == [4 << 20, 4 << 20])
            #expect(batches.rest.first?.start == 8 << 20)
            let pieces = full.flatMap(\.self) + batches.rest
            for (one, next) in zip(pieces, pieces.dropFirst()) {
                #expect(one.start + UInt64(one.bytes.count) == next.start)
            }
        }

        // MARK: Bytes

        @Test("any range comes back, and costs one request for each object")
        func ranges() async throws {
            let scene = try await Scene()
            try await scene.put()
            #expect(
                scene.store.objects.keys.sorted()
                    == (0..<3).map { UInt64($0) << 22 }.map {
                        (try? scene.key(start: $0)) ?? ""
                    }
            )
            let blob = try #require(try await scene.blobs.find(scene.name))
            #expect(try await scene.blobs.bytes.size(of: scene.name, 1) == 9_000_000)
            for range in [0..<1, 65_536..<131_072, 4_194_300..<4_194_310, 0..<9_000_000]
                as [Range<UInt64>]
            {
                let before = scene.store.server.requests.count
                let found = try await scene.blobs.bytes(range, of: blob)
                #expect(found == Array(scene.all[Int(range.lowerBound)..<Int(range.upperBound)]))
                let asked = scene.store.server.requests[before...].map { $0.header("Range") }
                if range == 65_536..<131_072 { #expect(asked == ["bytes=65536-131071"]) }
                let objects = (range.upperBound - 1) >> 22 - range.lowerBound >> 22 + 1
                #expect(asked.count == Int(objects))
            }
            await #expect(throws: DAGStoreError(.catalogCorrupt)) {
                try await scene.blobs.bytes(8_999_999..<9_000_001, of: blob)
            }
        }

        @Test("an object that is gone, or short, is an error and no other bytes")
        func vanished() async throws {
            let scene = try await Scene()
            try await scene.put()
            let blob = try #require(try await scene.blobs.find(scene.name))
            let second = try scene.key(start: 4 << 20)
            scene.store.objects[second]?.removeLast()
            #expect(try await scene.blobs.bytes.size(of: scene.name, 1) == 8 << 20 - 1)
            await #expect(throws: DAGStoreError(.catalogCorrupt)) {
                try await scene.blobs.bytes(0..<9_000_000, of: blob)
            }
            scene.store.objects[second] = nil
            #expect(try await scene.blobs.bytes.size(of: scene.name, 1) == 4 << 20)
            await #expect(throws: DAGStoreError(.catalogCorrupt)) {
                try await scene.blobs.bytes(5_000_000..<5_000_001, of: blob)
            }
            let first = try await scene.blobs.bytes(0..<100, of: blob)
            #expect(first == Array(scene.all.prefix(100)))
        }

        @Test("a repeated put is harmless, and a new upload has objects of its own")
        func again() async throws {
            let scene = try await Scene()
            let piece = BlobPiece(start: 0, bytes: [1, 2, 3])
            for _ in 0..<2 { try await scene.blobs.bytes.put([piece], of: scene.name, 1) }
            #expect(scene.store.objects.count == 1)
            try await scene.put()
            try scene.cluster.query("UPDATE dagstore_blobs SET state = 2")
            try await scene.put()
            #expect(scene.store.objects.count == 6)
            #expect(try await scene.sweep(grace: .seconds(200_000)).blobCount == 0)
            // The dying row was that of the second upload's blob, so the first objects have none.
            #expect(try await scene.sweep(grace: .seconds(3600)).blobCount == 0)
            #expect(scene.store.objects.keys.allSatisfy { $0.contains("/2/") })
            #expect(scene.store.objects.count == 3)
        }

        // MARK: Faults

        @Test(
            "a store that refuses one kind of request makes no cluster",
            arguments: ["PUT", "GET", "DELETE"]
        )
        func refused(method: String) async throws {
            let store = try await MemoryS3()
            store.setFault {
                $0.method == method ? MemoryS3.failure(403, "AccessDenied") : nil
            }
            let address = try #require(DatabaseServer.current).makeDatabase()
            let variables = store.variables
            let database = try ClusterDatabase(at: address) { variables[$0] }
            let facts = try ClusterFacts(copies: 1, objects: "s3://bucket")
            await #expect(throws: DAGStoreError(.invalidConfiguration)) {
                try await database.create(facts)
            }
            #expect(try await !database.hasCluster())
            store.setFault(nil)
            try await database.create(facts)
            #expect(try await database.facts() == facts)
            #expect(store.objects.count == (method == "DELETE" ? 1 : 0))
        }

        @Test(
            "wrong credentials, a missing bucket and a wrong server have codes",
            arguments: ["AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL_S3", "bucket", "none"]
        )
        func codes(wrong: String) async throws {
            let store = try await MemoryS3()
            var variables = store.variables
            if wrong == "none" {
                variables["AWS_ACCESS_KEY_ID"] = nil
                variables["AWS_SECRET_ACCESS_KEY"] = nil
            } else if wrong != "bucket" {
                variables[wrong] = "other"
            }
            let settings = variables
            let address = try #require(DatabaseServer.current).makeDatabase()
            let database = try ClusterDatabase(at: address) { settings[$0] }
            let bucket = wrong == "bucket" ? "other" : "bucket"
            let facts = try ClusterFacts(copies: 1, objects: "s3://\(bucket)/a")
            await #expect(throws: DAGStoreError(.invalidConfiguration)) {
                try await database.create(facts)
            }
            #expect(try await !database.hasCluster())
        }

        @Test("a store that is full keeps nothing half, and a later upload succeeds")
        func full() async throws {
            let scene = try await Scene()
            scene.store.setFault { request in
                guard request.method == "PUT", request.target.hasSuffix("800000") else {
                    return nil
                }
                return MemoryS3.failure(507, "XMinioStorageFull")
            }
            await #expect(throws: DAGStoreError(.catalogFull)) { try await scene.put() }
            #expect(try await scene.blobs.find(scene.name) == nil)
            #expect(scene.store.objects.count == 2)
            scene.store.setFault(nil)
            try await scene.put()
            #expect(try await scene.blobs.find(scene.name)?.incarnation == 2)
            #expect(try await scene.sweep(grace: .seconds(3600)).blobCount == 0)
            #expect(scene.store.objects.count == 3)
        }

        @Test(
            "a store that asks for a pause gets the request again; one that stays away is unreachable"
        )
        func throttled() async throws {
            let scene = try await Scene()
            let refusals = Mutex(2)
            scene.store.setFault { _ in
                let isRefused = refusals.withLock { left in
                    left -= 1
                    return left >= 0
                }
                return isRefused ? MemoryS3.failure(503, "SlowDown") : nil
            }
            try await scene.put()
            scene.store.setFault { _ in MemoryS3.failure(503, "ServiceUnavailable") }
            let blob = try #require(try await scene.blobs.find(scene.name))
            await #expect(throws: DAGStoreError(.catalogUnreachable)) {
                try await scene.blobs.bytes(0..<10, of: blob)
            }
        }

        @Test("another store with the same bucket is refused")
        func otherStore() async throws {
            let scene = try await Scene()
            #expect(try await scene.blobs.bytes.placeFault() == nil)
            let other = try await MemoryS3()
            let variables = other.variables
            let database = try ClusterDatabase(
                at: scene.cluster.address,
                variable: { variables[$0] }
            )
            let blobs = try Blobs(scene.cluster.facts, in: database)
            #expect(try await blobs.bytes.placeFault()?.code == .invalidConfiguration)
        }

        // MARK: Sweeping

        @Test(
            "a sweep deletes old objects without a row, and leaves young ones and those of others"
        )
        func orphans() async throws {
            let scene = try await Scene()
            try await scene.put()
            let foreign = try [
                scene.key(start: 0).replacing("some/folder", with: "some/other"),
                "some/folder/notes", scene.key(Int64.max, start: 0),
            ]
            for key in foreign { scene.store.objects[key] = [1] }
            // A database that was restored knows nothing of the blob.
            try scene.cluster.query("DELETE FROM dagstore_blobs")
            #expect(try await scene.sweep(grace: .seconds(100_000)) == SweepReport())
            #expect(scene.store.objects.count == 6)
            let swept = try await scene.sweep(grace: .seconds(3600))
            #expect(swept.blobCount == 1)
            #expect(scene.store.objects.keys.sorted() == foreign.sorted())
        }

        @Test("an upload beside a sweep of forgotten bytes gets a number of its own")
        func restored() async throws {
            let scene = try await Scene()
            try await scene.put()
            try scene.cluster.query("DELETE FROM dagstore_blobs")
            let uploading = Gate()
            scene.store.setFault { request in
                if request.method == "DELETE" { uploading.open() }
                return nil
            }
            async let swept = scene.sweep(grace: .seconds(3600))
            try await uploading.pass(heedingCancellation: true)
            try await scene.put()
            _ = try await swept
            let blob = try #require(try await scene.blobs.find(scene.name))
            let found = try await scene.blobs.bytes(0..<9_000_000, of: blob)
            #expect(found == scene.all)
        }

        // MARK: Versions

        @Test("programs that know no object stores refuse such a cluster, and open others")
        func versions() async throws {
            let first = Array(ClusterSchema.steps.prefix(1))
            let scene = try await Scene()
            await #expect(throws: DAGStoreError(.catalogTooNew)) {
                try await ClusterSchema.upgrade(
                    scene.cluster.database,
                    isNewAllowed: false,
                    first
                )
            }
            let usual = try await ClusterScene()
            try await ClusterSchema.upgrade(usual.database, isNewAllowed: false, first)
            // A cluster that such a program made has its bytes in the database.
            try usual.query(
                """
                DELETE FROM dagstore_versions WHERE version > 1;
                ALTER TABLE dagstore_shards DROP COLUMN published;
                ALTER TABLE dagstore_runs DROP COLUMN damaged;
                DROP TABLE dagstore_rebuilds;
                DROP TABLE dagstore_moves;
                """
            )
            #expect(try await usual.database.facts() == usual.facts)
            #expect(try usual.facts.byteStore(usual.database) is DatabaseBytes)
        }
    }
#endif
