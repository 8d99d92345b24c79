import DAGBytes
import DAGLMDB
import DAGMounts
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

/// What must not happen to shards that are well.
@Suite("Harm kept away")
struct HarmTests {
    private static func large(_ seed: UInt64) -> [UInt8] {
        CARBuilder.uniform(sections: 1000, blockSize: 8, seed: seed).bytes
    }

    // A service registers its CARs at every start and expects to hear that they are there. Meanwhile the
    // shards were unknown to whoever asked.
    @Test("registering a key again hides nobody's shard")
    func registeredAgain() async throws {
        let folder = try StoreFolder()
        let store = try folder.open { $0.concurrentIndexing = 1 }
        let mount = try folder.mount(Self.large(1))
        try await store.register("a", mount)
        let key = try ShardKey("a")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask { try await store.register("other \(number)", mount) }
                group.addTask {
                    await #expect(throws: DAGStoreError(.shardExists)) {
                        try await store.register("a", mount)
                    }
                }
                group.addTask { try store.acquireIfAvailable(key)?.release() }
                group.addTask { try await store.acquire(key).release() }
            }
            try await group.waitForAll()
        }
        await store.close()
    }

    // The time was multiplied into nanoseconds, which overflowed and ended the process.
    @Test("a file from the year 2300 is a file like any other")
    func farFuture() async throws {
        let folder = try StoreFolder()
        let mount = try folder.mount(Self.large(2))
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 10_413_792_000)],
            ofItemAtPath: mount.path.string
        )
        let store = try folder.open()
        try await store.register("a", mount)
        #expect(try await store.acquire("a").blockCount == 1000)
        await store.close()
    }

    @Test("a fault of the store's own files does not fail the shard")
    func temporaryFolderGone() async throws {
        let folder = try StoreFolder()
        let mount = try folder.mount([UInt8].manySections(count: 270_000, digestSize: 8, seed: 1))
        let store = try folder.open { $0.sortBudget = 0 }
        try FileManager.default.removeItem(atPath: folder.storePath + "/tmp")
        await #expect(throws: DAGStoreError(.readOnly)) { try await store.register("a", mount) }
        #expect(store.keys == [])
        try FileManager.default.createDirectory(
            atPath: folder.storePath + "/tmp",
            withIntermediateDirectories: false
        )
        try await store.register("a", mount)
        await store.close()
    }

    @Test("what an ended process left in the temporary folder goes at the next opening")
    func leftovers() async throws {
        let folder = try StoreFolder()
        await (try folder.open()).close()
        let temporary = folder.storePath + "/tmp"
        try Data([1]).write(to: URL(filePath: temporary + "/spill-1-2"))
        try Data([1]).write(to: URL(filePath: temporary + "/mine"))
        await (try folder.open()).close()
        #expect(try PackageFolder.files(in: temporary) == ["mine"])
    }

    @Test("a damaged locator is an error, and not an answer", arguments: [30, 3000])
    func damagedLocator(place: Int) async throws {
        let folder = try StoreFolder()
        let builder = CARBuilder.uniform(sections: 1000, blockSize: 8, seed: 3)
        let mount = try folder.mount(builder.bytes)
        let store = try folder.open()
        try await store.register("a", mount)
        await store.close()
        try CatalogDamage.flip(place, in: "locators", of: folder.storePath)
        let again = try folder.open()
        let shard = try await again.acquire("a")
        let cid = try #require(shard.roots.first ?? builder.blocks.first?.cid)
        #expect(throws: DAGStoreError(.catalogCorrupt)) { try shard.contains(cid) }
        shard.release()
        await again.close()
    }
}
