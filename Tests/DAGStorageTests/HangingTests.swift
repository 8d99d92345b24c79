import DAGMounts
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

/// A mount that hangs, or gives up by itself, holds up nobody but those who wait for it.
@Suite("Hanging mounts")
struct HangingTests {
    private static let builder = CARBuilder.manyMixed(seed: 3)

    /// A mount that answers nothing until the gate opens, whatever is cancelled.
    private static func mount(hangingIn step: FaultyMount.Step) throws -> FaultyMount {
        let state = FaultyMount.State(.init(Self.builder.bytes))
        state.change {
            $0.hanging = [step]
            $0.heedsCancellation = false
        }
        return try FaultyMount(state)
    }

    @Test(
        "a store closes while forty registrations wait for a mount, and more come",
        arguments: [FaultyMount.Step.stat, .open, .read]
    )
    func closing(step: FaultyMount.Step) async throws {
        let folder = try StoreFolder()
        let mount = try Self.mount(hangingIn: step)
        for _ in 0..<6 {
            let store = try folder.open([mount])
            let count = store.keys.count
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        let key = try ShardKey("\(count)-\(number)")
                        _ = try? await store.register(key, from: mount, indexing: .inBackground)
                    }
                }
                group.addTask { await store.close(cancellingJobs: true) }
                try await group.waitForAll()
            }
        }
        mount.state.gate.open()
        let again = try folder.open([mount])
        for key in again.keys { try await again.acquire(key).release() }
        await again.close()
    }

    @Test("eight fetches that hang, and whose shards were destroyed, leave their places to others")
    func places() async throws {
        let folder = try StoreFolder()
        let hanging = try Self.mount(hangingIn: .read)
        let sound = try FaultyMount(
            FaultyMount.State(.init(Self.builder.bytes)),
            scheme: "sound"
        )
        let store = try folder.open([hanging, sound])
        for number in 0..<12 {
            let key = try ShardKey("hanging-\(number)")
            try await store.register(key, from: hanging, indexing: .inBackground)
        }
        await eventually { hanging.state.count(of: .read) == 8 }
        for number in 0..<12 { try await store.destroy("hanging-\(number)") }
        try await store.register(ShardKey("sound"), from: sound)
        #expect(try await ShardModel(Self.builder).problems(in: store.acquire("sound")) == [])
        await store.close(cancellingJobs: true)
        hanging.state.gate.open()
    }

    @Test("a fetch ends when its time is over, and is tried again", arguments: [false, true])
    func timeout(isIndexed: Bool) async throws {
        let folder = try StoreFolder()
        let mount = try Self.mount(hangingIn: .open)
        if isIndexed { mount.state.change { $0.hanging = [] } }
        let store = try folder.open([mount]) {
            $0.fetchTimeout = .seconds(2)
            $0.transientQuota = UInt64(Self.builder.bytes.count) * 3 / 2
            $0.idleShardsMax = 0
        }
        let key = try ShardKey("a")
        if isIndexed {
            try await store.register(key, from: mount)
            mount.state.change { $0.hanging = [.read] }
            _ = try await store.collectGarbage()
            let error = DAGStoreError(.fetchTimedOut)
            for _ in 0..<3 {
                await #expect(throws: error) { try await store.acquire(key) }
            }
            #expect(try store.state(of: "a") == .available)
        } else {
            await #expect(throws: DAGStoreError(.fetchTimedOut)) {
                try await store.register(key, from: mount)
            }
            #expect(try store.state(of: "a") == .failed)
        }
        mount.state.change { $0.hanging = [] }
        mount.state.gate.open()
        if !isIndexed { try await store.recover(key) }
        #expect(try await ShardModel(Self.builder).problems(in: store.acquire(key)) == [])
        await store.close()
    }

    @Test("a mount that says by itself that it was cancelled fails its shard, and not the store")
    func givesUp() async throws {
        let folder = try StoreFolder()
        let state = FaultyMount.State(.init(Self.builder.bytes))
        state.change {
            $0.failuresLeft[.open] = 1
            $0.failure = MountError(.cancelled, "gave up")
        }
        let mount = try FaultyMount(state)
        let store = try folder.open([mount])
        await #expect(throws: DAGStoreError(.fetchFailed)) {
            try await store.register(ShardKey("a"), from: mount)
        }
        #expect(try store.state(of: "a") == .failed)
        try await store.recover(ShardKey("a"))
        #expect(try await ShardModel(Self.builder).problems(in: store.acquire("a")) == [])
        await store.close()
    }
}
