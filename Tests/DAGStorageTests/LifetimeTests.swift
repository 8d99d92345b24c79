import DAGMounts
import DAGMultiformats
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Lifetimes")
struct LifetimeTests {
    @Test(
        "a block outlives its lease, its shard and its store",
        arguments: [Configuration.Mapping.whenPossible, .never]
    )
    func block(mapping: Configuration.Mapping) async throws {
        let folder = try StoreFolder()
        let builder = CARBuilder.manyMixed(seed: 1)
        let mount = try folder.mount(builder.bytes)
        var blocks: [Block] = []
        do {
            let store = try folder.open { $0.mapping = mapping }
            try await store.register("a", mount)
            let shard = try await store.acquire("a")
            for block in builder.blocks {
                blocks.append(try #require(try await shard.block(for: block.cid)))
            }
            shard.release()
            try await store.destroy("a")
            await store.close()
        }
        try FileManager.default.removeItem(atPath: mount.path.string)
        let isEqual =
            try blocks.map { try $0.copiedBytes }
            == builder.blocks.map {
                $0.cid.isIdentity ? $0.cid.digest : $0.data
            }
        #expect(isEqual)
    }

    @Test("a lease outlives the store's close, which gives the lock back")
    func lease() async throws {
        let folder = try StoreFolder()
        let builder = CARBuilder.manyMixed(seed: 2)
        let store = try folder.open { $0.mapping = .never }
        try await store.register("a", folder.mount(builder.bytes))
        let shards = [try await store.acquire("a"), try await store.acquire("a")]
        await store.close()
        await #expect(throws: DAGStoreError(.closed)) { try await store.acquire("a") }
        for shard in shards {
            let next = try folder.open()
            #expect(next.keys == ["a"])
            #expect(try await ShardModel(builder).problems(in: shard) == [])
            await next.close()
            shard.release()
        }
        let again = try folder.open()
        #expect(again.keys == ["a"])
        await again.close()
    }

    @Test("a store that nobody refers to is closed, whatever leases are left")
    func droppedStore() async throws {
        let folder = try StoreFolder()
        let builder = CARBuilder.mixed(seed: 3)
        var shard: Shard?
        do {
            let store = try folder.open()
            try await store.register("a", folder.mount(builder.bytes))
            shard = try await store.acquire("a")
        }
        await eventually { (try? folder.open()) != nil }
        #expect(try await ShardModel(builder).problems(in: #require(shard)) == [])
        shard = nil
        try await folder.open().close()
    }

    @Test("a closed store refuses everything, as often as it is closed")
    func closed() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let mount = try folder.mount(CARBuilder(blocks: [.raw([1])]).bytes)
        try await store.register("a", mount)
        for _ in 0..<3 { await store.close() }
        let closed = DAGStoreError(.closed)
        await #expect(throws: closed) { try await store.register("b", mount) }
        await #expect(throws: closed) { try await store.acquire("a") }
        await #expect(throws: closed) { try await store.destroy("a") }
        #expect(throws: closed) { try store.acquireIfAvailable(ShardKey("a")) }
        #expect(throws: closed) { try store.status(of: "a") }
        #expect(throws: closed) { try store.statistics() }
        #expect(store.keys == [])
    }

    // Every method may be called from any thread at once, and so may `close`.
    @Test("a store may be closed while others read it")
    func closeWhileRead() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        try await store.register("a", folder.mount(CARBuilder.manyMixed(seed: 4).bytes))
        await store.close()
        await #expect(processExitsWith: .success) { [path = folder.storePath as String] in
            let key = try ShardKey("a")
            for _ in 0..<100 {
                let store = try StoreFolder.open(path) { $0.idleShardsMax = 0 }
                let readers = Readers(count: 3) { number in
                    switch number {
                    case 0: _ = try store.statistics()
                    case 1: _ = try store.status(of: key)
                    default: try store.acquireIfAvailable(key)?.release()
                    }
                }
                await store.close()
                let errors = await readers.errors
                #expect(errors.allSatisfy { $0 == DAGStoreError(.closed) })
            }
        }
    }

    @Test("when a store is closed it can be opened again, whoever was asking")
    func reopenWhileRead() async throws {
        let folder = try StoreFolder()
        let key = try ShardKey("a")
        var waiting: [Readers] = []
        for _ in 0..<100 {
            let store = try folder.open()
            waiting.append(
                Readers(count: 2) { number in
                    _ =
                        number == 0
                        ? try store.statistics().shards : try store.status(of: key)?.blockCount
                }
            )
            await store.close()
        }
        for readers in waiting {
            #expect(await readers.errors.allSatisfy { $0 == DAGStoreError(.closed) })
        }
    }

    @Test("a store may be closed while others register")
    func closeWhileRegistering() async throws {
        let folder = try StoreFolder()
        _ = try folder.mount(CARBuilder.manyMixed(seed: 5).bytes)
        await #expect(processExitsWith: .success) { [path = folder.path as String] in
            let mount = DAGMounts.FileMount(FilePath(path + "/a.car"))
            for round in 0..<30 {
                let store = try StoreFolder.open(path + "/store")
                let before = store.keys
                let registered = await withTaskGroup(of: String?.self) { group in
                    for number in 0..<4 {
                        group.addTask {
                            let key = "\(round)/\(number)"
                            do {
                                try await store.register(key, mount)
                                return key
                            } catch {
                                let isClosed = error as? DAGStoreError == DAGStoreError(.closed)
                                return isClosed ? nil : "\(error)"
                            }
                        }
                    }
                    await store.close()
                    return await group.reduce(into: [String]()) { keys, key in
                        if let key { keys.append(key) }
                    }
                }
                // What was answered is there; what was refused is not.
                let again = try StoreFolder.open(path + "/store")
                #expect(Set(again.keys) == Set(before + registered))
                await again.close()
            }
        }
    }
}
