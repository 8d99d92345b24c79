import DAGMounts
import DAGStorage
import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// What outlives the closing of a store, and what does not.
@Suite("After closing")
struct OutlivingTests {
    private static let builder = CARBuilder.manyMixed(seed: 5)

    @Test(
        "a store that is closed with leases can be opened again at once, and the leases go on",
        arguments: [false, true]
    )
    func reopened(isReadOnly: Bool) async throws {
        let folder = try StoreFolder()
        let first = try folder.open()
        try await first.register("a", folder.mount(Self.builder.bytes))
        if isReadOnly { await first.close() }
        let store = isReadOnly ? try folder.open { $0.isReadOnly = true } : first
        let leases = try await [store.acquire("a"), store.acquire("a")]
        await store.close()
        // What the leases read is taken away and written over by the next owner, as far as that can be.
        let next = try isReadOnly ? folder.open { $0.isReadOnly = true } : folder.open()
        #expect(next.keys == ["a"])
        if !isReadOnly {
            try await next.destroy("a")
            for number in 0..<40 {
                let car = CARBuilder.manyMixed(seed: UInt64(100 + number))
                let mount = try folder.mount(car.bytes, named: "\(number).car")
                try await next.register("\(number)", mount)
                if number % 2 == 0 { try await next.destroy("\(number)") }
            }
        }
        for lease in leases {
            #expect(try await ShardModel(Self.builder).problems(in: lease) == [])
            lease.release()
        }
        if !isReadOnly { #expect(try await next.check().problems == []) }
        await next.close()
        let last = try folder.open()
        #expect(last.keys.count == (isReadOnly ? 1 : 20))
        await last.close()
    }

    @Test("another process may write a store whose last owner is gone but for leases")
    func otherProcess() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        try await store.register("a", folder.mount(Self.builder.bytes))
        let lease = try await store.acquire("a")
        await store.close()
        await #expect(processExitsWith: .success) { [path = folder.path as String] in
            let store = try StoreFolder.open(path + "/store")
            try await store.destroy("a")
            for number in 0..<20 {
                let car = CARBuilder.manyMixed(seed: UInt64(200 + number))
                let file = "\(path)/\(number).car"
                try Data(car.bytes).write(to: URL(filePath: file))
                try await store.register("\(number)", .init(FilePath(file)))
            }
            await store.close()
        }
        #expect(try await ShardModel(Self.builder).problems(in: lease) == [])
        lease.release()
        let again = try folder.open()
        #expect(again.keys.count == 20)
        #expect(try await again.check().problems == [])
        await again.close()
    }

    @Test("stores are opened and closed while leases of each are held, and all go at last")
    func chain() async throws {
        let folder = try StoreFolder()
        var leases: [Shard] = []
        for round in 0..<5 {
            let store = try folder.open()
            if round == 0 { try await store.register("a", folder.mount(Self.builder.bytes)) }
            leases.append(try await store.acquire("a"))
            await store.close()
        }
        for place in [2, 0, 4, 1, 3] {
            #expect(try await ShardModel(Self.builder).problems(in: leases[place]) == [])
            leases[place].release()
        }
        let report = try DAGStore.compact(at: FilePath(folder.storePath), mapSize: 1 << 32)
        #expect(report.bytesAfter > 0)
    }

    @Test(
        "a fetch that hangs over the end of its store leaves the next owner's copy alone",
        arguments: [true, false]
    )
    func hangingFetch(isWhole: Bool) async throws {
        let folder = try StoreFolder()
        let state = FaultyMount.State(.init(Self.builder.bytes))
        state.change {
            $0.hanging = [.read]
            $0.heedsCancellation = false
        }
        let hanging = try FaultyMount(state)
        let sound = try FaultyMount(FaultyMount.State(.init(Self.builder.bytes)))
        let store = try folder.open([hanging])
        try await store.register(ShardKey("a"), from: hanging, indexing: .inBackground)
        await state.gate.waitForArrivals(1)
        await store.close(cancellingJobs: true)
        let next = try folder.open([sound])
        try await next.initialize("a")
        let copies = folder.transients
        #expect(copies.count == 1)
        #expect(copies.allSatisfy { $0.hasSuffix(".complete") })
        if !isWhole { state.change { $0.bytes = [1, 2, 3] } }
        state.change { $0.hanging = [] }
        state.gate.open()
        // The last reference goes when the source has come back and its copy was given up.
        await eventually { folder.transients == copies }
        #expect(try await ShardModel(Self.builder).problems(in: next.acquire("a")) == [])
        #expect(try await next.check().problems == [])
        await next.close()
        let last = try folder.open([sound])
        #expect(folder.transients == copies)
        #expect(try await ShardModel(Self.builder).problems(in: last.acquire("a")) == [])
        await last.close()
    }

    @Test(
        "who is told how far an indexing is may register, and wait for it, with one place for indexing"
    )
    func progress() async throws {
        let folder = try StoreFolder()
        let store = try folder.open { $0.concurrentIndexing = 1 }
        let large = CARBuilder.uniform(sections: 80, blockSize: 500_000, seed: 1)
        let small = try folder.mount(
            CARBuilder.uniform(sections: 6000, blockSize: 500, seed: 2).bytes,
            named: "b"
        )
        let told = Atomic(0)
        try await store.register(
            ShardKey("a"),
            from: try folder.mount(large.bytes),
            progress: { _ in
                guard told.add(1, ordering: .relaxed).newValue == 1 else { return }
                let bell = DispatchSemaphore(value: 0)
                try? store.register(
                    ShardKey("b"),
                    from: small.url,
                    indexing: .now,
                    existingTransient: nil,
                    progress: nil
                ) { _ in bell.signal() }
                bell.wait()
            }
        )
        #expect(told.load(ordering: .relaxed) > 0)
        #expect(try store.state(of: "a") == .available)
        #expect(try store.state(of: "b") == .available)
        await store.close()
    }
}
