import DAGMounts
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Mapped files that change")
struct MappedFileChangeTests {
    // Fault 17: a mapped CAR that is truncated kills the process.
    @Test("a file cut off under a lease fails its shard, and the process lives")
    func truncated() async throws {
        let folder = try StoreFolder()
        let builder = CARBuilder.uniform(sections: 2000, blockSize: 100, seed: 1)
        _ = try folder.mount(builder.bytes)
        _ = try folder.mount(builder.bytes, named: "other.car")
        await #expect(processExitsWith: .success) { [path = folder.path as String] in
            MappingGuard.install()
            let builder = CARBuilder.uniform(sections: 2000, blockSize: 100, seed: 1)
            let store = try StoreFolder.open(path + "/store")
            let file = FilePath(path + "/a.car")
            try await store.register("a", FileMount(file))
            try await store.register("other", FileMount(FilePath(path + "/other.car")))
            let shard = try await store.acquire("a")
            let last = builder.blocks[1999].cid
            let block = try #require(try shard.blockIfLocal(for: last))
            _ = try block.verified()
            let descriptor = try FileDescriptor.open(file, .readWrite)
            try descriptor.resize(to: 4096)
            try descriptor.close()
            let changed = DAGStoreError(.sourceChanged)
            #expect(throws: changed) { try shard.contains(last) }
            #expect(throws: changed) { try shard.location(of: last) }
            #expect(throws: changed) { try shard.blockIfLocal(for: last) }
            #expect(throws: changed) { try block.copiedBytes }
            #expect(throws: changed) { try block.verified() }
            await eventually { (try? store.state(of: "a")) == .failed }
            await #expect(throws: changed) { try await store.acquire("a") }
            #expect(try await ShardModel(builder).problems(in: store.acquire("other")) == [])
            shard.release()
            try await store.destroy("a")
            await store.close()
        }
    }

    @Test("a file that is replaced or removed stays readable through leases that are open")
    func replaced() async throws {
        for isRemoved in [true, false] {
            let folder = try StoreFolder()
            let store = try folder.open()
            let builder = CARBuilder.manyMixed(seed: 1)
            let mount = try folder.mount(builder.bytes)
            try await store.register("a", mount)
            let shard = try await store.acquire("a")
            let url = URL(filePath: mount.path.string)
            if isRemoved {
                try FileManager.default.removeItem(at: url)
            } else {
                try Data(CARBuilder.manyMixed(seed: 2).bytes).write(to: url, options: .atomic)
            }
            #expect(try await ShardModel(builder).problems(in: shard) == [])
            shard.release()
            let code: DAGStoreError.Code = isRemoved ? .mountGone : .sourceChanged
            await #expect(throws: DAGStoreError(code)) { try await store.acquire("a") }
            await eventually { (try? store.status(of: "a"))??.error == DAGStoreError(code) }
            #expect(try store.state(of: "a") == (isRemoved ? .available : .failed))
            await store.close()
        }
    }
}
