import DAGMounts
import DAGStorage
import Synchronization
import TestSupport
import Testing

@Suite("What stays here of shards that are elsewhere")
struct PolicyTests {
    private static let builder = CARBuilder.manyMixed(seed: 9)

    /// Random bytes elsewhere, and how often they were asked for.
    private static func elsewhere(_ access: MountAccess = .random) throws -> CountingMount {
        try CountingMount(builder.bytes, access: access)
    }

    private static func problems(_ key: String, in store: DAGStore) async throws -> [String] {
        let shard = try await store.acquire(key)
        defer { shard.release() }
        return try await problems(in: shard)
    }

    /// The blocks that a lease does not return as they are.
    private static func problems(in shard: Shard) async throws -> [String] {
        var problems: [String] = []
        for block in builder.blocks {
            let bytes = try await shard.block(for: block.cid)?.copiedBytes
            if bytes != block.data { problems.append("\(block.cid)") }
        }
        return problems
    }

    @Test("under copy a random mount is copied once, and the policy outlives the store")
    func copied() async throws {
        let folder = try StoreFolder()
        let mount = try Self.elsewhere()
        let store = try folder.open([mount])
        let status = try await store.register(ShardKey("a"), from: mount, policy: .copy)
        #expect(status.policy == .copy)
        #expect(status.state == .available)
        #expect(folder.transients.count == 1)
        #expect(try await Self.problems("a", in: store) == [])
        await store.close()
        let bytes = mount.state.counts.bytes
        #expect(bytes == Self.builder.bytes.count)
        let again = try folder.open([mount])
        #expect(try again.status(of: "a")?.policy == .copy)
        #expect(try await Self.problems("a", in: again) == [])
        #expect(mount.state.counts.bytes == bytes)
        #expect(try await again.check().problems == [])
        await again.close()
    }

    @Test(
        "a mount of this machine is read in place, and a sequential one copied, whatever the policy",
        arguments: [MountAccess.mappable, .sequential],
        MountPolicy.allCases
    )
    func unaffected(access: MountAccess, policy: MountPolicy) async throws {
        let folder = try StoreFolder()
        let mount = try Self.elsewhere(access)
        let store = try folder.open([mount])
        try await store.register(ShardKey("a"), from: mount, policy: policy)
        #expect(folder.transients.count == (access == .sequential ? 1 : 0))
        #expect(try await Self.problems("a", in: store) == [])
        await store.close()
    }

    @Test("away from copy the copy is not read and may go; back to it, the next use copies")
    func changed() async throws {
        let folder = try StoreFolder()
        let mount = try Self.elsewhere()
        let store = try folder.open([mount])
        let key = try ShardKey("a")
        try await store.register(key, from: mount, policy: .copy)
        #expect(try await Self.problems("a", in: store) == [])
        let copied = mount.state.counts
        let status = try await store.setPolicy(of: key, to: .remote)
        #expect(status.policy == .remote)
        #expect(mount.state.counts == copied)
        #expect(try await Self.problems("a", in: store) == [])
        #expect(mount.state.counts.opens == copied.opens + 1)
        let report = try await store.collectGarbage()
        #expect(report.transients.map(\.result) == [.removed])
        #expect(folder.transients == [])
        #expect(try await Self.problems("a", in: store) == [])
        try await store.setPolicy(of: key, to: .copy)
        #expect(folder.transients == [])
        #expect(try await Self.problems("a", in: store) == [])
        #expect(folder.transients.count == 1)
        await store.close()
    }

    @Test("a lease keeps its source, and the shard takes the new policy when it has none")
    func leased() async throws {
        let folder = try StoreFolder()
        let mount = try Self.elsewhere()
        let store = try folder.open([mount])
        try await store.register("a", from: mount)
        let lease = try await store.acquire("a")
        try await store.setPolicy(of: ShardKey("a"), to: .copy)
        try await store.acquire("a").release()
        #expect(try await Self.problems(in: lease) == [])
        #expect(folder.transients == [])
        lease.release()
        // The store closes the shard shortly after its last lease.
        while folder.transients.isEmpty {
            try await store.acquire("a").release()
            await Task.yield()
        }
        #expect(try await Self.problems("a", in: store) == [])
        await store.close()
    }

    @Test("a relocation may change the policy with the mount, and keeps it otherwise")
    func relocated() async throws {
        let folder = try StoreFolder()
        let mount = try Self.elsewhere()
        let store = try folder.open([mount])
        let key = try ShardKey("a")
        try await store.register("a", folder.mount(Self.builder.bytes))
        #expect(try await store.relocate(key, to: mount, policy: .copy).policy == .copy)
        #expect(folder.transients.count == 1)
        let status = try await store.relocate(key, to: mount)
        #expect(status.policy == .copy)
        #expect(try await Self.problems("a", in: store) == [])
        await store.close()
    }

    @Test("a change of a shard that is not there, or in a store for readers, is refused")
    func refused() async throws {
        let folder = try StoreFolder()
        let mount = try Self.elsewhere()
        let store = try folder.open([mount])
        try await store.register("a", from: mount)
        await #expect(throws: DAGStoreError(.shardUnknown)) {
            try await store.setPolicy(of: ShardKey("b"), to: .copy)
        }
        await store.close()
        await #expect(throws: DAGStoreError(.closed)) {
            try await store.setPolicy(of: ShardKey("a"), to: .copy)
        }
        let reader = try folder.open([mount]) { $0.isReadOnly = true }
        await #expect(throws: DAGStoreError(.readOnly)) {
            try await reader.setPolicy(of: ShardKey("a"), to: .copy)
        }
        #expect(try reader.status(of: "a")?.policy == .automatic)
        await reader.close()
    }

    @Test("a shard that is being fetched takes a policy, and its fetch goes on")
    func fetching() async throws {
        let folder = try StoreFolder()
        var faults = FaultyMount.Faults(Self.builder.bytes)
        faults.hanging = [.open]
        let state = FaultyMount.State(faults)
        let mount = try FaultyMount(state, access: .random)
        let store = try folder.open([mount])
        let key = try ShardKey("a")
        try await store.register(key, from: mount, indexing: .inBackground, policy: .remote)
        await eventually { state.count(of: .open) == 1 }
        // The same registration again joins the first one; another policy makes it another one.
        try await store.register(key, from: mount, indexing: .inBackground, policy: .remote)
        await #expect(throws: DAGStoreError(.shardExists)) {
            try await store.register(key, from: mount, indexing: .inBackground, policy: .cache)
        }
        try await store.setPolicy(of: key, to: .copy)
        state.gate.open()
        try await store.initialize(key)
        #expect(try store.status(of: "a")?.state == .available)
        #expect(try store.status(of: "a")?.policy == .copy)
        #expect(folder.transients == [])
        #expect(try await Self.problems("a", in: store) == [])
        #expect(folder.transients.count == 1)
        await store.close()
    }

    /// A mount that tells the policies it was given, and counts a request for each opening.
    private struct ObservedMount: Mount {
        let mount: CountingMount
        let policies: Policies
        var counter: TrafficCounter?

        final class Policies: Sendable {
            let all = Mutex<Set<MountPolicy>>([])
        }

        var url: MountURL { mount.url }
        var access: MountAccess { .random }
        func resolving(_ url: MountURL) throws -> ObservedMount {
            ObservedMount(mount: try mount.resolving(url), policies: policies)
        }
        func applying(_ policy: MountPolicy) -> ObservedMount {
            _ = policies.all.withLock { $0.insert(policy) }
            return self
        }
        func counting(in counter: TrafficCounter) -> ObservedMount {
            ObservedMount(mount: mount, policies: policies, counter: counter)
        }
        func stat() async throws -> MountStat { try await mount.stat() }
        func open() async throws -> MountSource {
            counter?.count(Traffic(requests: 1, bytes: 10))
            return try await mount.open()
        }
    }

    @Test("a mount gets the policy and a counter, and the store adds up shards and schemes")
    func traffic() async throws {
        let folder = try StoreFolder()
        let state = CountingMount.State()
        state.set("one", Self.builder.bytes)
        state.set("two", Self.builder.bytes)
        let mount = ObservedMount(
            mount: try CountingMount(in: state, access: .random),
            policies: .init()
        )
        let store = try folder.open([mount])
        for key in ["one", "two"] {
            try await store.register(
                ShardKey(key),
                from: MountURL("counting://\(key)"),
                policy: .cache
            )
        }
        try await store.register("local", folder.mount(Self.builder.bytes))
        #expect(mount.policies.all.withLock { $0.contains(.cache) })
        let opened = Traffic(requests: 1, bytes: 10)
        #expect(try store.status(of: "one")?.traffic == opened)
        try await store.acquire("two").release()
        #expect(try store.status(of: "two")?.traffic == Traffic(requests: 2, bytes: 20))
        #expect(try store.status(of: "local")?.traffic == nil)
        let total = Traffic(requests: 3, bytes: 30)
        #expect(try store.statistics().trafficByScheme == ["counting": total])
        try await store.destroy("two")
        #expect(try store.statistics().traffic == total)
        #expect(try store.traffic(ofScheme: "counting") == total)
        #expect(try store.traffic(ofScheme: "file") == Traffic())
        await store.close()
        let again = try folder.open([mount])
        #expect(try again.status(of: "one")?.traffic == nil)
        await again.close()
    }
}
