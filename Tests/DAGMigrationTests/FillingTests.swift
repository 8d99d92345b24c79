import DAGBytes
import DAGCAR
import DAGMounts
import DAGMultiformats
import DAGStorage
import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import DAGMigration

/// Runs that read sizes and codecs, which index files do not contain, from CARs.
@Suite("Filling", .enabled(if: Vectors.areHere))
struct FillingTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func path(_ name: String) -> FilePath { FilePath(folder.path(of: name)) }

    private func open() throws -> DAGStore { try DAGStore.open(at: path("store")) }

    private func vector(_ name: String) -> FilePath {
        FilePath(Vectors.url("go-dagstore/\(name)").path)
    }

    private func run(
        _ source: MigrationSource,
        to store: DAGStore,
        map: MountMap,
        readsCARs: Bool = true
    ) throws -> [String: MigrationRun.Outcome] {
        let outcomes = Mutex<[String: MigrationRun.Outcome]>([:])
        let run = MigrationRun(
            from: source,
            to: store,
            map: map,
            verification: .full,
            readsCARs: readsCARs
        )
        try run.run(source.plan(map: map)) { outcome in
            outcomes.withLock { $0[outcome.shard.key] = outcome }
        }
        return outcomes.withLock { $0 }
    }

    /// Creates index files of some CARs, CARs of the same names, and a map from shards to these CARs.
    private func source(_ cars: [(index: String, car: String)]) throws -> (
        source: MigrationSource, map: MountMap
    ) {
        let files = FileManager.default
        for name in ["indexes", "cars"] {
            try files.createDirectory(
                atPath: path(name).string,
                withIntermediateDirectories: true
            )
        }
        for (number, (index, car)) in cars.enumerated() {
            try files.copyItem(
                atPath: vector("indices/\(index).idx").string,
                toPath: path("indexes/\(number).full.idx").string
            )
            guard !car.isEmpty else { continue }
            try files.copyItem(
                atPath: vector("cars/\(car).car").string,
                toPath: path("cars/\(number).car").string
            )
        }
        var map = MountMap()
        try map.map("index", to: "file://\(path("cars"))/{rest}.car")
        return (try MigrationSource(at: path("indexes")), map)
    }

    @Test("a readable CAR completes its index, and the exported file has the same bytes")
    func complete() async throws {
        let names = [
            "v1-raw", "v1-mixed", "v1-identity", "v1-cidv0", "v1-dups", "v1-padded", "v1-blake2b",
            "v2-mhidx", "v2-sorted", "v2-noidx", "v2-identity-notindexed", "v1-empty",
        ]
        let codecs = ["0400", "0401", "0400.noident", "0401.noident"]
        let all = names.flatMap { name in codecs.map { ("\(name).car.\($0)", name) } }
        let (source, map) = try source(all.map { (index: $0.0, car: $0.1) })
        let store = try open()
        let outcomes = try run(source, to: store, map: map)
        #expect(outcomes.count == all.count)
        for (key, outcome) in outcomes {
            #expect(outcome.error == nil && outcome.carFault == nil, "\(key)")
            #expect(outcome.isComplete, "\(key)")
        }
        // The store knows the sizes, and reads blocks without reading the whole CAR.
        let key = try ShardKey("4")
        let hash = try #require(try store.multihashes(of: key, atMost: 1).multihashes.first)
        let cid = CID(codec: Codec.raw, multihash: hash)
        #expect(try store.size(of: cid) != nil)
        let shard = try #require(try store.acquireIfAvailable(key))
        #expect(try shard.blockIfLocal(for: cid)?.verified() != nil)
        #expect(!shard.roots.isEmpty)
        shard.release()
        #expect(try await store.check(CheckOptions()).problems.isEmpty)
        try MigrationExport(of: store, to: path("out"), layout: .indexes).run {
            #expect($0.problems.isEmpty)
        }
        for (number, (index, _)) in all.enumerated() {
            let old = FileManager.default.contents(atPath: vector("indices/\(index).idx").string)
            let made = path("out").appending("\(number).full.idx")
            #expect(old != nil)
            #expect(FileManager.default.contents(atPath: made.string) == old, "\(index)")
        }
        await store.close()
    }

    @Test(
        "identity CIDs of an index without hash functions are exported, also if the CAR is read later"
    )
    func later() async throws {
        let all = ["0400", "0400.noident"].map {
            (index: "v1-identity.car.\($0)", car: "v1-identity")
        }
        let (source, map) = try source(all)
        let store = try open()
        let outcomes = try run(source, to: store, map: map, readsCARs: false)
        #expect(outcomes.values.allSatisfy { !$0.isComplete })
        for number in all.indices { try await store.acquire(ShardKey("\(number)")).release() }
        try MigrationExport(of: store, to: path("out"), layout: .indexes).run { _ in }
        for (number, (index, _)) in all.enumerated() {
            let old = FileManager.default.contents(atPath: vector("indices/\(index).idx").string)
            let made = path("out").appending("\(number).full.idx")
            #expect(FileManager.default.contents(atPath: made.string) == old, "\(index)")
        }
        await store.close()
    }

    @Test("a CAR that is another one, damaged or missing does not change the index")
    func faults() async throws {
        let (source, map) = try source([
            (index: "v1-raw.car.0401", car: "v1-mixed"),
            (index: "v1-raw.car.0401", car: "bad-truncated"),
            (index: "v1-raw.car.0401", car: "bad-garbage"),
            (index: "v1-raw.car.0401", car: "bad-empty-file"),
            (index: "v1-raw.car.0401", car: ""),
            (index: "v1-raw.car.0401", car: "v1-raw"),
        ])
        let store = try open()
        let outcomes = try run(source, to: store, map: map)
        for number in 0..<6 {
            let outcome = try #require(outcomes["\(number)"])
            #expect(outcome.result == .migrated && outcome.error == nil)
            #expect(outcome.isComplete == (number == 5))
            #expect((outcome.carFault != nil) == (number < 4), "\(outcome.carFault ?? "-")")
            let key = try ShardKey("\(number)")
            #expect(try store.multihashes(of: key, atMost: 1000).multihashes.count == 200)
        }
        // The run removed the indexes that it could not use.
        #expect(try await store.check().problems.filter { $0.kind != .sourceUnreachable }.isEmpty)
        await store.close()
        let reopened = try open()
        #expect(
            try await reopened.check().problems.filter { $0.kind != .sourceUnreachable }.isEmpty
        )
        await reopened.close()
    }
}
