import DAGMounts
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Full stores")
struct FullStoreTests {
    @Test("a full map refuses a registration and changes nothing", arguments: [1 << 20, 2 << 20])
    func fullMap(mapSize: Int) async throws {
        let folder = try StoreFolder()
        var store = try folder.open { $0.mapSize = mapSize }
        let builder = CARBuilder.manyMixed(seed: 1)
        try await store.register("first", folder.mount(builder.bytes))
        let large = try folder.mount(
            .manySections(count: 60_000, digestSize: 32, seed: 2),
            named: "l"
        )
        let before = try store.statistics()
        for _ in 0..<3 {
            await #expect(throws: DAGStoreError(.catalogFull)) {
                try await store.register("large", large)
            }
            #expect(try store.status(of: "large") == nil)
            let after = try store.statistics()
            #expect(after.shards == before.shards)
            #expect(after.indexBytes == before.indexBytes)
        }
        let small = CARBuilder.mixed(seed: 3)
        try await store.register("small", folder.mount(small.bytes, named: "small"))
        for _ in 0..<2 {
            #expect(store.keys == ["first", "small"])
            #expect(try await ShardModel(builder).problems(in: store.acquire("first")) == [])
            #expect(try await ShardModel(small).problems(in: store.acquire("small")) == [])
            await store.close()
            store = try folder.open { $0.mapSize = mapSize }
        }
        try await store.destroy("first")
        try await store.register("again", folder.mount(builder.bytes))
        await store.close()
    }

    // Indexes over 8 MiB are written in several transactions, so that the first of them is on disk when
    // there is no room for the next.
    @Test("a map that is full after the first batch gives the batch's room back")
    func fullAfterABatch() async throws {
        let folder = try StoreFolder()
        let mapSize = 19 << 19
        var store = try folder.open { $0.mapSize = mapSize }
        let small = CARBuilder.mixed(seed: 1)
        let large = try folder.mount(
            .manySections(count: 280_000, digestSize: 32, seed: 2),
            named: "large"
        )
        let medium = try folder.mount(
            .manySections(count: 50_000, digestSize: 32, seed: 3),
            named: "medium"
        )
        try await store.register("small", folder.mount(small.bytes))
        for round in 0..<2 {
            await #expect(throws: DAGStoreError(.catalogFull)) {
                try await store.register("large", large)
            }
            #expect(store.keys == ["small"])
            #expect(try await ShardModel(small).problems(in: store.acquire("small")) == [])
            try await store.register("medium", medium)
            try await store.destroy("medium")
            await store.close()
            store = try folder.open { $0.mapSize = mapSize }
            #expect(store.keys == ["small"], "round \(round)")
        }
        await store.close()
    }

    @Test("a store that is full to the brim is read, reopened and emptied")
    func fullToTheBrim() async throws {
        let folder = try StoreFolder()
        var store = try folder.open { $0.mapSize = 1 << 20 }
        let builder = CARBuilder.mixed(seed: 1)
        let mount = try folder.mount(builder.bytes)
        var count = 0
        await #expect(throws: DAGStoreError(.catalogFull)) {
            while count < 10_000 {
                try await store.register("\(count)", mount)
                count += 1
            }
        }
        #expect(count > 20)
        await store.close()
        store = try folder.open { $0.mapSize = 1 << 20 }
        #expect(store.keys == (0..<count).map { "\($0)" })
        #expect(try store.statistics().shards == UInt64(count))
        #expect(try await ShardModel(builder).problems(in: store.acquire("\(count - 1)")) == [])
        for key in store.keys { try await store.destroy(key) }
        #expect(store.keys == [])
        #expect(try store.statistics().indexBytes == 0)
        try await store.register("again", mount)
        await store.close()
    }

    // A limit on the size of files stands in for a full disk. Where there is some room, a write is cut short,
    // which LMDB reports as an I/O error.
    @Test(
        "a full disk refuses a registration, and the store goes on afterwards",
        arguments: [0, 1 << 20]
    )
    func fullDisk(room: Int) async throws {
        let folder = try StoreFolder()
        _ = try folder.mount(CARBuilder.manyMixed(seed: 1).bytes, named: "small")
        let large = [UInt8].manySections(count: 100_000, digestSize: 32, seed: 2)
        _ = try folder.mount(large, named: "large")
        await #expect(processExitsWith: .success) {
            [path = folder.path as String, room = room as Int] in
            signal(SIGXFSZ, SIG_IGN)
            let small = DAGMounts.FileMount(FilePath(path + "/small"))
            let large = DAGMounts.FileMount(FilePath(path + "/large"))
            let model = ShardModel(.manyMixed(seed: 1))
            var store = try StoreFolder.open(path + "/store")
            try await store.register("a", small)
            let size = try store.statistics().catalogFileBytes
            try FileSizeLimit.set(Int(size) + room)
            for _ in 0..<2 {
                await #expect(throws: DAGStoreError(.catalogFull)) {
                    try await store.register("large", large)
                }
            }
            #expect(store.keys == ["a"])
            #expect(try await model.problems(in: store.acquire("a")) == [])
            if room > 0 {
                #expect(await (try? store.register("b", small)) != nil)
                try await store.destroy("b")
            }
            await store.close()
            store = try StoreFolder.open(path + "/store")
            #expect(store.keys == ["a"])
            #expect(try await model.problems(in: store.acquire("a")) == [])
            try FileSizeLimit.set(nil)
            try await store.register("b", small)
            try await store.register("large", large)
            #expect(try store.status(of: "large")?.blockCount == 100_000)
            for key in ["a", "b"] {
                #expect(try await model.problems(in: store.acquire(key)) == [])
            }
            await store.close()
        }
    }

    @Test("a disk that is full for the spill file refuses the registration")
    func fullSpillFile() async throws {
        let folder = try StoreFolder()
        _ = try folder.mount(.manySections(count: 400_000, digestSize: 8, seed: 3))
        await #expect(processExitsWith: .success) { [path = folder.path as String] in
            signal(SIGXFSZ, SIG_IGN)
            let mount = DAGMounts.FileMount(FilePath(path + "/a.car"))
            let store = try StoreFolder.open(path + "/store") { $0.sortBudget = 0 }
            try FileSizeLimit.set(1 << 20)
            await #expect(throws: DAGStoreError(.catalogFull)) {
                try await store.register("a", mount)
            }
            #expect(store.keys == [])
            try FileSizeLimit.set(nil)
            try await store.register("a", mount)
            #expect(try store.status(of: "a")?.blockCount == 400_000)
            await store.close()
        }
    }

    // Found by a review: the opening of a shard over another file writes its record. When that failed, the gate
    // stayed open, leases were granted on a shard that was then forgotten, and a block was read from a mapping that
    // was gone. What the record says of the file is a hint, and a full disk is no reason not to read it.
    @Test("a shard that is opened over another file is read although that cannot be written down")
    func openingFails() async throws {
        await #expect(processExitsWith: .success) {
            let folder = try StoreFolder()
            let builder = CARBuilder.manyMixed(seed: 1)
            let copy = try folder.mount(builder.bytes, named: "copy.car").path
            let origin = folder.path(of: "origin.car")
            let store = try folder.open()
            try await store.register(
                ShardKey("a"),
                from: DAGMounts.FileMount(FilePath(origin)),
                existingTransient: copy
            )
            try FileManager.default.moveItem(atPath: copy.string, toPath: origin)
            signal(SIGXFSZ, SIG_IGN)
            try FileSizeLimit.set(4096)
            for _ in 0..<20 {
                let shard = try #require(try store.acquireIfAvailable(ShardKey("a")))
                #expect(try await ShardModel(builder).problems(in: shard) == [])
                shard.release()
                #expect(try store.statistics().leases == 0)
            }
            await store.close()
            try FileSizeLimit.set(nil)
            let again = try folder.open()
            #expect(try await ShardModel(builder).problems(in: again.acquire("a")) == [])
            await again.close()
        }
    }
}

/// This process's soft limit on the size of files.
enum FileSizeLimit {
    /// Sets the limit; nil takes it away.
    static func set(_ size: Int?) throws {
        #if canImport(Darwin)
            let resource = RLIMIT_FSIZE
        #else
            let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
        #endif
        var limit = rlimit()
        // SAFETY: the calls fill and read the structure.
        guard unsafe getrlimit(resource, &limit) == 0 else { throw Errno(rawValue: errno) }
        limit.rlim_cur = size.map { rlim_t($0) } ?? limit.rlim_max
        guard unsafe setrlimit(resource, &limit) == 0 else { throw Errno(rawValue: errno) }
    }
}
