import DAGCAR
import DAGCatalog
import DAGMeasurement
import DAGMounts
import DAGMultiformats
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import DAGStorage

@Suite("Blocks of all shards")
struct InverseTests {
    /// CARs of which some share blocks.
    static let cars: [CARBuilder] = (0..<12).map { number in
        var car = CARBuilder.mixed(seed: UInt64(number % 7))
        car.blocks += CARBuilder.uniform(sections: 40, blockSize: 9, seed: UInt64(number)).blocks
        return car
    }

    /// What must be answered about a store with these CARs under these keys.
    static func problems(
        in store: DAGStore,
        _ shards: [(key: String, car: CARBuilder)]
    ) async throws -> [String] {
        var problems: [String] = []
        var owners: [Multihash: [String]] = [:]
        for (key, car) in shards {
            for multihash in Set(car.blocks.map(\.cid.multihash)) {
                owners[multihash, default: []].append(key)
            }
        }
        let all = Set(cars.flatMap { $0.blocks.map(\.cid.multihash) })
        // A multihash that nobody can check may stand before other bytes in every CAR.
        let data = Dictionary(grouping: cars.flatMap(\.blocks), by: \.cid.multihash)
            .mapValues { $0.map(\.data) }
        for multihash in all {
            let expected = owners[multihash, default: []].sorted()
            let found = try store.shards(containing: multihash).map(\.text)
            if found.sorted() != expected { problems.append("\(multihash): \(found)") }
            let cid = CID(codec: Codec.raw, multihash: multihash)
            let isThere = !expected.isEmpty || cid.isIdentity
            if try store.contains(cid) != isThere { problems.append("\(cid) is contained") }
            let block = try await store.block(for: cid)
            if (block != nil) != isThere { problems.append("\(cid): a block or none") }
            if let block, !cid.isIdentity, let data = data[multihash] {
                if try !data.contains(block.copiedBytes) { problems.append("\(cid): other bytes") }
                let size = try store.size(of: cid)
                if !data.contains(where: { UInt64($0.count) == size }) {
                    problems.append("\(cid): another size")
                }
            }
        }
        return problems.prefix(10).map(\.self)
    }

    @Test("what any shard has is found, from registration to destruction, and after a restart")
    func found() async throws {
        let folder = try StoreFolder()
        var store = try folder.open()
        var shards: [(key: String, car: CARBuilder)] = []
        for (number, car) in Self.cars.enumerated() {
            try await store.register("\(number)", folder.mount(car.bytes, named: "\(number)"))
            shards.append(("\(number)", car))
        }
        #expect(try await Self.problems(in: store, shards) == [])
        await store.close()
        store = try folder.open()
        #expect(try await Self.problems(in: store, shards) == [])
        for number in [0, 3, 11] {
            try await store.destroy("\(number)")
            shards.removeAll { $0.key == "\(number)" }
            #expect(try await Self.problems(in: store, shards) == [])
        }
        #expect(try await store.check().problems == [])
        await store.close()
        let reader = try folder.open { $0.isReadOnly = true }
        #expect(try await Self.problems(in: reader, shards) == [])
        #expect(try await reader.check().problems == [])
        await reader.close()
    }

    @Test(
        "registered, destroyed, recovered, merged and killed at random, a store answers as a dictionary",
        arguments: 0..<6 as Range<UInt64>
    )
    func sequences(seed: UInt64) async throws {
        let folder = try StoreFolder()
        for (number, car) in Self.cars.enumerated() {
            _ = try folder.mount(car.bytes, named: "\(number)")
        }
        var random = SplitMix64(seed: seed)
        var shards: [(key: String, car: CARBuilder)] = []
        for round in 0..<4 {
            let store = try folder.open { $0.inverseFlushFrom = 50 + Int(seed) * 40 }
            #expect(
                try await Self.problems(in: store, shards) == [],
                "seed \(seed), round \(round)"
            )
            for _ in 0..<25 {
                let number = Int.random(in: 0..<Self.cars.count, using: &random)
                let key = "\(Int.random(in: 0..<20, using: &random))"
                if let place = shards.firstIndex(where: { $0.key == key }) {
                    try await store.destroy(key)
                    shards.remove(at: place)
                } else {
                    let mount = FileMount(FilePath(folder.path(of: "\(number)")))
                    try await store.register(key, mount)
                    shards.append((key, Self.cars[number]))
                }
            }
            #expect(
                try await Self.problems(in: store, shards) == [],
                "seed \(seed), round \(round)"
            )
            #expect(try await store.check().problems == [], "seed \(seed), round \(round)")
            await store.close()
        }
    }

    // Faults 5 and 21 of the reference.
    @Test("one content under 2,000 keys is found in each of them")
    func sameContent() async throws {
        let folder = try StoreFolder()
        let store = try folder.open { $0.inverseFlushFrom = 3000 }
        let car = CARBuilder.uniform(sections: 5, blockSize: 20, seed: 1)
        let mount = try folder.mount(car.bytes)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<2000 {
                group.addTask { try await store.register("\(number)", mount) }
            }
            try await group.waitForAll()
        }
        for block in car.blocks {
            let found = try store.shards(containing: block.cid.multihash).map(\.text)
            #expect(found.count == 2000)
            #expect(Set(found) == Set((0..<2000).map { "\($0)" }))
        }
        for number in 0..<1999 { try await store.destroy("\(number)") }
        #expect(try store.shards(containing: car.blocks[0].cid.multihash).map(\.text) == ["1999"])
        await store.close()
    }

    // Fault 11: multihashes go through a function that cleans paths, so that some collide.
    @Test("multihashes that look like paths are found over all shards, and not mistaken")
    func pathLike() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let texts = ["/a/b/c/d", "/a//b/cd", "a/../b/c", "////////", "../../.."]
        for (number, text) in texts.enumerated() {
            let multihash = Multihash(code: 0x7f, digest: Array(text.utf8))
            let block = CARBuilder.Block(
                cid: CID(codec: Codec.raw, multihash: multihash),
                data: [UInt8(number)]
            )
            let car = CARBuilder(blocks: [block])
            try await store.register("\(number)", folder.mount(car.bytes, named: "\(number)"))
        }
        for (number, text) in texts.enumerated() {
            let multihash = Multihash(code: 0x7f, digest: Array(text.utf8))
            #expect(try store.shards(containing: multihash).map(\.text) == ["\(number)"])
        }
        let clean = Multihash(code: 0x7f, digest: Array("/a/b/cd".utf8))
        #expect(try store.shards(containing: clean) == [])
        await store.close()
    }

    @Test("a shard that fails is passed over for the next, and its error is told if there is none")
    func failing() async throws {
        let folder = try StoreFolder()
        let store = try folder.open { $0.idleShardsMax = 0 }
        let car = CARBuilder.uniform(sections: 400, blockSize: 20, seed: 2)
        let first = try folder.mount(car.bytes, named: "first")
        try await store.register("first", first)
        try await store.register("second", folder.mount(car.bytes, named: "second"))
        try FileManager.default.removeItem(atPath: first.path.string)
        let block = car.blocks[7]
        #expect(try await store.block(for: block.cid)?.copiedBytes == block.data)
        #expect(try store.blockIfLocal(for: block.cid)?.copiedBytes == block.data)
        #expect(try store.contains(block.cid))
        try await store.destroy("second")
        #expect(await errorCode { try await store.block(for: block.cid) } == .mountGone)
        // The index still knows.
        #expect(try store.contains(block.cid))
        #expect(try store.shards(containing: block.cid.multihash).map(\.text) == ["first"])
        await store.close()
    }

    @Test("a selector picks among the shards, or refuses all of them")
    func selector() async throws {
        let folder = try StoreFolder()
        let asked = Told.Keys()
        let store = try folder.open {
            $0.selectShards = { _, keys in
                asked.append(keys.map(\.text))
                return keys.filter { $0.text == "b" }
            }
        }
        let car = CARBuilder.uniform(sections: 3, blockSize: 20, seed: 3)
        let only = CARBuilder.uniform(sections: 3, blockSize: 20, seed: 4)
        for key in ["a", "b"] { try await store.register(key, folder.mount(car.bytes)) }
        try await store.register("c", folder.mount(only.bytes, named: "only"))
        var events = EventReader(store)
        #expect(try await store.block(for: car.blocks[0].cid) != nil)
        #expect(await events.take(1).first?.key.text == "b")
        #expect(try await store.block(for: only.blocks[0].cid) == nil)
        #expect(asked.all == [["a", "b"], ["c"]])
        await store.close()
    }

    @Test("many blocks come in the order in which they were asked for")
    func batches() async throws {
        let folder = try StoreFolder()
        let store = try folder.open { $0.idleShardsMax = 2 }
        for (number, car) in Self.cars.enumerated() {
            try await store.register("\(number)", folder.mount(car.bytes, named: "\(number)"))
        }
        var random = SplitMix64(seed: 1)
        var wanted = Self.cars.flatMap(\.blocks).filter { !$0.cid.isIdentity }.shuffled(
            using: &random
        )
        let absent = CARBuilder.uniform(sections: 5, blockSize: 20, seed: 99).blocks
        wanted.insert(contentsOf: absent, at: wanted.count / 2)
        let blocks = try await store.blocks(for: wanted.map(\.cid))
        let sizes = try store.sizes(of: wanted.map(\.cid))
        let data = Dictionary(grouping: wanted, by: \.cid.multihash)
        for (index, block) in wanted.enumerated() {
            let same = data[block.cid.multihash, default: []]
            let isAbsent = absent.contains { $0.cid == block.cid }
            let bytes = try blocks[index]?.copiedBytes
            #expect(isAbsent ? bytes == nil : same.contains { $0.data == bytes })
            let size = sizes[index]
            #expect(isAbsent ? size == nil : same.contains { UInt64($0.data.count) == size })
        }
        #expect(try store.statistics().leases == 0)
        await store.close()
    }

    @Test("statistics leave out the recent entries of destroyed shards")
    func staleEntries() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        for number in 0..<20 {
            let builder = CARBuilder.uniform(sections: 50, blockSize: 10, seed: UInt64(number))
            try await store.register("\(number)", folder.mount(builder.bytes, named: "\(number)"))
        }
        #expect(try store.statistics().inverse.recentEntries == 1000)
        for number in 0..<15 { try await store.destroy("\(number)") }
        #expect(try store.statistics().inverse.recentEntries == 250)
        await store.close()
        let reader = try folder.open { $0.isReadOnly = true }
        #expect(try reader.statistics().inverse.recentEntries == 250)
        await reader.close()
    }

    @Test("a large shard is a run of its own, and goes at once with its shard")
    func ownRun() async throws {
        let folder = try StoreFolder()
        var store = try folder.open()
        let bytes = [UInt8].manySections(count: 40_000, digestSize: 32, seed: 5)
        try await store.register("large", folder.mount(bytes))
        #expect(store.engine.inverse.snapshot.runs.count == 1)
        #expect(store.engine.inverse.recentCount == 0)
        let shard = try await store.acquire("large")
        var cids: [CID] = []
        for try await cid in shard.cids where cids.count < 500 { cids.append(cid) }
        shard.release()
        for _ in 0..<2 {
            for cid in cids {
                #expect(try store.shards(containing: cid.multihash).map(\.text) == ["large"])
            }
            await store.close()
            store = try folder.open()
        }
        try await store.destroy("large")
        await eventually { store.engine.inverse.snapshot.runs.isEmpty }
        #expect(try store.shards(containing: cids[0].multihash) == [])
        await store.close()
    }

    @Test("a damaged run is an error, and not an answer, until it is built anew")
    func damaged() async throws {
        let folder = try StoreFolder()
        var store = try folder.open { $0.inverseFlushFrom = 10 }
        let car = CARBuilder.uniform(sections: 300, blockSize: 20, seed: 6)
        try await store.register("a", folder.mount(car.bytes))
        await eventually { store.engine.inverse.snapshot.runs.count == 1 }
        await store.close()
        try CatalogDamage.flip(30, in: "inverse", of: folder.storePath)
        store = try folder.open()
        let cid = car.blocks[0].cid
        #expect(throws: DAGStoreError(.catalogCorrupt)) { try store.contains(cid) }
        #expect(try await store.check().problems.map(\.kind) == [.inverse])
        var options = CheckOptions()
        options.repairs = true
        #expect(try await store.check(options).problems.allSatisfy { $0.repair != nil })
        #expect(try store.contains(cid))
        #expect(try await store.check().problems == [])
        await store.close()
    }

    @Test("an index that is built anew in parts keeps all parts of a shard")
    func rebuiltInParts() async throws {
        let folder = try StoreFolder()
        let store = try folder.open {
            $0.inverseRebuildBatch = 1000
            $0.inverseFlushFrom = 500
        }
        let car = CARBuilder.uniform(sections: 3500, blockSize: 4, seed: 7)
        try await store.register("a", folder.mount(car.bytes))
        await eventually { store.engine.inverse.snapshot.runs.count == 1 }
        try await store.engine.merger.rebuild()
        let other = CARBuilder.uniform(sections: 600, blockSize: 4, seed: 8)
        try await store.register("b", folder.mount(other.bytes, named: "b"))
        try await Measurement.waitForMerges(in: store)
        try await Measurement.waitForMerges(in: store)
        for block in car.blocks { #expect(try store.contains(block.cid)) }
        #expect(try await store.check().problems == [])
        await store.close()
        let again = try folder.open()
        for block in car.blocks + other.blocks { #expect(try again.contains(block.cid)) }
        await again.close()
    }

    @Test("a shard that was recovered under leases is asked by its new index")
    func recoveredUnderLeases() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let first = CARBuilder.uniform(sections: 300, blockSize: 20, seed: 9)
        let second = CARBuilder.uniform(sections: 300, blockSize: 30, seed: 10)
        let mount = try folder.mount(first.bytes)
        try await store.register("a", mount)
        let lease = try await store.acquire("a")
        try Data(second.bytes).write(to: URL(filePath: mount.path.string), options: .atomic)
        let generation = lease.reader.record.generation
        let error = DAGStoreError(.sourceChanged, "as a first lease would find")
        store.engine.loop.post(.lost(lease.key, generation: generation, error))
        await eventually { (try? store.status(of: "a"))??.state == .failed }
        try await store.recover("a")
        #expect(try lease.contains(first.blocks[0].cid))
        for block in second.blocks.prefix(50) {
            #expect(try store.size(of: block.cid) == 30)
            #expect(try await store.block(for: block.cid)?.copiedBytes == block.data)
        }
        for block in first.blocks.prefix(50) { #expect(try !store.contains(block.cid)) }
        #expect(try await store.check().problems == [])
        lease.release()
        await store.close()
    }

    @Test("new entries that cannot be read refuse every answer, and nothing is written over them")
    func damagedRecent() async throws {
        let folder = try StoreFolder()
        var store = try folder.open()
        let car = CARBuilder.uniform(sections: 30, blockSize: 20, seed: 11)
        try await store.register("a", folder.mount(car.bytes))
        await store.close()
        // The count of the row's only shard.
        try CatalogDamage.flip(4, in: "recent", of: folder.storePath)
        store = try folder.open { $0.inverseFlushFrom = 10 }
        #expect(throws: DAGStoreError(.catalogCorrupt)) { try store.contains(car.blocks[0].cid) }
        let other = CARBuilder.uniform(sections: 30, blockSize: 20, seed: 12)
        try await store.register("b", folder.mount(other.bytes, named: "b"))
        try await Measurement.waitForMerges(in: store)
        #expect(try store.statistics().inverse.runs == [])
        var options = CheckOptions()
        options.repairs = true
        let report = try await store.check(options)
        #expect(report.problems.map(\.kind) == [.inverse])
        #expect(report.isSound)
        for block in car.blocks + other.blocks { #expect(try store.contains(block.cid)) }
        await store.close()
        store = try folder.open()
        for block in car.blocks + other.blocks { #expect(try store.contains(block.cid)) }
        await store.close()
    }
}
