import DAGMounts
import DAGMultiformats
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What the process itself lacks is never held against a shard.
@Suite("Resources of the process")
struct ResourceTests {
    private static let builder = CARBuilder.uniform(sections: 20, blockSize: 30, seed: 1)

    /// Limits the descriptors of this process.
    private static func limitDescriptors(to count: rlim_t) {
        var limit = rlimit()
        // SAFETY: the call fills the structure it is given.
        let read = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = count
        let written = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #expect(read == 0 && written == 0)
    }

    @Test("300 shards are leased at once by a process that may have 128 descriptors")
    func leases() async throws {
        let folder = try StoreFolder()
        for number in 0..<300 { _ = try folder.mount(Self.builder.bytes, named: "\(number)") }
        await #expect(processExitsWith: .success) { [path = folder.path as String] in
            ResourceTests.limitDescriptors(to: 128)
            let store = try StoreFolder.open(path + "/store")
            var shards: [Shard] = []
            for number in 0..<300 {
                try await store.register("\(number)", FileMount(FilePath(path + "/\(number)")))
                shards.append(try await store.acquire("\(number)"))
            }
            for shard in shards {
                for block in ResourceTests.builder.blocks {
                    #expect(try shard.blockIfLocal(for: block.cid)?.copiedBytes == block.data)
                }
            }
            #expect(try store.statistics().failed == 0)
            for shard in shards { shard.release() }
            await store.close()
        }
    }

    @Test("a shard that cannot be opened for want of descriptors is opened when there are some")
    func descriptors() async throws {
        let folder = try StoreFolder()
        for number in 0..<3 { _ = try folder.mount(Self.builder.bytes, named: "\(number)") }
        await #expect(processExitsWith: .success) { [path = folder.path as String] in
            let store = try StoreFolder.open(path + "/store")
            for number in 0..<3 {
                try await store.register("\(number)", FileMount(FilePath(path + "/\(number)")))
            }
            ResourceTests.limitDescriptors(to: 256)
            var taken: [FileDescriptor] = []
            while let next = try? FileDescriptor.open(FilePath("/dev/null"), .readOnly) {
                taken.append(next)
            }
            let error = DAGStoreError(.outOfResources)
            await #expect(throws: error) { try await store.acquire("0") }
            await #expect(throws: error) {
                try await store.register("3", FileMount(FilePath(path + "/2")))
            }
            #expect(try store.statistics().failed == 0)
            #expect(try store.status(of: "3") == nil)
            for descriptor in taken { try descriptor.close() }
            for number in 0..<3 {
                let shard = try await store.acquire("\(number)")
                #expect(try shard.contains(ResourceTests.builder.blocks[7].cid))
                shard.release()
            }
            await store.close()
        }
    }

    @Test("an index that finds no room fails nobody else whose change is in the same turn")
    func room() async throws {
        let folder = try StoreFolder()
        let large = try folder.mount(
            CARBuilder.uniform(sections: 90_000, blockSize: 1, seed: 1).bytes,
            named: "large"
        )
        let small = try folder.mount(Self.builder.bytes, named: "small")
        for _ in 0..<5 {
            let store = try folder.open { $0.mapSize = 2 << 20 }
            async let refused = errorCode { try await store.register("large", large) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        try await store.register(
                            ShardKey("\(number)"),
                            from: small,
                            indexing: .onFirstUse
                        )
                    }
                }
                try await group.waitForAll()
            }
            #expect(await refused == .catalogFull)
            for number in 0..<40 { try await store.destroy("\(number)") }
            await store.close()
        }
    }
}

/// Numbers from outside, as large as they can be.
@Suite("Large numbers")
struct LargeNumberTests {
    @Test("an idle time of 290 million years is as none")
    func idleTime() async throws {
        let folder = try StoreFolder()
        let store = try folder.open {
            $0.idleTimeMax = .milliseconds(Int64.max)
            $0.fetchTimeout = .milliseconds(Int64.max)
        }
        let mount = try folder.mount(CARBuilder(blocks: [.raw([1])]).bytes)
        try await store.register("a", mount)
        for _ in 0..<3 { try await store.acquire("a").release() }
        #expect(try store.statistics().openShards == 1)
        await store.close()
    }

    @Test("a chunk of all multihashes may begin anywhere")
    func chunks() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let builder = CARBuilder.uniform(sections: 700, blockSize: 8, seed: 1)
        try await store.register("a", folder.mount(builder.bytes))
        let key = try ShardKey("a")
        for count in [1, 130, 699] {
            let first = try store.multihashes(of: key, atMost: count)
            #expect(first.multihashes.count == count)
            let rest = try store.multihashes(of: key, atMost: .max, from: first.next)
            #expect(rest.next == nil)
            #expect(first.multihashes + rest.multihashes == builder.blocks.map(\.cid.multihash))
        }
        await store.close()
    }
}
