#if DAGSTORE_FAILPOINTS
    import DAGCatalog
    import Foundation
    import ShardIndex
    import SystemPackage
    import TestSupport
    import Testing

    @Suite("Crashes of the catalog")
    struct CrashTests {
        /// Opens a catalog whose folder belongs to another process, to be killed at a failpoint.
        private static func open(_ path: String, until failpoint: String) throws -> Catalog {
            // SAFETY: no other thread of this process reads the environment now.
            try #require(unsafe setenv("DAGSTORE_FAILPOINT", failpoint, 1) == 0)
            return try Catalog(
                at: FilePath(path),
                lockFile: FilePath(path + "/LOCK"),
                options: Catalog.Options(mapSize: 1 << 30, isRelaxed: true),
                randomKey: (1, 2)
            )
        }

        @Test("a batch is on disk whole, or not at all", arguments: [false, true])
        func commit(isAfter: Bool) async throws {
            let folder = try CatalogFolder()
            let failpoint = isAfter ? "afterCommit" : "beforeCommit"
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = folder.path as String, failpoint = failpoint as String] in
                let catalog = try Self.open(path, until: failpoint + ":2")
                let first = try catalog.commit([
                    .insert(CommitTests.registered("a"), pending: CommitTests.work)
                ])
                // A batch without changes passes no failpoint.
                try catalog.update(first[0], pending: CommitTests.work)
                _ = try catalog.commit([
                    .publish(first[0], CommitTests.parts()),
                    .insert(CommitTests.registered("b"), pending: nil),
                ])
            }
            let catalog = try folder.open()
            #expect(try catalog.keys() == (isAfter ? ["a", "b"] : ["a"]))
            #expect(try catalog.record(1)?.generation == (isAfter ? 1 : 0))
            #expect(try catalog.pendingShards().map(\.number) == (isAfter ? [] : [1]))
            #expect(try catalog.damage(limit: 10) == [])
            catalog.close()
        }

        @Test(
            "a generation that is half written or half deleted stands on pending",
            arguments: [
                "pieceBatchWritten", "pieceBatchWritten:2", "generationPartlyDeleted",
                "generationPartlyDeleted:2", "generationDeleted",
            ]
        )
        func generation(failpoint: String) async throws {
            let folder = try CatalogFolder()
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = folder.path as String, failpoint = failpoint as String] in
                let catalog = try Self.open(path, until: failpoint)
                let pieces = (0..<150).map { IndexPiece.pages(number: $0, bytes: [1]) }
                let generation = try catalog.beginGeneration(Array(pieces.prefix(100)))
                try catalog.append(Array(pieces.dropFirst(100)), to: generation)
                try catalog.deleteGeneration(generation)
            }
            let catalog = try folder.open()
            #expect(
                try catalog.pendingGenerations() == (failpoint == "generationDeleted" ? [] : [1])
            )
            #expect(try catalog.damage(limit: 10) == [])
            for generation in try catalog.pendingGenerations() {
                try catalog.deleteGeneration(generation)
            }
            catalog.close()
            #expect(try folder.rowCounts()["pages"] == 0)
            #expect(try folder.rowCounts()["pending"] == 0)
        }

        @Test(
            "a catalog is whole when compacting it is stopped",
            arguments: ["compactCopied", "compactRenamed"]
        )
        func compacting(failpoint: String) async throws {
            let folder = try CatalogFolder()
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = folder.path as String, failpoint = failpoint as String] in
                let catalog = try Self.open(path, until: failpoint)
                _ = try catalog.commit([
                    .insert(CommitTests.registered("a"), pending: CommitTests.work)
                ])
                catalog.close()
                _ = try Catalog.compact(
                    at: FilePath(path),
                    lockFile: FilePath(path + "/LOCK"),
                    mapSize: 1 << 30
                )
            }
            let copy = folder.path + "/data.mdb.compact"
            #expect(FileManager.default.fileExists(atPath: copy) == (failpoint == "compactCopied"))
            let catalog = try folder.open()
            #expect(!FileManager.default.fileExists(atPath: copy))
            #expect(try catalog.keys() == ["a"])
            #expect(try catalog.pendingShards().map(\.number) == [1])
            _ = try catalog.commit([.insert(CommitTests.registered("b"), pending: nil)])
            #expect(try catalog.damage(limit: 10) == [])
            catalog.close()
        }
    }
#endif
