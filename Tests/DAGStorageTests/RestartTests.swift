import DAGFailpoints
import DAGMounts
import DAGMultiformats
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Restarts")
struct RestartTests {
    private static let builder = CARBuilder.manyMixed(seed: 9)

    @Test(
        "100 shards are there after a crash, available and without leases, and known by their keys"
    )
    func hundred() async throws {
        let folder = try StoreFolder()
        let mount = try folder.mount(Self.builder.bytes)
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder.path as String] in
            let store = try StoreFolder.open(path + "/store")
            let mount = FileMount(FilePath(path + "/a.car"))
            for number in 0..<100 { try await store.register("\(number)", mount) }
            var shards: [Shard] = []
            for number in 0..<50 { shards.append(try await store.acquire("\(number)")) }
            #expect(try store.status(of: "49")?.state == .serving)
            kill(getpid(), SIGKILL)
            withExtendedLifetime(shards) {}
        }
        let store = try folder.open()
        #expect(store.keys == (0..<100).map { "\($0)" })
        #expect(try store.allStatuses().allSatisfy { $0.state == .available && $0.references == 0 })
        for number in 0..<100 {
            let key = "\(number)"
            #expect(await errorCode { try await store.register(key, mount) } == .shardExists)
        }
        #expect(try await ShardModel(Self.builder).problems(in: store.acquire("99")) == [])
        await store.close()
    }

    @Test(
        "a shard has at most one copy, whenever the process ended",
        arguments: [
            "partialCreated", "partialWritten", "partialSynced", "copyRenamed", "copyComplete",
            "beforeCommit:2", "afterCommit:2", "copyRemoved", "beforeCommit:3", "afterCommit:3",
        ]
    )
    func oneCopy(failpoint: String) async throws {
        let folder = try StoreFolder()
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = folder.storePath as String, failpoint = failpoint as String] in
            // SAFETY: nobody else of this process reads the environment yet.
            unsafe setenv("DAGSTORE_FAILPOINT", failpoint, 1)
            let builder = CARBuilder.manyMixed(seed: 9)
            let mount = try CountingMount(builder.bytes)
            let store = try StoreFolder.open(path, [mount])
            try await store.register("a", from: mount)
            _ = try await store.collectGarbage()
            mount.state.set("bytes", [1])
            _ = await errorCode { try await store.acquire("a") }
            mount.state.set("bytes", builder.bytes)
            try await store.recover("a")
        }
        let mount = try CountingMount(Self.builder.bytes)
        for _ in 0..<2 {
            let store = try folder.open([mount])
            #expect(folder.transients.count <= 1)
            if try store.state(of: "a") == nil { try await store.register("a", from: mount) }
            if try store.state(of: "a") == .failed { try await store.recover("a") }
            #expect(try await ShardModel(Self.builder).problems(in: store.acquire("a")) == [])
            #expect(folder.transients.count == 1)
            #expect(try store.statistics().transients == 1)
            await store.close()
        }
    }

    @Test("bytes in memory are found again by a store with the same files, and are gone without")
    func memory() async throws {
        let folder = try StoreFolder()
        let files = MemoryFiles()
        files.set("a b/ü", Self.builder.bytes)
        let mount = MemoryMount("a b/ü", in: files)
        var store = try folder.open([mount])
        try await store.register("a", from: mount)
        await store.close()
        store = try folder.open([mount])
        #expect(try await ShardModel(Self.builder).problems(in: store.acquire("a")) == [])
        #expect(folder.transients == [])
        await store.close()
        store = try folder.open([MemoryMount("", in: MemoryFiles())])
        #expect(await errorCode { try await store.acquire("a") } == .mountGone)
        await store.close()
        files.set("a b/ü", CARBuilder.manyMixed(seed: 10).bytes)
        store = try folder.open([mount])
        #expect(await errorCode { try await store.acquire("a") } == .sourceChanged)
        try await store.recover("a")
        let model = ShardModel(CARBuilder.manyMixed(seed: 10))
        #expect(try await model.problems(in: store.acquire("a")) == [])
        await store.close()
    }

    @Test("far bytes are read in place after a restart, and are not indexed again")
    func random() async throws {
        let folder = try StoreFolder()
        let mount = try CountingMount(Self.builder.bytes, access: .random)
        var store = try folder.open([mount])
        try await store.register("a", from: mount)
        await store.close()
        let before = mount.state.counts.bytes
        store = try folder.open([mount])
        let shard = try await store.acquire("a")
        let block = try #require(Self.builder.blocks.first { !$0.cid.isIdentity })
        #expect(try await shard.block(for: block.cid)?.copiedBytes == block.data)
        shard.release()
        #expect(mount.state.counts.bytes - before < Self.builder.bytes.count / 2)
        #expect(folder.transients == [])
        await store.close()
    }

    @Test("above the high watermark the copies used longest ago go, down to the low one")
    func watermarks() async throws {
        let folder = try StoreFolder()
        let state = CountingMount.State()
        let builder = CARBuilder.uniform(sections: 10, blockSize: 100, seed: 1)
        let size = UInt64(builder.bytes.count)
        for number in 0..<12 { state.set("\(number)", builder.bytes) }
        let template = try CountingMount("0", in: state)
        let store = try folder.open([template]) {
            $0.transientQuota = 10 * size
            $0.transientHighWatermark = 0.8
            $0.transientLowWatermark = 0.5
            $0.idleShardsMax = 0
        }
        for number in 0..<8 {
            try await store.register("\(number)", from: CountingMount("\(number)", in: state))
        }
        #expect(folder.transients.count == 8)
        // The oldest is in use, so that the next ones go.
        let shard = try await store.acquire("0")
        try await store.register("8", from: CountingMount("8", in: state))
        try await eventually { try store.statistics().transients == 5 }
        #expect(try store.statistics().transientBytes == 5 * size)
        #expect(try await ShardModel(builder).problems(in: shard) == [])
        #expect(state.counts.opens == 9)
        try await store.acquire("8").release()
        #expect(state.counts.opens == 9)
        try await store.acquire("1").release()
        #expect(state.counts.opens == 10)
        shard.release()
        await store.close()
    }
}
