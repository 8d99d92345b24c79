import DAGBytes
import DAGMounts
import DAGMultiformats
import DAGStorage
import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("Concurrency")
struct ConcurrencyTests {
    @Test("32 CARs are registered at once", arguments: [1, 2, 8])
    func registrations(width: Int) async throws {
        let folder = try StoreFolder()
        let store = try folder.open { $0.concurrentIndexing = width }
        let builders =
            (0..<32).map {
                $0 % 2 == 0 ? CARBuilder.mixed(seed: $0) : .manyMixed(seed: $0)
            } as [CARBuilder]
        try await withThrowingTaskGroup { group in
            for (number, builder) in builders.enumerated() {
                let mount = try folder.mount(builder.bytes, named: "\(number).car")
                group.addTask { try await store.register("\(number)", mount) }
            }
            try await group.waitForAll()
        }
        #expect(Set(store.keys) == Set((0..<32).map { "\($0)" }))
        #expect(try store.statistics().available == 32)
        for (number, builder) in builders.enumerated() {
            let shard = try await store.acquire("\(number)")
            #expect(try await ShardModel(builder).problems(in: shard) == [], "shard \(number)")
        }
        await store.close()
    }

    @Test("of registrations under one key at once, one wins")
    func oneWins() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let mounts = try (0..<8).map { number in
            let builder = CARBuilder.manyMixed(seed: UInt64(number))
            return try folder.mount(builder.bytes, named: "\(number)")
        }
        for round in 0..<10 {
            let winners = await withTaskGroup(of: Int?.self) { group in
                for (number, mount) in mounts.enumerated() {
                    group.addTask {
                        do {
                            try await store.register("a", mount)
                            return number
                        } catch {
                            #expect(error as? DAGStoreError == DAGStoreError(.shardExists))
                            return nil
                        }
                    }
                }
                return await group.reduce(into: [Int]()) { numbers, number in
                    if let number { numbers.append(number) }
                }
            }
            #expect(winners.count == 1, "round \(round)")
            let status = try store.status(of: "a")
            #expect(status?.mountURL == winners.first.map { mounts[$0].url.text })
            #expect(try store.statistics().shards == 1)
            try await store.destroy("a")
            #expect(try store.statistics().indexBytes == 0)
        }
        await store.close()
    }

    @Test("256 leases at once are counted exactly", arguments: [true, false])
    func leases(isCold: Bool) async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let builder = CARBuilder.manyMixed(seed: 1)
        try await store.register("a", folder.mount(builder.bytes))
        if !isCold { try await store.acquire("a").release() }
        let shards = try await withThrowingTaskGroup(of: Shard.self) { group in
            for number in 0..<256 {
                group.addTask {
                    if number % 2 == 0 { return try await store.acquire("a") }
                    return try #require(try store.acquireIfAvailable(ShardKey("a")))
                }
            }
            return try await group.reduce(into: [Shard]()) { $0.append($1) }
        }
        #expect(try store.status(of: "a")?.references == 256)
        #expect(try store.status(of: "a")?.state == .serving)
        #expect(try store.statistics().leases == 256)
        #expect(try store.statistics().openShards == 1)
        await #expect(throws: DAGStoreError(.shardInUse)) { try await store.destroy("a") }
        await withTaskGroup { group in
            for shard in shards.prefix(156) {
                // Twice: the second release does nothing.
                for _ in 0..<2 { group.addTask { shard.release() } }
            }
        }
        #expect(try store.status(of: "a")?.references == 100)
        await withTaskGroup { group in
            for shard in shards { group.addTask { shard.release() } }
        }
        #expect(try store.status(of: "a")?.references == 0)
        #expect(try store.status(of: "a")?.state == .available)
        #expect(try store.statistics().leases == 0)
        try await store.destroy("a")
        await store.close()
    }

    @Test(
        "one lease answers many tasks at once",
        arguments: [Configuration.Mapping.whenPossible, .never]
    )
    func lookups(mapping: Configuration.Mapping) async throws {
        let folder = try StoreFolder()
        let store = try folder.open { $0.mapping = mapping }
        let builder = CARBuilder.manyMixed(seed: 2)
        try await store.register("a", folder.mount(builder.bytes))
        let shard = try await store.acquire("a")
        let model = ShardModel(builder)
        let problems = try await withThrowingTaskGroup(of: [String].self) { group in
            for seed in 0..<6 as Range<UInt64> {
                group.addTask { try await model.problems(in: shard, seed: seed) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(problems == [])
        await store.close()
    }

    // A lease pins the index it reads, so that a destruction may never meet one.
    @Test("a lease and a destruction never both succeed", arguments: [0, 10])
    func acquireAgainstDestroy(idleShardsMax: Int) async throws {
        let folder = try StoreFolder()
        let store = try folder.open { $0.idleShardsMax = idleShardsMax }
        let builder = CARBuilder.uniform(sections: 300, blockSize: 1, seed: 3)
        let mount = try folder.mount(builder.bytes)
        let key = try ShardKey("a")
        for round in 0..<200 {
            try await store.register(key, from: mount)
            try await store.acquire(key).release()
            // Odd while a destruction is under way.
            let attempts = Atomic<Int>(0)
            let reader = Readers(count: 1) { _ in
                guard let shard = try store.acquireIfAvailable(key) else { return }
                defer { shard.release() }
                let attempt = attempts.load(ordering: .acquiring)
                // The lease is held until the destruction has failed, as it must.
                while attempt % 2 == 1, attempts.load(ordering: .acquiring) == attempt {
                    if try store.status(of: key) == nil { throw DAGStoreError(.catalogCorrupt) }
                }
            }
            var isDestroyed = false
            while !isDestroyed {
                attempts.add(1, ordering: .acquiringAndReleasing)
                do {
                    try await store.destroy(key)
                    isDestroyed = true
                } catch {
                    #expect(error as? DAGStoreError == DAGStoreError(.shardInUse))
                }
                attempts.add(1, ordering: .acquiringAndReleasing)
            }
            // The reader ends because the shard is unknown, not because it had a lease on nothing.
            let errors = await reader.errors
            guard errors == [DAGStoreError(.shardUnknown)] else {
                Issue.record("round \(round): a lease on a destroyed shard: \(errors)")
                break
            }
        }
        await store.close()
    }
}
