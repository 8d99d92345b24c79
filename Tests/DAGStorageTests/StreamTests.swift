import DAGMounts
import DAGStorage
import TestSupport
import Testing

@Suite("Streams")
struct StreamTests {
    static let builder = CARBuilder.manyMixed(seed: 1)

    /// A store with 16 shards that have failed.
    private func hopeless(
        in folder: StoreFolder,
        _ change: (inout Configuration) -> Void = { _ in }
    )
        async throws -> DAGStore
    {
        let store = try folder.open(change)
        let junk = try folder.mount([1, 2, 3], named: "junk.car")
        for number in 0..<16 {
            _ = await errorCode { try await store.register("\(number)", junk) }
        }
        return store
    }

    @Test("an interrupted registration is taken up: register, initialize, makeAvailable")
    func resumed() async throws {
        let folder = try StoreFolder()
        let state = FaultyMount.State(FaultyMount.Faults(Self.builder.bytes))
        state.change { $0.hanging = [.open] }
        let mount = try FaultyMount(state)
        let store = try folder.open([mount])
        try await store.register("a", from: mount, indexing: .inBackground)
        await store.close(cancellingJobs: true)
        state.change { $0.hanging = [] }
        let again = try folder.open([mount])
        var reader = EventReader(again)
        let events = await reader.take(until: .makeAvailable)
        #expect(events.operations == [.register, .initialize, .makeAvailable])
        #expect(events.map(\.state) == [.registered, .initializing, .available])
        #expect(events.map(\.number) == [1, 2, 3])
        await again.close()
        #expect(await reader.rest() == [])
    }

    @Test("hopeless shards are recovered four times by themselves, and not once more")
    func recoverByItself() async throws {
        let folder = try StoreFolder()
        let store = try folder.open { $0.automaticRecoveries = 4 }
        var reader = EventReader(store)
        let junk = try folder.mount([1, 2, 3], named: "junk.car")
        for number in 0..<16 {
            _ = await errorCode { try await store.register("\(number)", junk) }
        }
        let events = await reader.take(until: .fail, count: 80)
        await store.close()
        let all = events + (await reader.rest())
        #expect(
            all.counts == [.register: 16, .initialize: 16, .fail: 80, .recover: 64]
        )
    }

    @Test("what has failed before is recovered at open, by the first lease, or not at all")
    func policies() async throws {
        let folder = try StoreFolder()
        try await hopeless(in: folder).close()
        var store = try folder.open()
        var reader = EventReader(store)
        await store.close()
        #expect(await reader.rest() == [])

        store = try folder.open { $0.recovery = .atOpen }
        reader = EventReader(store)
        let recovered = await reader.take(until: .fail, count: 16)
        await store.close()
        #expect((recovered + (await reader.rest())).counts == [.recover: 16, .fail: 16])

        store = try folder.open { $0.recovery = .onAcquire }
        reader = EventReader(store)
        for _ in 0..<2 {
            for number in 0..<16 {
                await #expect(throws: DAGStoreError(.malformedCAR)) {
                    try await store.acquire("\(number)")
                }
            }
        }
        await store.close()
        let events = await reader.rest()
        // 48 events in the first round, 16 in the second.
        #expect(
            events.prefix(48).reduce(into: [:]) { $0[$1.operation, default: 0] += 1 }
                == [.acquire: 16, .recover: 16, .fail: 16]
        )
        #expect(events.dropFirst(48).map(\.operation) == Array(repeating: .acquire, count: 16))
    }

    @Test("failures are told, again after a recovery that fails, and not after one that does not")
    func failures() async throws {
        let folder = try StoreFolder()
        let store = try await hopeless(in: folder)
        var failures = store.failures().makeAsyncIterator()
        for number in 0..<16 {
            await #expect(throws: DAGStoreError(.malformedCAR)) {
                try await store.recover("\(number)")
            }
            let failure = await failures.next()
            #expect(failure?.key.text == "\(number)")
            #expect(failure?.error == DAGStoreError(.malformedCAR))
        }
        _ = try folder.mount(Self.builder.bytes, named: "junk.car")
        for number in 0..<16 { try await store.recover("\(number)") }
        #expect(try store.statistics().available == 16)
        await store.close()
        #expect(await failures.next() == nil)
    }

    // Faults 9 and 24: one reader that stops reading stalls everything.
    @Test("a reader that never reads loses the oldest events, and holds up nobody")
    func slowReader() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let lazyReader = store.events(bufferingNewest: 3)
        var reader = EventReader(store)
        try await store.register("a", folder.mount(Self.builder.bytes))
        for _ in 0..<10 { try await store.acquire("a").release() }
        try await store.destroy("a")
        let events = await reader.take(until: .destroy)
        #expect(events.counts[.acquire] == 10)
        #expect(events.counts[.release] == 10)
        #expect(try store.statistics().eventsDropped == UInt64(events.count - 3))
        await store.close()
        var kept: [ShardEvent] = []
        for await event in lazyReader { kept.append(event) }
        #expect(kept == events.suffix(3))
    }
}
