import DAGMounts
import DAGMultiformats
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Transients")
struct TransientTests {
    static let builder = CARBuilder.manyMixed(seed: 1)

    @Test("a copy is used again after a restart, and its origin is not touched")
    func reused() async throws {
        let folder = try StoreFolder()
        let mount = try CountingMount(Self.builder.bytes)
        var store = try folder.open([mount])
        try await store.register("a", from: mount)
        await store.close()
        let counts = mount.state.counts
        mount.state.set("bytes", nil)
        let stranger = folder.storePath + "/transients/stranger.complete"
        try Data([1]).write(to: URL(filePath: stranger))
        store = try folder.open([mount])
        #expect(try await ShardModel(Self.builder).problems(in: store.acquire("a")) == [])
        #expect(mount.state.counts == counts)
        // One copy, and what is not the store's own.
        #expect(folder.transients.count == 2)
        await store.close()
    }

    @Test("a copy stays while the record of its shard cannot be read")
    func unreadable() async throws {
        let folder = try StoreFolder()
        let mount = try CountingMount(Self.builder.bytes)
        let store = try folder.open([mount])
        try await store.register("a", from: mount)
        await store.close()
        let copies = folder.transients
        #expect(copies.count == 1)
        try CatalogDamage.flip(0, in: "shards", of: folder.storePath)
        await (try folder.open([mount])).close()
        #expect(folder.transients == copies)
    }

    @Test("of 100 copies the 25 that are read stay, and the others are fetched again when needed")
    func collected() async throws {
        let folder = try StoreFolder()
        let state = CountingMount.State()
        let small = CARBuilder.uniform(sections: 3, blockSize: 10, seed: 1)
        for number in 0..<100 { state.set("\(number)", small.bytes) }
        let store = try folder.open([try CountingMount("0", in: state)])
        for number in 0..<100 {
            try await store.register("\(number)", from: CountingMount("\(number)", in: state))
        }
        var shards: [Shard] = []
        for number in 0..<25 { shards.append(try await store.acquire("\(number)")) }
        let report = try await store.collectGarbage()
        #expect(report.transients.count { $0.result == .removed } == 75)
        #expect(report.transients.count { $0.result == .inUse } == 25)
        #expect(report.bytesRemoved == 75 * UInt64(small.bytes.count))
        #expect(folder.transients.count == 25)
        #expect(state.counts.opens == 100)
        #expect(try await ShardModel(small).problems(in: store.acquire("99")) == [])
        #expect(state.counts.opens == 101)
        #expect(try store.acquireIfAvailable(ShardKey("98")) == nil)
        await store.close()
    }

    @Test("after the last lease a copy is removed, although a thread still holds its reader")
    func heldReader() async throws {
        let folder = try StoreFolder()
        let mount = try CountingMount(Self.builder.bytes)
        let store = try folder.open([mount])
        try await store.register("a", from: mount)
        let shard = try await store.acquire("a")
        // As the thread that opened the shard does, until the system lets it go on.
        let reader = shard.reader
        #expect(try await store.collectGarbage().transients.map(\.result) == [.inUse])
        shard.release()
        #expect(try await store.collectGarbage().transients.map(\.result) == [.removed])
        withExtendedLifetime(reader) {}
        #expect(folder.transients == [])
        #expect(try await ShardModel(Self.builder).problems(in: store.acquire("a")) == [])
        await store.close()
    }

    @Test("a source that is another one when it is fetched again fails the shard")
    func changed() async throws {
        let folder = try StoreFolder()
        let mount = try CountingMount(Self.builder.bytes)
        let store = try folder.open([mount])
        try await store.register("a", from: mount)
        _ = try await store.collectGarbage()
        var bytes = Self.builder.bytes
        bytes[bytes.count - 1] ^= 1
        mount.state.set("bytes", bytes)
        await #expect(throws: DAGStoreError(.sourceChanged)) { try await store.acquire("a") }
        #expect(try store.state(of: "a") == .failed)
        await store.close()
    }

    @Test(
        "a source of another length than it said is refused, and leaves no copy",
        arguments: [-1, 1, 1000]
    )
    func otherLength(change: Int) async throws {
        let folder = try StoreFolder()
        let state = FaultyMount.State(FaultyMount.Faults(Self.builder.bytes))
        state.change { $0.lengthChange = change }
        let mount = try FaultyMount(state)
        let store = try folder.open([mount])
        await #expect(throws: DAGStoreError(.fetchFailed)) {
            try await store.register("a", from: mount)
        }
        #expect(folder.transients == [])
        state.change { $0.lengthChange = 0 }
        try await store.recover("a")
        #expect(try await ShardModel(Self.builder).problems(in: store.acquire("a")) == [])
        await store.close()
    }

    @Test("a copy that finds no room is refused, and the shard has not failed")
    func quota() async throws {
        let folder = try StoreFolder()
        let mount = try CountingMount(Self.builder.bytes)
        let size = UInt64(Self.builder.bytes.count)
        let store = try folder.open([mount]) { $0.transientQuota = size + size / 2 }
        try await store.register("a", from: mount)
        let shard = try await store.acquire("a")
        try await store.register("b", from: mount, indexing: .onFirstUse)
        await #expect(throws: DAGStoreError(.quotaExceeded)) { try await store.acquire("b") }
        #expect(try store.state(of: "b") == .registered)
        #expect(try await ShardModel(Self.builder).problems(in: shard) == [])
        shard.release()
        // Nobody reads the first any more, so that it makes room, although it is still open.
        #expect(try store.statistics().openShards == 1)
        try await store.acquire("b").release()
        #expect(folder.transients.count == 1)
        await store.close()
    }

    @Test("when a user's own copy is gone, the mount takes over if it has the same sections")
    func borrowedVanishes() async throws {
        let folder = try StoreFolder()
        let copy = try folder.mount(Self.builder.bytes, named: "copy.car").path.string
        let origin = folder.path(of: "origin.car")
        var store = try folder.open()
        let mount = FileMount(FilePath(origin))
        try await store.register("a", from: mount, existingTransient: copy)
        try await store.register("b", from: mount, existingTransient: copy)
        #expect(try await ShardModel(Self.builder).problems(in: store.acquire("a")) == [])
        await store.close()
        try FileManager.default.moveItem(atPath: copy, toPath: origin)
        store = try folder.open()
        #expect(try await ShardModel(Self.builder).problems(in: store.acquire("a")) == [])
        await store.close()
        _ = try folder.mount(CARBuilder.manyMixed(seed: 2).bytes, named: "origin.car")
        store = try folder.open()
        for key in ["a", "b"] {
            await #expect(throws: DAGStoreError(.sourceChanged)) { try await store.acquire(key) }
        }
        await store.close()
    }

    @Test(
        "bytes that can be read anywhere are read in place, near or far",
        arguments: [true, false]
    )
    func inPlace(isNear: Bool) async throws {
        let folder = try StoreFolder()
        let mount = try CountingMount(
            Self.builder.bytes,
            access: isNear ? .mappable : .random
        )
        let store = try folder.open([mount])
        try await store.register("a", from: mount)
        let shard = try await store.acquire("a")
        for block in Self.builder.blocks.prefix(20) where !block.cid.isIdentity {
            let found = try #require(try await shard.block(for: block.cid))
            #expect(try found.copiedBytes == block.data)
            if !isNear {
                #expect(throws: DAGStoreError(.mountUnreachable)) {
                    try shard.blockIfLocal(for: block.cid)
                }
            }
        }
        #expect(folder.transients == [])
        await store.close()
    }
}
