import DAGBytes
import DAGCAR
import DAGMounts
import DAGMultiformats
import Foundation
import ShardIndex
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import DAGStorage

/// Hostile shapes, announcers, limits on what stays open, and many readers of many shards.
@Suite("Many shards")
struct ManyShardsTests {
    // The keyed hash spreads them; without one they would all be in one bucket.
    @Test("100,000 digests that share 28 of their 32 bytes are spread, and found")
    func sharedPrefix() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let blocks = (0..<100_000 as Range<UInt32>).map { number in
            var digest = [UInt8](repeating: 0xab, count: 28)
            digest.append(littleEndian: number)
            let multihash = Multihash(code: HashCode.sha2_256, digest: digest)
            return CARBuilder.Block(cid: CID(codec: Codec.raw, multihash: multihash), data: [1])
        }
        try await store.register("a", folder.mount(CARBuilder(blocks: blocks).bytes))
        let run = try #require(store.engine.inverse.snapshot.runs.first)
        #expect(run.shape.entryCount == 100_000)
        #expect(Double(run.shape.byteCount) / 100_000 < 5)
        for block in blocks.shuffled().prefix(2000) {
            #expect(try store.shards(containing: block.cid.multihash).map(\.text) == ["a"])
        }
        await store.close()
    }

    @Test("identity CIDs of 2 KiB are answered from themselves, and their shards are known")
    func identities() async throws {
        let folder = try StoreFolder()
        let store = try folder.open { $0.inverseFlushFrom = 20 }
        var random = SplitMix64(seed: 1)
        let blocks = (0..<50).map { _ in CARBuilder.Block.identity(random.bytes(2048)) }
        try await store.register("a", folder.mount(CARBuilder(blocks: blocks).bytes))
        for block in blocks {
            #expect(try await store.block(for: block.cid)?.copiedBytes == block.cid.digest)
            #expect(try store.size(of: block.cid) == 2048)
            #expect(try store.shards(containing: block.cid.multihash).map(\.text) == ["a"])
        }
        let other = CARBuilder.Block.identity(random.bytes(2048))
        #expect(try store.contains(other.cid))
        #expect(try store.shards(containing: other.cid.multihash) == [])
        await store.close()
    }

    @Test("thousands of tiny shards become few runs, while every answer stays right")
    func tinyShards() async throws {
        let folder = try StoreFolder()
        let store = try folder.open { $0.inverseFlushFrom = 500 }
        let cars = (0..<40).map { CARBuilder.uniform(sections: 5, blockSize: 8, seed: UInt64($0)) }
        let mounts = try cars.enumerated().map { try folder.mount($1.bytes, named: "\($0)") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<4000 {
                group.addTask { try await store.register("\(number)", mounts[number % 40]) }
            }
            try await group.waitForAll()
        }
        await eventually { store.engine.inverse.snapshot.runs.count <= MergePolicy.runsMax }
        for (number, car) in cars.enumerated() {
            let found = try store.shards(containing: car.blocks[3].cid.multihash)
            #expect(Set(found.map(\.text)) == Set((0..<100).map { "\(number + 40 * $0)" }))
            #expect(found.count == 100)
        }
        let inverse = try store.statistics().inverse
        #expect(inverse.entries == 20_000)
        #expect(inverse.writeAmplification < 8)
        #expect(try await store.check().problems == [])
        await store.close()
    }

    @Test(
        "an announcer reads a shard in chunks of any size, and goes on where it was",
        arguments: [1, 7, 256, 10_000]
    )
    func announcer(size: Int) async throws {
        let folder = try StoreFolder()
        var store = try folder.open()
        let car = CARBuilder.manyMixed(seed: 2)
        let key = try ShardKey("a")
        try await store.register(key, from: folder.mount(car.bytes))
        var found: [Multihash] = []
        var cursor: MultihashCursor?
        repeat {
            let chunk = try store.multihashes(of: key, atMost: size, from: cursor)
            #expect(chunk.next == nil || chunk.multihashes.count == size)
            found += chunk.multihashes
            cursor = chunk.next
            if let text = cursor?.description { #expect(MultihashCursor(text) == cursor) }
            if found.count == 3 * size {
                await store.close()
                store = try folder.open()
            }
        } while cursor != nil
        #expect(found == car.blocks.map(\.cid.multihash))
        let old = MultihashCursor("\(UInt64.max).0")
        #expect(throws: DAGStoreError(.sourceChanged)) {
            try store.multihashes(of: key, atMost: 1, from: old)
        }
        #expect(throws: DAGStoreError(.invalidArgument)) {
            try store.multihashes(of: key, atMost: 0)
        }
        #expect(throws: DAGStoreError(.shardUnknown)) {
            try store.multihashes(of: ShardKey("b"), atMost: 1)
        }
        #expect(MultihashCursor("1") == nil)
        #expect(MultihashCursor("1.x") == nil)
        await store.close()
    }

    @Test("shards without leases are closed by their bytes and by their time, and used ones never")
    func idleLimits() async throws {
        let folder = try StoreFolder()
        let car = CARBuilder.uniform(sections: 100, blockSize: 100, seed: 3)
        var store = try folder.open { $0.idleBytesMax = UInt64(3 * car.bytes.count) }
        let mount = try folder.mount(car.bytes)
        for number in 0..<8 { try await store.register("\(number)", mount) }
        var shards: [Shard] = []
        for number in 0..<8 { shards.append(try await store.acquire("\(number)")) }
        #expect(try store.statistics().openShards == 8)
        for shard in shards.dropFirst(2) { shard.release() }
        try await eventually { try store.statistics().openShards == 5 }
        #expect(try shards[0].contains(car.blocks[5].cid))
        shards = []
        await store.close()
        store = try folder.open { $0.idleTimeMax = .milliseconds(20) }
        let held = try await store.acquire("0")
        for number in 1..<8 { try await store.acquire("\(number)").release() }
        try await eventually { try store.statistics().openShards == 1 }
        #expect(try held.contains(car.blocks[5].cid))
        held.release()
        try await eventually { try store.statistics().openShards == 0 }
        await store.close()
    }

    @Test("many readers of many shards, few of which stay open, while shards come and go")
    func concurrentReaders() async throws {
        let folder = try StoreFolder()
        let store = try folder.open {
            $0.idleShardsMax = 3
            $0.inverseFlushFrom = 300
        }
        let cars = (0..<12).map {
            CARBuilder.uniform(sections: 60, blockSize: 30, seed: UInt64($0))
        }
        for (number, car) in cars.enumerated() {
            try await store.register("\(number)", folder.mount(car.bytes, named: "\(number)"))
        }
        let isDone = Atomic<Bool>(false)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for reader in 0..<4 {
                group.addTask { @Sendable in
                    var random = SplitMix64(seed: UInt64(reader))
                    for _ in 0..<1500 {
                        let car = cars[Int.random(in: 0..<12, using: &random)]
                        let block = car.blocks[Int.random(in: 0..<60, using: &random)]
                        let found = try await store.block(for: block.cid)
                        guard try found?.copiedBytes == block.data else {
                            throw DAGStoreError(.blockNotFound)
                        }
                    }
                }
            }
            group.addTask { @Sendable in
                // The same content under other keys, so that readers meet shards that go.
                for round in 0..<60 where !isDone.load(ordering: .relaxed) {
                    let key = "extra \(round % 5)"
                    let mount = FileMount(FilePath(folder.path(of: "\(round % 12)")))
                    try await store.register(key, mount)
                    while await errorCode({ try await store.destroy(key) }) == .shardInUse {
                        await Task.yield()
                    }
                }
            }
            try await group.waitForAll()
        }
        isDone.store(true, ordering: .relaxed)
        #expect(try store.statistics().leases == 0)
        #expect(try await store.check().problems == [])
        await store.close()
    }

    @Test("runs are merged so that a search meets few, and an entry is written few times")
    func mergePolicy() {
        var random = SplitMix64(seed: 4)
        for step in [1, 64, 1000] as [UInt64] {
            var runs: [UInt64] = []
            var written: UInt64 = 0
            var added: UInt64 = 0
            var most = 0
            for _ in 0..<3000 {
                let size = step * (1 + random.next() % 3) << 10
                runs.append(size)
                added += size
                written += size
                while true {
                    let chosen = MergePolicy.choose(runs, live: added)
                    guard chosen.count > 1 else { break }
                    #expect(Set(chosen).count == chosen.count)
                    let merged = chosen.reduce(0) { $0 + runs[$1] }
                    let gone = Set(chosen)
                    runs = runs.indices.filter { !gone.contains($0) }.map { runs[$0] } + [merged]
                    written += merged
                }
                most = max(most, runs.count)
            }
            #expect(most <= MergePolicy.runsMax)
            #expect(Double(written) / Double(added) < 12)
        }
        // More than half leads nowhere: all of it is cleaned.
        #expect(MergePolicy.choose([1 << 20], live: 1 << 18) == [0])
        #expect(MergePolicy.choose([], live: 0) == [])
    }
}
