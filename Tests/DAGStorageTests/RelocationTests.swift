import DAGMounts
import DAGMultiformats
import DAGStorage
import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// A word from one thread to others.
private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}

@Suite("Shards that get another mount")
struct RelocationTests {
    private static let builder = CARBuilder.manyMixed(seed: 8)

    @Test(
        "leases go on with the old source, and new ones read the new one",
        arguments: [MountAccess.sequential, .random]
    )
    func open(access: MountAccess) async throws {
        let folder = try StoreFolder()
        let elsewhere = try CountingMount(Self.builder.bytes, access: access)
        let store = try folder.open([elsewhere])
        let mount = try folder.mount(Self.builder.bytes)
        try await store.register("a", mount)
        let generation = try store.status(of: "a")?.stateSince
        let old = try await store.acquire("a")
        let status = try await store.relocate(ShardKey("a"), to: elsewhere)
        #expect(status.mountURL == elsewhere.url.text)
        #expect(status.stateSince == generation)
        try FileManager.default.removeItem(atPath: mount.path.string)
        #expect(try await ShardModel(Self.builder).problems(in: old) == [])
        let new = try await store.acquire("a")
        for block in Self.builder.blocks.prefix(50) where !block.cid.isIdentity {
            #expect(try await new.block(for: block.cid)?.copiedBytes == block.data)
        }
        old.release()
        new.release()
        await store.close()
        let again = try folder.open([elsewhere])
        if access == .sequential {
            #expect(try await ShardModel(Self.builder).problems(in: again.acquire("a")) == [])
            #expect(folder.transients.count == 1)
        }
        #expect(try await again.check().problems == [])
        await again.close()
    }

    @Test(
        "leases come and go while a shard is relocated over and over, and none reads what is gone"
    )
    func race() async throws {
        let folder = try StoreFolder()
        let mount = try folder.mount(Self.builder.bytes)
        let copy = try folder.mount(Self.builder.bytes, named: "copy.car")
        let store = try folder.open()
        try await store.register("a", mount)
        let block = try #require(Self.builder.blocks.first { !$0.cid.isIdentity })
        let key = try ShardKey("a")
        let isOver = Flag()
        let readers = Readers(count: 3) { _ in
            guard !isOver.isSet else { throw DAGStoreError(.cancelled, "over") }
            let shard = try store.acquire(key, .endless)
            defer { shard.release() }
            for _ in 0..<4 {
                guard try shard.blockIfLocal(for: block.cid)?.copiedBytes == block.data else {
                    throw DAGStoreError(.hashMismatch, "other bytes")
                }
                sched_yield()
            }
        }
        for round in 0..<300 {
            try await store.relocate(key, to: round % 2 == 0 ? copy : mount)
        }
        isOver.set()
        #expect(await readers.errors == Array(repeating: DAGStoreError(.cancelled), count: 3))
        let lease = try await store.acquire(key)
        try await store.relocate(key, to: copy)
        await store.close()
        #expect(try await ShardModel(Self.builder).problems(in: lease) == [])
        lease.release()
        // The last lease has given everything back.
        await eventually {
            (try? DAGStore.compact(at: FilePath(folder.storePath), mapSize: 1 << 32)) != nil
        }
    }

    @Test("a policy that changes while a new source is compared is the shard's afterwards")
    func policy() async throws {
        let folder = try StoreFolder()
        let state = FaultyMount.State(.init(Self.builder.bytes))
        state.change { $0.hanging = [.read] }
        let elsewhere = try FaultyMount(state, access: .random)
        let store = try folder.open([elsewhere])
        let key = try ShardKey("a")
        try await store.register("a", folder.mount(Self.builder.bytes))
        async let relocated = store.relocate(key, to: elsewhere)
        await state.gate.waitForArrivals(1)
        try await store.setPolicy(of: key, to: .copy)
        // The shard opens again under the new policy, with the old mount.
        try await store.acquire(key).release()
        state.gate.open()
        #expect(try await relocated.policy == .copy)
        #expect(folder.transients == [])
        try await store.acquire(key).release()
        #expect(folder.transients.count == 1)
        await store.close()
    }

    @Test("a source that differs, or is not there, leaves the shard as it was")
    func refused() async throws {
        let folder = try StoreFolder()
        let state = FaultyMount.State(.init(CARBuilder.manyMixed(seed: 9).bytes))
        let other = try FaultyMount(state)
        let store = try folder.open([other]) { $0.fetchTimeout = .milliseconds(200) }
        let mount = try folder.mount(Self.builder.bytes)
        try await store.register("a", mount)
        let key = try ShardKey("a")
        #expect(await errorCode { try await store.relocate(key, to: other) } == .sourceChanged)
        state.change { $0.bytes = nil }
        #expect(await errorCode { try await store.relocate(key, to: other) } == .mountGone)
        state.change {
            $0.bytes = Self.builder.bytes
            $0.hanging = [.read]
        }
        #expect(await errorCode { try await store.relocate(key, to: other) } == .fetchTimedOut)
        #expect(
            await errorCode { try await store.relocate(key, to: MountURL("nobody://x")) }
                == .unknownScheme
        )
        #expect(
            await errorCode { try await store.relocate(ShardKey("b"), to: mount) } == .shardUnknown
        )
        #expect(try store.status(of: "a")?.mountURL == mount.url.text)
        #expect(folder.transients.allSatisfy { !$0.hasSuffix(".complete") })
        #expect(try await ShardModel(Self.builder).problems(in: store.acquire("a")) == [])
        state.gate.open()
        await store.close()
        #expect(await errorCode { try await store.relocate(key, to: mount) } == .closed)
    }

    @Test(
        "a shard that is being fetched is refused, and one that was never indexed gets its mount unseen"
    )
    func unfinished() async throws {
        let folder = try StoreFolder()
        let state = FaultyMount.State(.init(Self.builder.bytes))
        state.change { $0.hanging = [.read] }
        let slow = try FaultyMount(state)
        let store = try folder.open([slow])
        let key = try ShardKey("a")
        let mount = try folder.mount(Self.builder.bytes)
        try await store.register(key, from: slow, indexing: .inBackground)
        await state.gate.waitForArrivals(1)
        #expect(await errorCode { try await store.relocate(key, to: mount) } == .shardInUse)
        state.gate.open()
        let lazy = try ShardKey("lazy")
        let gone = FileMount(FilePath(folder.path(of: "gone.car")))
        try await store.register(lazy, from: gone, indexing: .onFirstUse)
        try await store.relocate(lazy, to: mount)
        #expect(try store.state(of: "lazy") == .registered)
        #expect(try await ShardModel(Self.builder).problems(in: store.acquire(lazy)) == [])
        await store.close()
    }
}
