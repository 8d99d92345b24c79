import DAGBytes
import DAGCAR
import DAGIPLD
import DAGMounts
import DAGMultiformats
import DAGStorage
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite("Walks and where their blocks are")
struct WalkSourceTests {
    static let file = WalkTests.file
    static let root = file[0].cid
    static let request = DAGRequest(root: root)
    static let car = CARBuilder(roots: [root], blocks: file)

    static func blocks(_ walk: DAGWalk) async throws -> [CARBuilder.Block] {
        var blocks: [CARBuilder.Block] = []
        for try await block in walk {
            blocks.append(CARBuilder.Block(cid: block.cid, data: try block.copiedBytes))
        }
        return blocks
    }

    @Test("a walk gives the same blocks of shards that are mapped, read, in memory or far away")
    func mounts() async throws {
        let folder = try StoreFolder()
        var registry = MountRegistry.standard
        let far = try CountingMount(Self.car.bytes, access: .random)
        try registry.register(far, scheme: "counting")
        for mapping in [Configuration.Mapping.whenPossible, .never] {
            var configuration = Configuration()
            configuration.mapSize = 1 << 32
            configuration.durability = .relaxed
            configuration.mapping = mapping
            let path = FilePath(folder.path(of: "store-\(mapping)"))
            let store = try DAGStore.open(at: path, mounts: registry, configuration: configuration)
            for key in ["file", "far"] {
                let key = try ShardKey(key)
                if key.text == "file" {
                    try await store.register(key, from: folder.mount(Self.car.bytes))
                } else {
                    try await store.register(key, from: far)
                }
                for isVerifying in [false, true] {
                    let walk = store.walk(Self.request, verifying: isVerifying)
                    #expect(try await Self.blocks(walk) == Self.file, "\(key) \(mapping)")
                }
                try await store.destroy(key)
            }
            await store.close()
        }
    }

    @Test("a shard is destroyed while it is walked, and another has the rest")
    func destroyed() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        try await store.register("a", folder.mount(Self.car.bytes))
        for hasOther in [true, false] {
            if hasOther {
                let other = CARBuilder(blocks: Self.file.reversed())
                try await store.register("b", folder.mount(other.bytes, named: "b.car"))
            } else {
                try await store.register("a", folder.mount(Self.car.bytes))
                try await store.destroy("b")
            }
            var iterator = store.walk(Self.request).makeAsyncIterator()
            var cids: [CID] = []
            for _ in 0..<5 { cids.append(try #require(try await iterator.next()).cid) }
            try await store.destroy("a")
            var failure: DAGStoreError?
            do {
                while let block = try await iterator.next() {
                    #expect(try block.copiedBytes.count == block.size)
                    cids.append(block.cid)
                }
            } catch {
                failure = error as? DAGStoreError
            }
            #expect(failure == (hasOther ? nil : DAGStoreError(.blockNotFound)))
            #expect(cids == Self.file.map(\.cid).prefix(cids.count).map { $0 })
            #expect(hasOther == (cids.count == Self.file.count))
        }
        await store.close()
    }

    @Test("a file that is cut off while it is walked is an error, and the process lives")
    func cutOff() async throws {
        let folder = try StoreFolder()
        _ = try folder.mount(CARBuilder(blocks: []).bytes)
        await #expect(processExitsWith: .success) { [path = folder.path as String] in
            MappingGuard.install()
            var generator = SplitMix64(seed: 4)
            let leaves = (0..<300).map { _ in generator.bytes(3000) }
            let file = DAGBlocks.balancedFile(leaves: leaves, width: 10)
            let bytes = CARBuilder(roots: [file[0].cid], blocks: file).bytes
            let car = FilePath(path + "/a.car")
            let descriptor = try FileDescriptor.open(car, .readWrite)
            try descriptor.writeAll(bytes)
            let store = try StoreFolder.open(path + "/store")
            try await store.register("a", FileMount(car))
            let request = DAGRequest(root: file[0].cid)
            var iterator = store.walk(request, verifying: true).makeAsyncIterator()
            for _ in 0..<5 { _ = try #require(try await iterator.next()) }
            try descriptor.resize(to: 20_000)
            try descriptor.close()
            await #expect(throws: DAGStoreError(.sourceChanged)) {
                while try await iterator.next() != nil {}
            }
            // The next lease finds what happened, and fails the shard.
            await #expect(throws: DAGStoreError(.sourceChanged)) { try await store.acquire("a") }
            await store.close()
        }
    }

    @Test("a user's choice of shards holds for every block of a walk")
    func selector() async throws {
        let folder = try StoreFolder()
        let chosen = Mutex<[CID]>([])
        let store = try folder.open { configuration in
            configuration.selectShards = { cid, keys in
                chosen.withLock { $0.append(cid) }
                return keys.filter { $0.text == "b" }
            }
        }
        var damaged = Self.file
        damaged[3].data[0] ^= 1
        try await store.register("a", folder.mount(CARBuilder(blocks: damaged).bytes))
        try await store.register("b", folder.mount(Self.car.bytes, named: "b.car"))
        #expect(try await Self.blocks(store.walk(Self.request)) == Self.file)
        #expect(Set(chosen.withLock { $0 }) == Set(Self.file.map(\.cid)))
        await store.close()
    }

    @Test("a path is followed before the first block is handed over")
    func paths() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let inner = DAGBlocks.directory([("file", Self.root)])
        let outer = DAGBlocks.directory([("inner", inner.cid)])
        let car = CARBuilder(roots: [outer.cid], blocks: Self.file + [inner, outer])
        try await store.register("a", folder.mount(car.bytes))
        var request = DAGRequest(root: outer.cid, path: IPLDPath(["inner", "file"]))
        #expect(try await Self.blocks(store.walk(request)) == [outer, inner] + Self.file)
        request.path = IPLDPath(["inner", "none"])
        await #expect(throws: DAGStoreError(.pathNotFound)) {
            var iterator = store.walk(request).makeAsyncIterator()
            return try await iterator.next()
        }
        request.path = IPLDPath(["inner", "file"])
        request.entityBytes = EntityBytes("0:0")
        let first = try await Self.blocks(store.walk(request))
        #expect(first == [outer, inner, Self.file[0], Self.file[1], Self.file[2]])
        // The path is there, and what it leads to is not.
        let lone = DAGBlocks.directory([("gone", CARBuilder.Block.raw([77]).cid)])
        let other = CARBuilder(blocks: [lone])
        try await store.register("b", folder.mount(other.bytes, named: "b.car"))
        let gone = DAGRequest(root: lone.cid, path: IPLDPath(["gone"]))
        await #expect(throws: DAGStoreError(.blockNotFound)) {
            var iterator = store.walk(gone).makeAsyncIterator()
            return try await iterator.next()
        }
        await store.close()
    }

    @Test("a malformed block ends the walk, and its shard stays available")
    func malformedBlocks() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let bad = CARBuilder.Block.hashed([0xff], codec: Codec.dagPB, hashCode: HashCode.sha2_256)
        let leaf = CARBuilder.Block.raw([1])
        let root = DAGBlocks.directory([("a", leaf.cid), ("b", bad.cid)])
        let car = CARBuilder(roots: [root.cid], blocks: [root, leaf, bad])
        try await store.register("a", folder.mount(car.bytes))
        var iterator = store.walk(DAGRequest(root: root.cid)).makeAsyncIterator()
        #expect(try await iterator.next()?.cid == root.cid)
        #expect(try await iterator.next()?.cid == leaf.cid)
        await #expect(throws: DAGStoreError(.malformedBlock)) { try await iterator.next() }
        #expect(try store.state(of: "a") == .available)
        // A part of a file of another size than the file tells.
        let short = DAGBlocks.file([(leaf.cid, 2)])
        let other = CARBuilder(blocks: [short])
        try await store.register("b", folder.mount(other.bytes, named: "b.car"))
        let range = DAGRequest(root: short.cid, entityBytes: EntityBytes(from: 0))
        await #expect(throws: DAGStoreError(.malformedBlock)) {
            try await WalkTests.cids(store.walk(range))
        }
        await store.close()
    }

    @Test("a cancelled task gets CancellationError, and an actor may keep an iterator")
    func owners() async throws {
        actor Owner {
            var iterator: DAGWalk.Iterator
            init(_ walk: DAGWalk) { iterator = walk.makeAsyncIterator() }
            func next() async throws -> Int {
                var copy = iterator
                return try await copy.nextBatch(limit: 3).count
            }
        }
        let folder = try StoreFolder()
        let store = try folder.open()
        try await store.register("a", folder.mount(Self.car.bytes))
        let owner = Owner(store.walk(Self.request))
        #expect(try await owner.next() > 0)
        let task = Task {
            // Not before it was cancelled.
            while !Task.isCancelled { await Task.yield() }
            return try await Self.blocks(store.walk(Self.request)).count
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        await store.close()
    }

    @Test("a part of a block is copied into a buffer")
    func copies() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        try await store.register("a", folder.mount(Self.car.bytes))
        let block = try #require(try await store.block(for: Self.file[2].cid))
        var bytes = [UInt8](repeating: 0, count: 20)
        try unsafe bytes.withUnsafeMutableBytes { buffer in
            // SAFETY: the buffer has room for the part, and lives during the call.
            try unsafe block.copyBytes(100..<115, into: buffer)
        }
        #expect(Array(bytes[..<15]) == Array(Self.file[2].data[100..<115]))
        #expect(bytes[15...].allSatisfy { $0 == 0 })
        await store.close()
    }
}
