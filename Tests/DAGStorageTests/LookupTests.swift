import DAGBytes
import DAGCAR
import DAGMounts
import DAGMultiformats
import DAGStorage
import ShardIndex
import TestSupport
import Testing

@Suite("Lookups")
struct LookupTests {
    @Test(
        "a shard of any shape answers as its CAR says, from registration to destruction",
        arguments: CARShape.allCases
    )
    func shapes(shape: CARShape) async throws {
        let seed: UInt64 = 7
        let folder = try StoreFolder()
        let builder = shape.builder(seed: seed)
        let model = shape.model(of: builder)
        let mount = try folder.mount(shape.bytes(of: builder))
        var store = try folder.open()
        let status = try await store.register("shard", mount)
        #expect(status.state == .available)
        #expect(status.blockCount == UInt64(builder.blocks.count))
        #expect(status.mountURL == mount.url.text)
        for _ in 0..<2 {
            let shard = try await store.acquire("shard")
            #expect(try await model.problems(in: shard) == [], "seed \(seed)")
            #expect(shard.checkIndex() == [])
            shard.release()
            await store.close()
            store = try folder.open()
        }
        try await store.destroy("shard")
        #expect(try store.status(of: "shard") == nil)
        await #expect(throws: DAGStoreError(.shardUnknown)) { try await store.acquire("shard") }
        await store.close()
    }

    @Test(
        "mapped or not, under every policy, the answers are the same",
        arguments: [Configuration.Mapping.whenPossible, .never],
        Configuration.PagePolicy.allCases
    )
    func configurations(
        mapping: Configuration.Mapping,
        policy: Configuration.PagePolicy
    ) async throws {
        let folder = try StoreFolder()
        let builder = CARBuilder.manyMixed(seed: 8)
        let mount = try folder.mount(builder.bytes)
        let small = try folder.mount(CARBuilder.mixed(seed: 9).bytes, named: "small.car")
        let store = try folder.open {
            $0.mapping = mapping
            $0.pagePolicy = policy
        }
        try await store.register("a", mount)
        try await store.register("b", small)
        let shards = [try await store.acquire("a"), try await store.acquire("b")]
        #expect(try await ShardModel(builder).problems(in: shards[0]) == [])
        #expect(try await ShardModel(.mixed(seed: 9)).problems(in: shards[1]) == [])
        await store.close()
    }

    @Test("a cache too small for a page changes no answer", arguments: [0, 1, 100_000])
    func smallCache(size: Int) async throws {
        let folder = try StoreFolder()
        let builder = CARBuilder.manyMixed(seed: 10)
        let store = try folder.open {
            $0.mapping = .never
            $0.pageCacheSize = size
        }
        try await store.register("a", folder.mount(builder.bytes))
        let shard = try await store.acquire("a")
        #expect(try await ShardModel(builder).problems(in: shard) == [])
        #expect(try store.statistics().pageCacheBytes <= size)
        await store.close()
    }

    // A reader takes no lock and pins nothing, so that it looks up through transactions. LMDB does not
    // survive two openings in a process, so that it is another process.
    @Test("a reader of another process gives the same answers while the store is open")
    func readOnly() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        try await store.register("a", folder.mount(CARBuilder.manyMixed(seed: 11).bytes))
        try await store.register("b", folder.mount(CARBuilder.mixed(seed: 12).bytes, named: "b"))
        await #expect(processExitsWith: .success) { [path = folder.storePath as String] in
            for mapping in [Configuration.Mapping.whenPossible, .never] {
                let store = try StoreFolder.open(path) {
                    $0.isReadOnly = true
                    $0.mapping = mapping
                }
                #expect(store.keys == ["a", "b"])
                let model = ShardModel(.manyMixed(seed: 11))
                #expect(try await model.problems(in: store.acquire("a")) == [])
                let small = ShardModel(.mixed(seed: 12))
                #expect(try await small.problems(in: store.acquire("b")) == [])
                await #expect(throws: DAGStoreError(.readOnly)) { try await store.destroy("a") }
                await store.close()
            }
        }
        let shard = try await store.acquire("a")
        #expect(shard.blockCount > 0)
        await store.close()
    }

    @Test("the first of equal multihashes answers, wherever the others are")
    func duplicates() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let once = CARBuilder.uniform(sections: 100, blockSize: 20, seed: 13)
        let builder = CARBuilder(roots: [], blocks: (0..<9).flatMap { _ in once.blocks })
        try await store.register("a", folder.mount(builder.bytes))
        let shard = try await store.acquire("a")
        #expect(try await ShardModel(builder).problems(in: shard) == [])
        #expect(shard.blockCount == 900)
        await store.close()
    }

    @Test("entries are listed from any section on")
    func entries() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let builder = CARBuilder.manyMixed(seed: 14)
        try await store.register("a", folder.mount(builder.bytes))
        let shard = try await store.acquire("a")
        let count = builder.blocks.count
        for start in [0, 1, 255, 256, 257, count - 1, count, count + 1] {
            var found: [CID?] = []
            try shard.forEachEntry(from: UInt64(start)) { entry in
                found.append(entry.cid)
                return true
            }
            #expect(found == builder.blocks.dropFirst(start).map(\.cid), "from \(start)")
        }
        var seen = 0
        try shard.forEachEntry { _ in
            seen += 1
            return seen < 300
        }
        #expect(seen == 300)
        let sections = builder.sections
        try shard.forEachEntry { entry in
            let section = sections[Int(entry.ordinal)]
            guard entry.offset == section.offset, entry.dataSize == section.dataSize else {
                Issue.record("section \(entry.ordinal) is elsewhere")
                return false
            }
            return true
        }
        await store.close()
    }

    @Test("a block whose bytes have another hash is served, and found out when it is verified")
    func wrongHash() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        var builder = CARBuilder.uniform(sections: 2, blockSize: 10, seed: 15)
        builder.blocks[1].data[0] ^= 1
        try await store.register("a", folder.mount(builder.bytes))
        let shard = try await store.acquire("a")
        let block = try #require(try await shard.block(for: builder.blocks[1].cid))
        #expect(try block.copiedBytes == builder.blocks[1].data)
        #expect(throws: DAGStoreError(.hashMismatch)) { try block.verified() }
        await store.close()
    }

    // One identity CID of more than 64 KiB refused the whole CAR.
    @Test("identity digests of any size are indexed")
    func largeIdentity() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        var generator = SplitMix64(seed: 16)
        let blocks = [64 << 10, 30_000, (64 << 10) + 1, 5, 3 << 20, 6].map {
            CARBuilder.Block.identity(generator.bytes($0))
        }
        let builder = CARBuilder(roots: [], blocks: blocks)
        try await store.register("a", folder.mount(builder.bytes))
        #expect(try await ShardModel(builder).problems(in: store.acquire("a")) == [])
        await store.close()
    }
}
