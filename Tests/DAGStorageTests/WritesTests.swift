import DAGCatalog
import DAGMounts
import Dispatch
import TestSupport
import Testing

@testable import DAGStorage

/// What is written, counted in transactions; the table in the Format guide says the same in words.
@Suite("Writes")
struct WritesTests {
    private static let builder = CARBuilder.manyMixed(seed: 6)

    /// How many transactions `body` takes.
    private func writes(
        of store: DAGStore,
        _ body: () async throws -> Void
    ) async throws -> UInt64 {
        let before = try store.engine.catalog.lastTransaction
        try await body()
        return try store.engine.catalog.lastTransaction - before
    }

    @Test("leases, refusals, questions and streams write nothing")
    func memoryOnly() async throws {
        let folder = try StoreFolder()
        let store = try folder.open { $0.idleShardsMax = 1 }
        let mount = try folder.mount(Self.builder.bytes)
        for key in ["a", "b"] { try await store.register(key, mount) }
        let junk = try folder.mount([1, 2, 3], named: "junk")
        _ = await errorCode { try await store.register("junk", junk) }
        let events = store.events()
        let count = try await writes(of: store) {
            for _ in 0..<5 {
                let shard = try await store.acquire("a")
                try await store.acquire("b").release()
                #expect(await errorCode { try await store.destroy("a") } == .shardInUse)
                #expect(try await ShardModel(Self.builder).problems(in: shard) == [])
                shard.release()
            }
            for key in ["a", "b", "junk"] {
                #expect(await errorCode { try await store.register(key, mount) } == .shardExists)
            }
            #expect(await errorCode { try await store.recover("a") } == .notFailed)
            #expect(await errorCode { try await store.acquire("junk") } != nil)
            #expect(await errorCode { try await store.acquire("nobody") } == .shardUnknown)
            try await store.initialize("a")
            _ = try await store.collectGarbage()
            _ = try await store.check()
            _ = try store.statistics()
            _ = store.keys
        }
        #expect(count == 0)
        withExtendedLifetime(events) {}
        await store.close()
    }

    @Test("opening a store that was closed well writes nothing about its shards")
    func reopening() async throws {
        let folder = try StoreFolder()
        var store = try folder.open()
        try await store.register("a", folder.mount(Self.builder.bytes))
        var seen = try store.engine.catalog.lastTransaction
        await store.close()
        for _ in 0..<3 {
            store = try folder.open()
            #expect(try store.engine.catalog.lastTransaction == seen)
            try await store.acquire("a").release()
            seen = try store.engine.catalog.lastTransaction
            await store.close()
        }
    }

    @Test("a record that is equal to the one on disk is not written again")
    func equalRecord() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        try await store.register("a", folder.mount(Self.builder.bytes))
        let catalog = store.engine.catalog
        let record = try #require(try catalog.standing(of: "a")?.record)
        let before = try catalog.lastTransaction
        _ = try catalog.commit([.update(record, pending: nil)])
        #expect(try catalog.lastTransaction == before)
        await store.close()
    }

    @Test("a small registration takes one transaction, a large one two, a lazy one one")
    func registrations() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let mount = try folder.mount(Self.builder.bytes)
        #expect(try await writes(of: store) { try await store.register("a", mount) } == 1)
        let large = try folder.mount(
            .manySections(count: 30_000, digestSize: 32, seed: 1),
            named: "large.car"
        )
        #expect(try await writes(of: store) { try await store.register("large", large) } == 2)
        let lazy = try await writes(of: store) {
            try await store.register("b", from: mount, indexing: .onFirstUse)
        }
        #expect(lazy == 1)
        #expect(try await writes(of: store) { try await store.acquire("b").release() } == 2)
        // The index goes in a transaction after the one that answers.
        let destruction = try await writes(of: store) { try await store.destroy("a") }
        #expect(destruction <= 2)
        await store.close()
    }

    @Test("what comes together is written together: 512 registrations in one transaction")
    func batches() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let mount = try folder.mount(Self.builder.bytes)
        let count = try await writes(of: store) {
            // The loop waits for the writer's queue with the first one, so that the others come meanwhile.
            let isReleased = DispatchSemaphore(value: 0)
            store.engine.writer.async { isReleased.wait() }
            let first = Registration(
                url: mount.url,
                indexing: .onFirstUse,
                transient: nil,
                progress: nil
            )
            store.engine.requests.send(Request(silent: .register(first), try ShardKey("first")))
            await eventually { store.engine.loop.count == 0 }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<512 {
                    group.addTask {
                        try await store.register("\(number)", from: mount, indexing: .onFirstUse)
                    }
                }
                await eventually { store.engine.loop.count == 512 }
                isReleased.signal()
                try await group.waitForAll()
            }
        }
        #expect(count == 2)
        #expect(try store.statistics().shards == 513)
        await store.close()
    }
}
