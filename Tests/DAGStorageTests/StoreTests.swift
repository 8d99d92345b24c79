import DAGCAR
import DAGMounts
import DAGStorage
import TestSupport
import Testing

@Suite("Store")
struct StoreTests {
    @Test("statuses come in order of registration, more than are read at once")
    func statuses() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let mount = try folder.mount(CARBuilder(blocks: [.raw([1])]).bytes)
        let keys = (0..<600).map { "\(($0 * 7919) % 1000)/\($0)" }
        for key in keys { try await store.register(key, mount) }
        #expect(store.keys == keys)
        for key in keys where key.hasSuffix("7") { try await store.destroy(key) }
        #expect(store.keys == keys.filter { !$0.hasSuffix("7") })
        await store.close()
        var iterator = store.statuses().makeIterator()
        #expect(throws: DAGStoreError(.closed)) { try iterator.next() }
    }

    @Test("statistics count what is there")
    func statistics() async throws {
        let folder = try StoreFolder()
        var store = try folder.open()
        let builders = [CARBuilder.mixed(seed: 1), .manyMixed(seed: 2), CARBuilder()]
        for (index, builder) in builders.enumerated() {
            try await store.register("\(index)", folder.mount(builder.bytes, named: "\(index)"))
        }
        let bad = try folder.mount([1, 2, 3], named: "bad")
        await #expect(throws: DAGStoreError.self) { try await store.register("bad", bad) }
        for _ in 0..<2 {
            let statistics = try store.statistics()
            #expect(statistics.shards == 4)
            #expect(statistics.available == 3)
            #expect(statistics.failed == 1)
            #expect(statistics.blocks == builders.reduce(0) { $0 + UInt64($1.blocks.count) })
            let sizes = builders.map { UInt64($0.bytes.count) }
            #expect(statistics.payloadBytes == sizes.reduce(0, +))
            #expect(
                try statistics.indexBytes == store.allStatuses().reduce(0) { $0 + $1.indexSize }
            )
            #expect(statistics.leases == 0)
            await store.close()
            store = try folder.open()
        }
        for key in store.keys { try await store.destroy(key) }
        let empty = try store.statistics()
        #expect(empty.shards == 0)
        #expect(empty.failed == 0)
        #expect(empty.blocks == 0)
        #expect(empty.payloadBytes == 0)
        #expect(empty.indexBytes == 0)
        await store.close()
    }

    @Test("keys are compared by their bytes and never become paths")
    func keys() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let mount = try folder.mount(CARBuilder(blocks: [.raw([1])]).bytes)
        let keys = [
            "../x", "/etc/passwd", "a/b", "..", " ", "line\nbreak", "\u{e9}", "e\u{301}", "文",
            String(repeating: "k", count: 480),
        ]
        for key in keys { try await store.register(key, mount) }
        for (key, found) in zip(keys, store.keys) {
            #expect(Array(found.utf8) == Array(key.utf8))
            let shard = try await store.acquire(key)
            #expect(Array(shard.key.text.utf8) == Array(key.utf8))
        }
        #expect(try ShardKey("\u{e9}") != ShardKey("e\u{301}"))
        for key in keys { try await store.destroy(key) }
        #expect(store.keys == [])
        await store.close()
    }

    @Test(
        "a key that cannot be one is refused",
        arguments: [
            "", "a\0b", String(repeating: "k", count: 481), String(repeating: "ü", count: 241),
        ]
    )
    func invalidKey(text: String) {
        #expect(throws: DAGStoreError(.invalidKey)) { try ShardKey(text) }
    }

    @Test("what does not exist is unknown")
    func unknown() async throws {
        let store = try StoreFolder().open()
        await #expect(throws: DAGStoreError(.shardUnknown)) { try await store.acquire("a") }
        await #expect(throws: DAGStoreError(.shardUnknown)) { try await store.destroy("a") }
        #expect(throws: DAGStoreError(.shardUnknown)) {
            try store.acquireIfAvailable(ShardKey("a"))
        }
        #expect(try store.status(of: "a") == nil)
        await store.close()
    }

    @Test("a key is registered once, also after reopening")
    func registeredTwice() async throws {
        let folder = try StoreFolder()
        var store = try folder.open()
        let first = try folder.mount(CARBuilder(blocks: [.raw([1])]).bytes, named: "first")
        let second = try folder.mount(CARBuilder(blocks: [.raw([2])]).bytes, named: "second")
        try await store.register("a", first)
        for _ in 0..<2 {
            await #expect(throws: DAGStoreError(.shardExists)) {
                try await store.register("a", second)
            }
            #expect(try store.status(of: "a")?.mountURL == first.url.text)
            await store.close()
            store = try folder.open()
        }
        await store.close()
    }

    @Test("one file may be several shards")
    func sharedFile() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let builder = CARBuilder.mixed(seed: 3)
        let mount = try folder.mount(builder.bytes)
        for key in ["a", "b"] { try await store.register(key, mount) }
        try await store.destroy("a")
        #expect(try await ShardModel(builder).problems(in: store.acquire("b")) == [])
        await store.close()
    }

    @Test("a shard in use is not destroyed, and an idle one is")
    func destroyInUse() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let builder = CARBuilder.manyMixed(seed: 4)
        try await store.register("a", folder.mount(builder.bytes))
        let shards = [try await store.acquire("a"), try await store.acquire("a")]
        await #expect(throws: DAGStoreError(.shardInUse)) { try await store.destroy("a") }
        shards[0].release()
        await #expect(throws: DAGStoreError(.shardInUse)) { try await store.destroy("a") }
        #expect(try await ShardModel(builder).problems(in: shards[1]) == [])
        #expect(try store.status(of: "a")?.state == .serving)
        shards[1].release()
        shards[1].release()
        #expect(try store.status(of: "a")?.state == .available)
        try await store.destroy("a")
        #expect(try store.statistics().indexBytes == 0)
        #expect(try store.statistics().openShards == 0)
        await store.close()
    }

    @Test("a lease ends with its last reference")
    func droppedLease() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        try await store.register("a", folder.mount(CARBuilder(blocks: [.raw([1])]).bytes))
        for _ in 0..<10 { _ = try await store.acquire("a") }
        #expect(try store.statistics().leases == 0)
        try await store.destroy("a")
        await store.close()
    }

    @Test("a destroyed shard stays gone, and its key may be taken by another CAR")
    func destroyedForGood() async throws {
        let folder = try StoreFolder()
        var store = try folder.open()
        let old = CARBuilder.manyMixed(seed: 5)
        let new = CARBuilder.manyMixed(seed: 6)
        try await store.register("a", folder.mount(old.bytes))
        try await store.acquire("a").release()
        try await store.destroy("a")
        await store.close()
        store = try folder.open()
        #expect(store.keys == [])
        try await store.register("a", folder.mount(new.bytes))
        #expect(try await ShardModel(new).problems(in: store.acquire("a")) == [])
        await store.close()
    }

    @Test("the room of destroyed shards is used again")
    func room() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let mount = try folder.mount(.manySections(count: 20_000, digestSize: 32, seed: 1))
        var usage: [UInt64] = []
        for _ in 0..<50 {
            try await store.register("a", mount)
            try await store.destroy("a")
            usage.append(try store.statistics().catalogUsedBytes)
        }
        // What a merge under way holds comes and goes; 40 leaked indexes would be twenty times as much.
        #expect(usage[49] <= 2 * usage[9], "\(usage)")
        #expect(try store.statistics().indexBytes == 0)
        await store.close()
    }

    @Test("idle shards beyond the limit are closed", arguments: [0, 1, 5])
    func idleShards(limit: Int) async throws {
        let folder = try StoreFolder()
        let store = try folder.open { $0.idleShardsMax = limit }
        let mount = try folder.mount(CARBuilder(blocks: [.raw([1])]).bytes)
        for key in 0..<10 { try await store.register("\(key)", mount) }
        for round in 0..<3 {
            for key in 0..<10 { try await store.acquire("\((key * 7 + round) % 10)").release() }
            // The loop closes them beside what goes on here.
            try await eventually { try store.statistics().openShards <= limit }
        }
        await store.close()
    }

    @Test("progress is told on the way and never passes the end")
    func progress() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let builder = CARBuilder.uniform(sections: 20, blockSize: 2 << 20, seed: 7)
        let mount = try folder.mount(builder.bytes)
        let told = Told()
        try await store.register(ShardKey("a"), from: mount) { told.append($0) }
        #expect(told.all.count == 2)
        for progress in told.all {
            #expect(progress.bytesDone <= progress.bytesTotal)
            #expect(progress.bytesTotal == UInt64(builder.bytes.count))
        }
        await store.close()
    }
}
