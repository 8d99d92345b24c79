import DAGCatalog
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Opening")
struct OpeningTests {
    @Test("a store that another program has locked is refused, and opens when the lock is gone")
    func locked() async throws {
        let folder = try StoreFolder()
        try await folder.open().close()
        let lock = try FileDescriptor.open(
            FilePath(folder.storePath + "/LOCK"),
            .readWrite,
            options: .closeOnExec
        )
        try #require(flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0)
        for _ in 0..<3 {
            #expect(throws: DAGStoreError(.catalogLocked)) { try folder.open() }
        }
        // Processes that are being started have the file, too, so that closing it is not enough.
        try #require(flock(lock.rawValue, LOCK_UN) == 0)
        try lock.close()
        try await folder.open().close()
    }

    @Test("a store is opened once in a process")
    func twice() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        #expect(throws: DAGStoreError(.catalogLocked)) { try folder.open() }
        try await store.register("a", folder.mount(CARBuilder(blocks: [.raw([1])]).bytes))
        await store.close()
        try await folder.open().close()
    }

    @Test("a process serves from more stores at once than Dispatch has threads")
    func manyStores() async throws {
        let folder = try StoreFolder()
        let mount = try folder.mount(CARBuilder.uniform(sections: 3, blockSize: 64, seed: 1).bytes)
        let stores = try (0..<270).map { number in
            try StoreFolder.open(folder.path(of: "store\(number)")) { $0.mapSize = 1 << 28 }
        }
        for store in stores { try await store.register("a", mount) }
        for store in stores { try await store.acquire("a").release() }
        for store in stores { await store.close() }
    }

    @Test("a store of another process is locked")
    func otherProcess() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        await #expect(processExitsWith: .success) { [path = folder.storePath as String] in
            #expect(throws: DAGStoreError(.catalogLocked)) { try StoreFolder.open(path) }
        }
        #expect(store.keys == [])
        await store.close()
    }

    @Test("folders are made as needed, but not for a reader")
    func folders() async throws {
        let folder = try StoreFolder()
        let path = folder.path(of: "x/y/z")
        #expect(throws: DAGStoreError(.invalidArgument)) {
            try StoreFolder.open(path) { $0.isReadOnly = true }
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path(of: "x")))
        try await StoreFolder.open(path).close()
        #expect(throws: DAGStoreError.self) { try StoreFolder.open("/dev/null/store") }
    }

    @Test("a configuration that cannot be is refused")
    func configurations() throws {
        let folder = try StoreFolder()
        let changes: [(inout Configuration) -> Void] = [
            { $0.mapSize = 4096 }, { $0.mapSize = -1 }, { $0.sortBudget = -1 },
            { $0.pageCacheSize = -1 }, { $0.concurrentIndexing = 0 }, { $0.idleShardsMax = -1 },
        ]
        for change in changes {
            #expect(throws: DAGStoreError(.invalidConfiguration)) { try folder.open(change) }
        }
    }

    @Test("an index that was being written when a process ended is gone after the next opening")
    func leftovers() async throws {
        let folder = try StoreFolder()
        var store = try folder.open()
        let builder = CARBuilder.manyMixed(seed: 1)
        try await store.register("a", folder.mount(builder.bytes))
        await store.close()
        let place = FilePath(folder.storePath + "/catalog")
        let lockFile = FilePath(folder.storePath + "/LOCK")
        func open() throws -> Catalog {
            try Catalog(at: place, lockFile: lockFile, randomKey: (1, 2))
        }
        var catalog = try open()
        let generation = try catalog.beginGeneration([.pages(number: 0, bytes: [1, 2, 3])])
        #expect(try catalog.pendingGenerations() == [generation])
        catalog.close()
        store = try folder.open()
        #expect(try await ShardModel(builder).problems(in: store.acquire("a")) == [])
        await store.close()
        catalog = try open()
        #expect(try catalog.pendingGenerations() == [])
        #expect(throws: CatalogError(.corrupt, "")) {
            try catalog.withPages(generation, 0) { _ in }
        }
        catalog.close()
    }
}
