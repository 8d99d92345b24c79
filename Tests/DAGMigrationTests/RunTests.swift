import DAGBytes
import DAGMounts
import DAGMultiformats
import DAGStorage
import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import DAGMigration

/// Migrations of directories that the reference wrote.
@Suite("Run", .enabled(if: Vectors.areHere))
struct RunTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func open() throws -> DAGStore {
        try DAGStore.open(at: FilePath(folder.path(of: "store")))
    }

    private func source(_ name: String) throws -> MigrationSource {
        try MigrationSource(at: FilePath(Vectors.url("go-dagstore/\(name)").path))
    }

    /// Runs a migration, and returns the outcome of each shard.
    private func run(
        _ source: MigrationSource,
        to store: DAGStore,
        map: MountMap = MountMap(),
        jobs: Int = 2,
        readsCARs: Bool = true,
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws -> [String: MigrationRun.Outcome] {
        let outcomes = Mutex<[String: MigrationRun.Outcome]>([:])
        let run = MigrationRun(
            from: source,
            to: store,
            map: map,
            verification: .full,
            readsCARs: readsCARs,
            jobs: jobs
        )
        try run.run(source.plan(map: map), isCancelled: isCancelled) { outcome in
            outcomes.withLock { $0[outcome.shard.key] = outcome }
        }
        return outcomes.withLock { $0 }
    }

    /// Returns the statuses of a store's shards.
    private func states(_ store: DAGStore) throws -> [String: String] {
        var found: [String: String] = [:]
        var statuses = store.statuses().makeIterator()
        while let status = try statuses.next() {
            // Their CARs are not on this machine, so the store has not read them.
            found[status.key.text] = status.hasGivenIndex ? "available" : status.state.rawValue
        }
        return found
    }

    @Test("every index file is migrated with all its entries", arguments: [1, 3])
    func indexes(jobs: Int) async throws {
        let source = try source("indices")
        let store = try open()
        let outcomes = try run(source, to: store, jobs: jobs)
        #expect(outcomes.count == 100)
        #expect(outcomes.values.allSatisfy { $0.result == .migrated && $0.error == nil })
        #expect(try await store.check().problems.isEmpty)
        // A second run has nothing to do.
        #expect(try run(source, to: store).values.allSatisfy { $0.result == .present })
        await store.close()
    }

    @Test("a new run continues one that was stopped")
    func stopped() async throws {
        let source = try source("indices")
        let asked = Mutex(0)
        var store = try open()
        let first = try run(source, to: store, jobs: 1) {
            asked.withLock { asked in
                asked += 1
                return asked > 40
            }
        }
        #expect(first.count == 40)
        await store.close()
        store = try open()
        let second = try run(source, to: store)
        #expect(second.values.count { $0.result == .present } == 40)
        #expect(second.values.count { $0.result == .migrated } == 60)
        #expect(try await store.check().problems.isEmpty)
        await store.close()
    }

    @Test("an index with two multihashes at one offset is refused, and other shards are migrated")
    func lyingIndex() async throws {
        var bytes: [UInt8] = [0x81, 0x08]
        bytes.append(littleEndian: Int32(1))
        bytes.append(littleEndian: UInt64(0x12))
        bytes.append(littleEndian: Int32(1))
        bytes.append(littleEndian: UInt32(12))
        bytes.append(littleEndian: UInt64(24))
        for digest: UInt8 in [1, 2] {
            bytes += [digest, 0, 0, 0]
            bytes.append(littleEndian: UInt64(59))
        }
        let indexes = try TemporaryFolder()
        _ = try indexes.write(bytes, to: "liar.full.idx")
        _ = try indexes.write([0x81, 0x08, 0, 0, 0, 0], to: "empty.full.idx")
        let store = try open()
        let outcomes = try run(MigrationSource(at: FilePath(indexes.url.path)), to: store)
        #expect(outcomes["liar"]?.result == .refused)
        #expect(outcomes["liar"]?.error?.contains("offset 59") == true)
        #expect(outcomes["empty"]?.result == .migrated)
        #expect(try await store.check().problems.isEmpty)
        await store.close()
    }

    @Test("an index that changes while it is read is refused")
    func changing() async throws {
        let indexes = try TemporaryFolder()
        let bytes = try Vectors.url("go-dagstore/indices/v1-raw.car.0401.idx").bytes()
        let path = try indexes.write(bytes, to: "a.full.idx")
        let store = try open()
        let importer = ShardImporter(store, sortBudget: 1 << 20)
        let order = try OffsetOrder(IndexFile(at: FilePath(path)), budget: 1 << 20)
        let index = ImportedIndex(origin: nil, offsetMax: order.offsetMax) { add in
            _ = try indexes.write(bytes + [0], to: "a.full.idx")
            try order.forEach { hashCode, digest, offset in
                try add(ImportedEntry(hashCode: hashCode, digest: digest, offset: offset))
            }
        }
        let shard = ImportedShard(key: try ShardKey("a"), mountURL: try MountURL("index://a"))
        #expect(throws: MigrationError(.sourceChanged, "", "")) {
            try importer.prepare(shard, index)
        }
        #expect(try states(store).isEmpty)
        await store.close()
    }

    @Test("a check finds what a store lacks")
    func differences() async throws {
        let store = try open()
        let source = try source("indices")
        let plan = try source.plan()
        let check = MigrationCheck(of: source, with: store)
        let shard = try #require(plan.shards.first { $0.key == "v1-raw.car.0401" })
        #expect(try check.difference(of: shard)?.isThere == false)
        // Another index under the same key.
        let other = try TemporaryFolder()
        let file = Vectors.url("go-dagstore/indices/v1-slash.car.0401.idx")
        _ = try other.write(file.bytes(), to: "v1-raw.car.0401.idx")
        _ = try run(MigrationSource(at: FilePath(other.url.path)), to: store)
        let difference = try #require(try check.difference(of: shard))
        #expect(difference.missing == shard.entries)
        #expect(difference.unfindable > 0)
        await store.close()
    }

    #if LevelDB
        @Test("states, errors and mounts are migrated as planned", arguments: PlanTests.all)
        func records(repository: String) async throws {
            let source = try source(repository)
            let plan = try source.plan()
            let store = try open()
            let outcomes = try run(source, to: store)
            #expect(outcomes.values.allSatisfy { $0.result == .migrated && $0.error == nil })
            var expected: [String: String] = [:]
            for shard in plan.shards { expected[shard.key] = shard.state.rawValue }
            #expect(try states(store) == expected)
            for shard in plan.shards where shard.state == .failed {
                let status = try #require(try store.status(of: ShardKey(shard.key)))
                #expect(status.error?.message == shard.error)
            }
            #expect(try await store.check().problems.filter { $0.kind == .index }.isEmpty)
            await store.close()
        }

        @Test("every multihash, also a mangled one, leads to the shards that the reference names")
        func inverse() async throws {
            struct Expected: Decodable {
                struct Lookup: Decodable {
                    let mh: String
                    let shards: [String]?
                }
                let inverted_lookups: [Lookup]
            }
            let data = try Data(contentsOf: Vectors.url("go-dagstore/expected-lotus.json"))
            let expected = try JSONDecoder().decode(Expected.self, from: data)
            let store = try open()
            let plan = try source("lotus-repo").plan()
            _ = try run(source("lotus-repo"), to: store)
            // If a shard's index is lost, only the reference's inverse index has its multihashes.
            let known = Set(plan.shards.filter { $0.entries != nil }.map(\.key))
            var answered = 0
            for lookup in expected.inverted_lookups {
                let multihash = try Multihash(bytes: #require([UInt8](hexadecimal: lookup.mh)))
                let found = Set(try store.shards(containing: multihash).map(\.text))
                // The reference keeps the entries of destroyed shards.
                let wanted = Set(lookup.shards ?? []).intersection(known)
                #expect(found.isSuperset(of: wanted), "\(lookup.mh)")
                if !wanted.isEmpty { answered += 1 }
            }
            #expect(answered > 400)
            await store.close()
        }

        @Test("a shard with a mapped mount serves its blocks, and its index becomes complete")
        func serves() async throws {
            var map = MountMap()
            let cars = Vectors.url("go-dagstore/cars").path
            try map.map("file", to: "file://\(cars)/{rest}")
            let store = try open()
            _ = try run(source("generic-repo"), to: store, map: map, readsCARs: false)
            let key = try ShardKey("file-rel")
            let hashes = try store.multihashes(of: key, atMost: 1000).multihashes
            #expect(hashes.count == 200)
            let cid = CID(codec: Codec.raw, multihash: hashes[7])
            // Block sizes are unknown until the CAR has been read.
            #expect(try store.contains(cid))
            #expect(throws: DAGStoreError(.mountUnreachable, "")) { try store.size(of: cid) }
            #expect(throws: DAGStoreError(.mountUnreachable, "")) { try store.places(of: cid) }
            #expect(try store.acquireIfAvailable(key) == nil)
            let block = try #require(try await store.block(for: cid))
            #expect(try block.verified().size > 0)
            let shard = try await store.acquire(key)
            for hash in hashes {
                let cid = CID(codec: Codec.raw, multihash: hash)
                #expect(try await shard.block(for: cid)?.verified() != nil)
            }
            shard.release()
            #expect(try store.places(of: cid).count == 1)
            #expect(try store.size(of: cid) == UInt64(block.size))
            #expect(try await store.check(CheckOptions()).problems.isEmpty)
            await store.close()
        }

        @Test("a shard of an unknown scheme keeps its state and index after repeated requests")
        func unknownScheme() async throws {
            var store = try open()
            _ = try run(source("lotus-repo"), to: store)
            let before = try states(store)
            let key = try #require(before.first { $0.value == "available" }?.key)
            for _ in 0..<2 {
                await #expect(throws: DAGStoreError(.unknownScheme, "")) {
                    try await store.acquire(ShardKey(key))
                }
                await store.close()
                store = try open()
                #expect(try states(store) == before)
            }
            await store.close()
        }
    #endif
}

/// Records in the order of their offsets.
@Suite("Offset order")
struct OffsetOrderTests {
    @Test(
        "a small budget splits the file, and changes nothing",
        arguments: [1 << 26, 60_000, 4_000]
    )
    func budgets(budget: Int) throws {
        var random = SplitMix64(seed: 7)
        var offsets: [UInt64] = []
        var position: UInt64 = 59
        for _ in 0..<5_000 {
            offsets.append(position)
            position += 38 + random.next() % 3_000_000
        }
        var records = offsets.map { offset -> [UInt8] in
            var bytes: [UInt8] = []
            for _ in 0..<4 { bytes.append(littleEndian: random.next()) }
            bytes.append(littleEndian: offset)
            return bytes
        }
        records.sort { $0.lexicographicallyPrecedes($1) }
        // A repeated record counts once.
        records.insert(records[100], at: 100)
        var bytes: [UInt8] = [0x80, 0x08]
        bytes.append(littleEndian: Int32(1))
        bytes.append(littleEndian: UInt32(40))
        bytes.append(littleEndian: UInt64(records.count * 40))
        for record in records { bytes += record }
        let folder = try TemporaryFolder()
        let file = try IndexFile(at: FilePath(folder.write(bytes, to: "a.idx")))
        let order = try OffsetOrder(file, budget: budget)
        #expect(order.offsetMax == offsets.last)
        var found: [UInt64] = []
        try order.forEach { hashCode, digest, offset in
            #expect(hashCode == nil)
            #expect(digest.count == 32)
            found.append(offset)
        }
        #expect(found == offsets)
    }

    @Test(
        "dense records are split as finely as needed, and too many at one offset are refused",
        arguments: [false, true]
    )
    func crowd(isAtOnePlace: Bool) throws {
        var bytes: [UInt8] = [0x80, 0x08]
        bytes.append(littleEndian: Int32(1))
        bytes.append(littleEndian: UInt32(9))
        bytes.append(littleEndian: UInt64(9 * 256))
        for digest in UInt8.min...UInt8.max {
            bytes.append(digest)
            bytes.append(littleEndian: isAtOnePlace ? UInt64.max - 1 : UInt64.max - UInt64(digest))
        }
        let folder = try TemporaryFolder()
        let file = try IndexFile(at: FilePath(folder.write(bytes, to: "a.idx")))
        guard !isAtOnePlace else {
            #expect(throws: MigrationError(.malformedIndex, "", "")) {
                try OffsetOrder(file, budget: 1000)
            }
            return
        }
        let order = try OffsetOrder(file, budget: 1000)
        var found: [UInt64] = []
        try order.forEach { _, _, offset in found.append(offset) }
        #expect(found == (UInt64.max - 255...UInt64.max).map { $0 })
    }
}
