import DAGCAR
import DAGMounts
import DAGStorage
import TestSupport
import Testing

@Suite("Lifecycle")
struct LifecycleTests {
    static let builder = CARBuilder.manyMixed(seed: 1)

    @Test("a lazy shard is fetched once for 16 who acquire it at once")
    func lazy() async throws {
        let folder = try StoreFolder()
        let mount = try CountingMount(Self.builder.bytes)
        let store = try folder.open([mount])
        try await store.register("a", from: mount, indexing: .onFirstUse)
        #expect(mount.state.counts == CountingMount.Counts())
        #expect(try store.state(of: "a") == .registered)
        let shards = try await withThrowingTaskGroup(of: Shard.self) { group in
            for _ in 0..<16 { group.addTask { try await store.acquire("a") } }
            return try await group.reduce(into: [Shard]()) { $0.append($1) }
        }
        #expect(mount.state.counts.opens == 1)
        #expect(try store.status(of: "a")?.references == 16)
        #expect(try await ShardModel(Self.builder).problems(in: shards[0]) == [])
        for shard in shards { shard.release() }
        #expect(try store.state(of: "a") == .available)
        await store.close()
    }

    @Test("a registration in the background is answered before it is indexed")
    func inBackground() async throws {
        let folder = try StoreFolder()
        let state = FaultyMount.State(FaultyMount.Faults(Self.builder.bytes))
        state.change { $0.hanging = [.open] }
        let mount = try FaultyMount(state)
        let store = try folder.open([mount])
        let status = try await store.register("a", from: mount, indexing: .inBackground)
        #expect(status.state == .initializing)
        await state.gate.waitForArrivals(1)
        #expect(try store.acquireIfAvailable(ShardKey("a")) == nil)
        state.gate.open()
        let shard = try await store.acquire("a")
        #expect(try await ShardModel(Self.builder).problems(in: shard) == [])
        await store.close()
    }

    @Test(
        "a mount that hangs holds nobody: deadline, cancellation, destruction and close go through",
        arguments: FaultyMount.Step.allCases,
        [true, false]
    )
    func hanging(step: FaultyMount.Step, heedsCancellation: Bool) async throws {
        let folder = try StoreFolder()
        let state = FaultyMount.State(FaultyMount.Faults(Self.builder.bytes))
        state.change {
            $0.hanging = [step]
            $0.heedsCancellation = heedsCancellation
        }
        let mount = try FaultyMount(state)
        let store = try folder.open([mount])
        try await store.register("other", folder.mount(Self.builder.bytes))
        try await store.register("a", from: mount, indexing: .onFirstUse)
        await #expect(throws: DAGStoreError(.deadlineExceeded)) {
            try await store.acquire(
                ShardKey("a"),
                deadline: .now + .milliseconds(20)
            )
        }
        await state.gate.waitForArrivals(1)
        let waiting = OwnedTask { try await store.acquire("a") }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        // The others notice nothing.
        try await store.acquire("other").release()
        let destroyed = OwnedTask { await errorCode { try await store.acquire("a") } }
        try await store.destroy("a")
        #expect(try await [.shardUnknown, .cancelled].contains(destroyed.value))
        #expect(try store.state(of: "a") == nil)
        try await store.register("b", from: mount, indexing: .inBackground)
        let closed = OwnedTask { await errorCode { try await store.acquire("b") } }
        await store.close(cancellingJobs: true)
        #expect(try await closed.value == .closed)
        state.gate.open()
        // What was not ended is taken up.
        state.change { $0.hanging = [] }
        let again = try folder.open([mount])
        #expect(again.keys == ["other", "b"])
        try await again.acquire("b").release()
        await again.close()
    }

    @Test("a caller that gives up leaves the indexing under way")
    func outlives() async throws {
        let folder = try StoreFolder()
        let state = FaultyMount.State(FaultyMount.Faults(Self.builder.bytes))
        state.change { $0.hanging = [.read] }
        let mount = try FaultyMount(state)
        let store = try folder.open([mount])
        let registering = OwnedTask { try await store.register("a", from: mount) }
        await state.gate.waitForArrivals(1)
        registering.cancel()
        await #expect(throws: CancellationError.self) { try await registering.value }
        #expect(try store.state(of: "a") == .initializing)
        state.gate.open()
        try await store.acquire("a").release()
        #expect(state.count(of: .open) == 1)
        await store.close()
    }

    @Test("five who wait for a lazy shard all get the error of its indexing")
    func parkedFail() async throws {
        let folder = try StoreFolder()
        let state = FaultyMount.State(FaultyMount.Faults([1, 2, 3]))
        state.change { $0.hanging = [.open] }
        let mount = try FaultyMount(state)
        let store = try folder.open([mount])
        try await store.register("a", from: mount, indexing: .onFirstUse)
        let codes = await withTaskGroup(of: DAGStoreError.Code?.self) { group in
            for _ in 0..<5 {
                group.addTask { await errorCode { try await store.acquire("a") } }
            }
            await state.gate.waitForArrivals(1)
            state.gate.open()
            return await group.reduce(into: [DAGStoreError.Code?]()) { $0.append($1) }
        }
        #expect(codes == Array(repeating: .malformedCAR, count: 5))
        #expect(try store.state(of: "a") == .failed)
        #expect(try store.statistics().leases == 0)
        await store.close()
    }

    @Test("16 sources are fetched five at a time, and those that are not ready hold no place")
    func throttle() async throws {
        let folder = try StoreFolder()
        let state = FaultyMount.State(FaultyMount.Faults(Self.builder.bytes))
        state.change { $0.hanging = [.open] }
        let slow = FaultyMount.State(FaultyMount.Faults(Self.builder.bytes))
        slow.change {
            $0.hanging = [.open]
            $0.isReady = false
        }
        let template = try FaultyMount(state)
        let unready = try FaultyMount(slow, scheme: "unready")
        let store = try folder.open([template, unready]) { $0.concurrentReadyFetches = 5 }
        for number in 0..<16 {
            let mount = try FaultyMount(state, name: "\(number)")
            try await store.register("\(number)", from: mount, indexing: .inBackground)
        }
        await state.gate.waitForArrivals(5)
        for number in 0..<8 {
            let mount = try FaultyMount(slow, name: "\(number)", scheme: "unready")
            try await store.register("unready \(number)", from: mount, indexing: .inBackground)
        }
        // All of these are asked at once, although no place is free.
        await slow.gate.waitForArrivals(8)
        #expect(state.count(of: .open) == 5)
        state.gate.open()
        slow.gate.open()
        for key in store.keys { try await store.initialize(key) }
        #expect(state.count(of: .open) == 16)
        await store.close()
    }

    @Test("an indexer of the user's own supplies entries, and wrong ones fail the shard")
    func customIndexer() async throws {
        let folder = try StoreFolder()
        let builder = Self.builder
        let mount = try folder.mount(builder.bytes)
        let store = try folder.open {
            $0.indexer = { source, add in
                guard source.key.text != "walked" else { return false }
                let shift: UInt64 = source.key.text == "wrong" ? 1 : 0
                for (block, section) in zip(builder.blocks, builder.sections) {
                    let size = section.end - section.offset
                    try add(
                        IndexerEntry(cid: block.cid, offset: section.offset + shift, size: size)
                    )
                }
                return true
            }
        }
        for key in ["supplied", "walked"] {
            try await store.register(key, mount)
            let shard = try await store.acquire(key)
            #expect(try await ShardModel(builder).problems(in: shard) == [], "\(key)")
        }
        await #expect(throws: DAGStoreError(.malformedIndex)) {
            try await store.register("wrong", mount)
        }
        #expect(try store.status(of: "wrong")?.error == DAGStoreError(.malformedIndex))
        await store.close()
    }
}
