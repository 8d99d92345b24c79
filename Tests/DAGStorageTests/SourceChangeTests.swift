import DAGMounts
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Sources that change")
struct SourceChangeTests {
    /// What happens to a file.
    enum Change: CaseIterable {
        case appended, rewritten, replaced, touched

        func apply(to path: String) throws {
            let url = URL(filePath: path)
            switch self {
            case .appended:
                let handle = try FileHandle(forWritingTo: url)
                try handle.seekToEnd()
                try handle.write(contentsOf: Data([0]))
                try handle.close()
            case .rewritten:
                try CARBuilder.mixed(seed: 99).bytes.write(inPlaceOf: path)
            case .replaced:
                try Data(contentsOf: url).write(to: url, options: .atomic)
            case .touched:
                let date = Date(timeIntervalSince1970: 1_000_000)
                try FileManager.default.setAttributes(
                    [.modificationDate: date],
                    ofItemAtPath: path
                )
            }
        }
    }

    @Test(
        "a file that changed is found out by the next first lease, and open leases go on",
        arguments: [Change.appended, .rewritten],
        [true, false]
    )
    func changed(change: Change, isWarm: Bool) async throws {
        let folder = try StoreFolder()
        var store = try folder.open()
        let builder = CARBuilder.manyMixed(seed: 1)
        let mount = try folder.mount(builder.bytes)
        try await store.register("a", mount)
        if isWarm {
            let shard = try await store.acquire("a")
            // A mapping of a file that is written to shows what is written.
            if change != .rewritten {
                try change.apply(to: mount.path.string)
                #expect(try await ShardModel(builder).problems(in: shard) == [])
            } else {
                shard.release()
                try change.apply(to: mount.path.string)
            }
            if change != .rewritten {
                // Not the first lease: as good as the one that is open.
                let other = try await store.acquire("a")
                #expect(try await ShardModel(builder).problems(in: other) == [])
            }
        } else {
            await store.close()
            try change.apply(to: mount.path.string)
            store = try folder.open()
        }
        for _ in 0..<2 {
            await #expect(throws: DAGStoreError(.sourceChanged)) { try await store.acquire("a") }
            #expect(throws: DAGStoreError(.sourceChanged)) {
                try store.acquireIfAvailable(ShardKey("a"))
            }
        }
        #expect(try store.statistics().leases == 0)
        try await store.destroy("a")
        try await store.register("a", mount)
        try await store.acquire("a").release()
        await store.close()
    }

    @Test(
        "a file with another inode or time and the same bytes is the same file",
        arguments: [Change.replaced, .touched],
        [true, false]
    )
    func same(change: Change, isWarm: Bool) async throws {
        let folder = try StoreFolder()
        var store = try folder.open()
        let builder = CARBuilder.manyMixed(seed: 1)
        let mount = try folder.mount(builder.bytes)
        try await store.register("a", mount)
        if isWarm {
            try await store.acquire("a").release()
            try change.apply(to: mount.path.string)
            for _ in 0..<2 {
                #expect(try await ShardModel(builder).problems(in: store.acquire("a")) == [])
            }
            await store.close()
        } else {
            await store.close()
            try change.apply(to: mount.path.string)
        }
        let reader = try folder.open { $0.isReadOnly = true }
        #expect(try await ShardModel(builder).problems(in: reader.acquire("a")) == [])
        await reader.close()
        for _ in 0..<2 {
            store = try folder.open()
            #expect(try await ShardModel(builder).problems(in: store.acquire("a")) == [])
            #expect(try store.state(of: "a") == .available)
            await store.close()
        }
    }

    @Test("another CAR of the same size is found out", arguments: [true, false])
    func other(isWarm: Bool) async throws {
        let folder = try StoreFolder()
        var store = try folder.open()
        let mount = try folder.mount(
            CARBuilder.uniform(sections: 2000, blockSize: 50, seed: 1).bytes
        )
        try await store.register("a", mount)
        if isWarm {
            try await store.acquire("a").release()
        } else {
            await store.close()
        }
        let other = CARBuilder.uniform(sections: 2000, blockSize: 50, seed: 2)
        try Data(other.bytes).write(to: URL(filePath: mount.path.string), options: .atomic)
        if !isWarm { store = try folder.open() }
        await #expect(throws: DAGStoreError(.sourceChanged)) { try await store.acquire("a") }
        try await store.recover(ShardKey("a"))
        #expect(try await ShardModel(other).problems(in: store.acquire("a")) == [])
        await store.close()
    }

    @Test("a section that differs where no sample looks is found by a recovery")
    func recoveredDifference() async throws {
        let folder = try StoreFolder()
        var store = try folder.open()
        let builder = CARBuilder.uniform(sections: 20_000, blockSize: 20, seed: 1)
        let mount = try folder.mount(builder.bytes)
        try await store.register("a", mount)
        let shard = try await store.acquire("a")
        let place = try #require(try shard.location(of: builder.blocks[10_000].cid))
        shard.release()
        await store.close()
        let handle = try FileHandle(forWritingTo: URL(filePath: mount.path.string))
        try handle.seek(toOffset: place.blockOffset - 3)
        try handle.write(contentsOf: Data([1, 2, 3]))
        try handle.close()
        store = try folder.open()
        // Opened, or found out at once if the sample met it.
        _ = await errorCode { try await store.acquire("a").release() }
        var options = CheckOptions()
        options.isDeep = true
        options.repairs = true
        #expect(try await store.check(options).isSound)
        let again = try await store.acquire("a")
        #expect(try !again.contains(builder.blocks[10_000].cid))
        #expect(again.blockCount == 20_000)
        again.release()
        options.isDeep = false
        #expect(try await store.check(options).problems == [])
        await store.close()
    }

    @Test("an open shard whose own copy is gone is read from its mount")
    func fallback() async throws {
        let folder = try StoreFolder()
        let builder = CARBuilder.manyMixed(seed: 1)
        let copy = try folder.mount(builder.bytes, named: "copy").path
        let mount = try folder.mount(builder.bytes, named: "origin")
        let store = try folder.open()
        try await store.register(ShardKey("a"), from: mount, existingTransient: copy)
        try await store.acquire("a").release()
        try FileManager.default.removeItem(atPath: copy.string)
        #expect(try await ShardModel(builder).problems(in: store.acquire("a")) == [])
        await eventually { (try? store.status(of: "a"))??.error == nil }
        await store.close()
    }

    @Test("a deep check takes a touched file of an open shard for what it is")
    func deepCheck() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let mount = try folder.mount(CARBuilder.manyMixed(seed: 1).bytes)
        try await store.register("a", mount)
        let shard = try await store.acquire("a")
        for change in [Change.touched, .replaced] {
            try change.apply(to: mount.path.string)
            var options = CheckOptions()
            options.isDeep = true
            options.repairs = true
            #expect(try await store.check(options).problems == [])
        }
        shard.release()
        await store.close()
    }

    @Test("a section that was written over has changed, and is never \"not here\"")
    func writtenOver() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let builder = CARBuilder.uniform(sections: 3000, blockSize: 40, seed: 1)
        let mount = try folder.mount(builder.bytes)
        try await store.register("a", mount)
        let shard = try await store.acquire("a")
        let cid = builder.blocks[1500].cid
        let place = try #require(try shard.location(of: cid))
        let handle = try FileHandle(forWritingTo: URL(filePath: mount.path.string))
        try handle.seek(toOffset: place.blockOffset - 20)
        try handle.write(contentsOf: Data(repeating: 0, count: 30))
        try handle.close()
        let changed = DAGStoreError(.sourceChanged)
        #expect(throws: changed) { try shard.contains(cid) }
        #expect(throws: changed) { try shard.location(of: cid) }
        #expect(throws: changed) { try shard.blockIfLocal(for: cid) }
        #expect(throws: changed) { try shard.blocksIfLocal(for: [builder.blocks[1].cid, cid]) }
        // What never was here is still not here.
        for block in CARBuilder.uniform(sections: 3000, blockSize: 40, seed: 2).blocks {
            #expect(try !shard.contains(block.cid))
        }
        shard.release()
        await store.close()
    }

    @Test(
        "while a file is away its shard stays indexed, says why it cannot be read, and is read again when it is back",
        arguments: [true, false]
    )
    func gone(isWarm: Bool) async throws {
        let folder = try StoreFolder()
        let store = try folder.open { $0.idleShardsMax = isWarm ? 10 : 0 }
        let builder = CARBuilder.manyMixed(seed: 2)
        let mount = try folder.mount(builder.bytes)
        try await store.register("a", mount)
        let shard = try await store.acquire("a")
        let manager = FileManager.default
        let path = mount.path.string
        try manager.moveItem(atPath: path, toPath: path + ".away")
        #expect(try await ShardModel(builder).problems(in: shard) == [])
        shard.release()
        for _ in 0..<2 {
            await #expect(throws: DAGStoreError(.mountGone)) { try await store.acquire("a") }
        }
        #expect(try store.state(of: "a") == .available)
        await eventually { (try? store.status(of: "a"))??.error == DAGStoreError(.mountGone) }
        try manager.createDirectory(atPath: path, withIntermediateDirectories: false)
        await #expect(throws: DAGStoreError(.mountUnreachable)) { try await store.acquire("a") }
        await #expect(throws: DAGStoreError(.notFailed)) { try await store.recover(ShardKey("a")) }
        await eventually {
            (try? store.status(of: "a"))??.error == DAGStoreError(.mountUnreachable)
        }
        try manager.removeItem(atPath: path)
        try manager.moveItem(atPath: path + ".away", toPath: path)
        #expect(try await ShardModel(builder).problems(in: store.acquire("a")) == [])
        await eventually { (try? store.status(of: "a"))??.error == nil }
        await store.close()
    }

    @Test("a file is taken to be unchanged for the time that the configuration says")
    func checkInterval() async throws {
        let folder = try StoreFolder()
        let builder = CARBuilder.manyMixed(seed: 1)
        let mount = try folder.mount(builder.bytes)
        let store = try folder.open { $0.sourceCheckInterval = .seconds(3600) }
        try await store.register("a", mount)
        try await store.acquire("a").release()
        try Change.replaced.apply(to: mount.path.string)
        // The mapping is of the file before, which the shard goes on reading.
        for _ in 0..<3 {
            let shard = try await store.acquire("a")
            #expect(try await ShardModel(builder).problems(in: shard) == [])
            shard.release()
        }
        await store.close()
        #expect(throws: DAGStoreError(.invalidConfiguration)) {
            try folder.open { $0.sourceCheckInterval = .seconds(-1) }
        }
    }

    @Test("a file that changes while it is indexed leaves a failed shard")
    func changedWhileIndexed() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let builder = CARBuilder.uniform(sections: 20, blockSize: 2 << 20, seed: 4)
        let mount = try folder.mount(builder.bytes)
        let key = try ShardKey("a")
        await #expect(throws: DAGStoreError(.sourceChanged)) {
            try await store.register(key, from: mount) { _ in
                try? Change.touched.apply(to: mount.path.string)
            }
        }
        #expect(try store.status(of: key)?.error == DAGStoreError(.sourceChanged))
        #expect(try store.statistics().indexBytes == 0)
        try await store.destroy(key)
        try await store.register(key, from: mount)
        await store.close()
    }

    // Without a mapping nothing raises a signal: reading past the end of a file gives an error.
    @Test("a file that shrinks under an open lease gives an error where it is not mapped")
    func shrunk() async throws {
        let folder = try StoreFolder()
        let store = try folder.open { $0.mapping = .never }
        let builder = CARBuilder.uniform(sections: 400, blockSize: 100, seed: 3)
        let mount = try folder.mount(builder.bytes)
        try await store.register("a", mount)
        let shard = try await store.acquire("a")
        let file = try FileDescriptor.open(mount.path, .readWrite)
        try file.resize(to: 1000)
        try file.close()
        #expect(throws: DAGStoreError(.sourceChanged)) {
            try shard.blockIfLocal(for: builder.blocks[399].cid)
        }
        // What the index knows needs no file.
        #expect(try shard.location(of: builder.blocks[399].cid) != nil)
        await store.close()
    }
}

extension [UInt8] {
    /// Writes over the beginning of a file, which keeps its inode.
    fileprivate func write(inPlaceOf path: String) throws {
        let file = try FileDescriptor.open(FilePath(path), .readWrite)
        defer { try? file.close() }
        try file.resize(to: Int64(count))
        _ = try file.writeAll(toAbsoluteOffset: 0, self)
    }
}
