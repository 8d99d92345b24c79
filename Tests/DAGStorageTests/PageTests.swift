import DAGMounts
import TestSupport
import Testing

@testable import DAGStorage

@Suite("Pages of shards", .timeLimit(.minutes(2)))
struct PageTests {
    private static let count = 300

    /// A store with available, registered and failed shards, and keys that differ in case and script.
    private static func store(_ folder: StoreFolder) async throws -> DAGStore {
        let store = try folder.open()
        let car = try folder.mount(CARBuilder.uniform(sections: 2, blockSize: 10, seed: 1).bytes)
        let junk = FileMount(FilePath(folder.path(of: "not-there.car")))
        for number in 0..<count {
            let key = try ShardKey("Key-\(number)/\(number % 3 == 0 ? "\u{e9}" : "x")")
            switch number % 3 {
            case 0: try await store.register(key, from: car)
            case 1: try await store.register(key, from: car, indexing: .onFirstUse)
            default:
                await #expect(throws: DAGStoreError.self) {
                    try await store.register(key, from: junk)
                }
            }
        }
        return store
    }

    private static func all(
        _ store: DAGStore,
        limit: Int,
        _ filter: ShardFilter
    ) throws -> [ShardStatus] {
        var found: [ShardStatus] = []
        var last: UInt32?
        while true {
            let page = try store.shards(after: last, limit: limit, filter: filter)
            #expect(page.shards.count <= limit)
            found += page.shards
            guard let next = page.next else { return found }
            #expect(last.map { next > $0 } ?? true)
            last = next
        }
    }

    @Test("pages of any size have exactly the shards that pass the filter")
    func filters() async throws {
        let folder = try StoreFolder()
        let store = try await Self.store(folder)
        var every: [ShardStatus] = []
        for try await status in store.statuses() { every.append(status) }
        #expect(every.count == Self.count)
        let lease = try await store.acquire(ShardKey("Key-0/\u{e9}"))
        let states: [Set<ShardStatus.State>] = [
            [], [.available], [.registered], [.failed], [.serving], [.available, .serving],
            [.registered, .failed], [.recovering],
        ]
        for chosen in states {
            for text in [
                "", "key-1", "KEY-29", "/\u{e9}", "not-there", "FILE://", "nowhere", "-7/",
            ] {
                var filter = ShardFilter()
                filter.states = chosen
                filter.text = text
                var expected: [String] = []
                for shard in every {
                    let state = try store.status(of: shard.key)?.state ?? shard.state
                    let lower = text.lowercased()
                    let isNamed =
                        text.isEmpty || shard.key.text.lowercased().contains(lower)
                        || shard.mountURL.lowercased().contains(lower)
                    if isNamed, chosen.isEmpty || chosen.contains(state) {
                        expected.append(shard.key.text)
                    }
                }
                for limit in [1, 7, 1000] where limit > 1 || expected.count < 20 {
                    let found = try Self.all(store, limit: limit, filter).map(\.key.text)
                    #expect(found == expected, "\(chosen) \(text) \(limit)")
                }
            }
        }
        lease.release()
        await store.close()
    }

    @Test("the counts of states are those of the shards")
    func counts() async throws {
        let folder = try StoreFolder()
        let store = try await Self.store(folder)
        let lease = try await store.acquire(ShardKey("Key-3/\u{e9}"))
        // A failed shard with a lease from before.
        let car = CARBuilder.uniform(sections: 3, blockSize: 10, seed: 77).bytes
        try await store.register("lost", folder.mount(car, named: "lost.car"))
        let lost = try await store.acquire(ShardKey("lost"))
        var failures = store.failures().makeAsyncIterator()
        lost.reportLoss()
        #expect(await failures.next()?.key == lost.key)
        var expected: [ShardStatus.State: UInt64] = [:]
        for try await status in store.statuses() { expected[status.state, default: 0] += 1 }
        let counts = try store.stateCounts().counts
        #expect(counts.filter { $0.value > 0 } == expected)
        #expect(expected[.serving] == 1)
        #expect(try store.status(of: ShardKey("lost"))?.state == .failed)
        lost.release()
        lease.release()
        await store.close()
    }

    @Test("events without leases come only for changes, and skip numbers")
    func eventsWithoutLeases() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let car = try folder.mount(CARBuilder.uniform(sections: 2, blockSize: 10, seed: 1).bytes)
        let events = store.events(includingLeases: false)
        try await store.register(ShardKey("a"), from: car)
        for _ in 0..<3 { try await store.acquire(ShardKey("a")).release() }
        try await store.destroy(ShardKey("a"))
        await store.close()
        var operations: [ShardEvent.Operation] = []
        var numbers: [UInt64] = []
        for await event in events {
            operations.append(event.operation)
            numbers.append(event.number)
        }
        #expect(!operations.contains { $0.isLease })
        #expect(operations.first == .register && operations.last == .destroy)
        #expect(numbers == numbers.sorted())
        #expect((numbers.last ?? 0) > UInt64(numbers.count))
    }
}
