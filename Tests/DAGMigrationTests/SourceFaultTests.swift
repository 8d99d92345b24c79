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

/// Faults that the source causes, and files beside an index.
@Suite("Faults of the source", .enabled(if: Vectors.areHere))
struct SourceFaultTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var root: FilePath { FilePath(folder.url.path) }

    /// Writes an index of 100 records.
    private static func index() throws -> [UInt8] {
        try Vectors.url("go-dagstore/indices/v1-raw.car.0401.idx").bytes()
    }

    private func age(_ path: String, _ seconds: TimeInterval) throws {
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -seconds)],
            ofItemAtPath: path
        )
    }

    /// Runs a migration, and returns the outcome of each shard.
    private func run(
        _ plan: MigrationPlan,
        of source: MigrationSource,
        to store: DAGStore,
        _ transients: TransientImport? = nil
    ) throws -> [String: MigrationRun.Outcome] {
        let outcomes = Mutex<[String: MigrationRun.Outcome]>([:])
        let run = MigrationRun(from: source, to: store, transients: transients)
        try run.run(plan) { outcome in outcomes.withLock { $0[outcome.shard.key] = outcome } }
        return outcomes.withLock { $0 }
    }

    // While a node writes an index, the file is short for a moment, and a later run migrates it. The shard of an
    // index that a crash truncated used to be refused for ever.
    @Test(
        "a shard with an old truncated index is registered, and one with a new truncated index is refused"
    )
    func cutIndexes() async throws {
        let cut = Array(try Self.index().dropLast(40))
        let old = try folder.write(cut, to: "old.full.idx")
        try age(old, 3600)
        try age(try folder.write(cut, to: "new.full.idx"), 1)
        let source = try MigrationSource(at: root)
        let plan = try source.plan()
        #expect(plan.problemCounts == [.truncatedIndex: 1, .unreadableIndex: 1])
        let store = try DAGStore.open(at: root.appending("store"))
        let first = try run(plan, of: source, to: store)
        #expect(first["old"]?.result == .migrated)
        #expect(first["new"]?.result == .refused)
        #expect(try store.status(of: ShardKey("old"))?.state == .registered)
        let problem = plan.shards.first { $0.key == "old" }?.problems.first
        #expect(problem?.detail.hasPrefix("old.full.idx: ") == true)
        #expect(try run(source.plan(), of: source, to: store)["old"]?.result == .present)
        let check = MigrationCheck(of: source, with: store)
        for shard in try source.plan().shards where !MigrationCheck.isExcused(shard) {
            #expect(try check.difference(of: shard) == nil)
        }
        await store.close()
    }

    @Test("a CAR beside its index file is the shard's mount")
    func besideCARs() async throws {
        let car = try Vectors.url("go-dagstore/cars/v1-raw.car").bytes()
        for (index, name) in [("a.full.idx", "a.car"), ("b.car.full.idx", "b.car")] {
            _ = try folder.write(Self.index(), to: index)
            _ = try folder.write(car, to: name)
        }
        _ = try folder.write(Self.index(), to: "c.full.idx")
        let source = try MigrationSource(at: root)
        let plan = try source.plan()
        let store = try DAGStore.open(at: root.appending("store"))
        let outcomes = try run(plan, of: source, to: store)
        #expect(outcomes.values.allSatisfy { $0.result == .migrated && $0.carFault == nil })
        for (key, name) in [("a", "a.car"), ("b.car", "b.car")] {
            let status = try #require(try store.status(of: ShardKey(key)))
            #expect(status.mountURL == FileMount(root.appending(name)).url.text)
            let shard = try await store.acquire(ShardKey(key))
            let hash = try #require(store.multihashes(of: shard.key, atMost: 1).multihashes.first)
            let cid = CID(codec: Codec.raw, multihash: hash)
            #expect(try await shard.block(for: cid)?.verified() != nil)
            shard.release()
        }
        #expect(try store.status(of: ShardKey("c"))?.mountURL == "index://c")
        await store.close()
    }

    @Test("a filled template stays inside its folder after decoding")
    func templates() throws {
        func url(_ template: String, _ url: String, _ key: String) throws -> String {
            var map = MountMap()
            try map.map("lotus", to: template)
            return try map.url(url, key: key).text
        }
        for (template, rest, key) in [
            // A server may read a `%` without digits literally.
            ("http://host/{rest}", "%2e%2e/%", "k"), ("http://host/{rest}", "%/%2E./x", "k"),
            // Only together they lead to the parent folder.
            ("file:///cars/.{key}", "a", "./x"), ("file:///cars/.{rest}", "%2e/x", "k"),
            ("file:///cars/{key}{rest}", ".", "."), ("file:///cars/{rest}%2e", "%2e", "k"),
            ("file:///../cars/{key}", "a", "../x"),
        ] {
            #expect(throws: MountError(.malformedURL, "")) {
                try url(template, "lotus://" + rest, key)
            }
        }
        #expect(try url("http://host/../{rest}", "lotus://a%2e.b", "k") == "http://host/../a%2e.b")
        // An escaped percent sign is part of a name.
        #expect(try url("file:///cars/{key}", "lotus://a", "%2e%2e") == "file:///cars/%252e%252e")
        #expect(throws: MountError(.malformedURL, "")) {
            try url("file:///dev/{rest}", "lotus://stdin", "k")
        }
    }

    @Test("a missing transient is a fault of the source, and a bad destination is not")
    func takenCopies() throws {
        let taking = TransientImport(.copy, into: root.appending("imported"))
        #expect(throws: MigrationError(.sourceChanged, "", "")) {
            try taking.importFile(root.appending("nothing"), of: "k")
        }
        try FileManager.default.createSymbolicLink(
            atPath: folder.path(of: "dangling"),
            withDestinationPath: folder.path(of: "nothing")
        )
        #expect(throws: MigrationError(.sourceChanged, "", "")) {
            try taking.importFile(root.appending("dangling"), of: "k")
        }
        let file = FilePath(try folder.write([1], to: "file"))
        #expect(throws: MigrationError(.destinationUnwritable, "", "")) {
            try TransientImport(.copy, into: file).importFile(file, of: "k")
        }
    }

    @Test("the verdict names the source if only its files were unreadable")
    func verdicts() throws {
        var shard = PlannedShard(
            key: "k",
            mountURL: nil,
            state: .available,
            error: "",
            isLazy: false
        )
        func verdict(_ outcomes: [(String?, MigrationError.Code?, String?)]) -> MigrationRun.Verdict
        {
            var plan = MigrationPlan(layout: .cars)
            plan.shards = [shard]
            let found = outcomes.map { error, code, fault in
                MigrationRun.Outcome(
                    shard: shard,
                    result: error == nil ? .migrated : .refused,
                    error: error,
                    code: code,
                    carFault: fault
                )
            }
            return MigrationRun.verdict(on: plan, found)
        }
        #expect(verdict([(nil, nil, nil)]) == .sound)
        #expect(verdict([(nil, nil, nil), ("gone", .sourceChanged, nil)]) == .sourceUnreadable)
        #expect(verdict([("closed", .sourceUnreadable, nil)]) == .sourceUnreadable)
        #expect(verdict([("cut", .truncated, nil), ("gone", .sourceChanged, nil)]) == .problems)
        #expect(verdict([("odd", nil, nil)]) == .problems)
        #expect(verdict([(nil, nil, "other bytes")]) == .problems)
        shard.problems = [MigrationProblem(kind: .missingIndex, detail: "")]
        #expect(verdict([("gone", .sourceChanged, nil)]) == .problems)
    }

    #if LevelDB
        /// Returns a copy of a folder of the reference, which a test may damage.
        private func copied(_ name: String) throws -> MigrationSource {
            let process = Process()
            process.executableURL = URL(filePath: "/bin/sh")
            process.arguments = [
                "-c", #"cp -R "$0/." "$1" && chmod -R u+w "$1""#,
                Vectors.url("go-dagstore/\(name)").path, folder.url.path,
            ]
            try process.run()
            process.waitUntilExit()
            return try MigrationSource(at: root)
        }

        @Test("a transient that is removed during a run affects its own shard only")
        func vanishedCopy() async throws {
            let source = try copied("generic-repo")
            let plan = try source.plan()
            let transients = folder.url.appending(path: "dagstore/transients")
            try FileManager.default.removeItem(
                at: transients.appending(path: "transient-fs-1.complete")
            )
            let store = try DAGStore.open(at: root.appending("store"))
            let taking = TransientImport(.copy, into: root.appending("imported"))
            let outcomes = try run(plan, of: source, to: store, taking)
            #expect(outcomes["fs-1"]?.result == .refused)
            #expect(outcomes["fs-1"]?.code == .sourceChanged)
            #expect(outcomes["fs-3"]?.result == .migrated)
            // The next plan sees that the transient is gone.
            let again = try run(source.plan(), of: source, to: store, taking)
            #expect(again["fs-1"]?.result == .migrated)
            await store.close()
        }

        @Test("a truncated index of an available record counts as finished, however new it is")
        func cutAfterRecord() throws {
            let source = try copied("generic-repo")
            let index = folder.url.appending(path: "dagstore/index/fs-1.full.idx")
            try Data(try Data(contentsOf: index).dropLast(5)).write(to: index)
            let shard = try source.plan().shards.first { $0.key == "fs-1" }
            #expect(shard?.problems.contains { $0.kind == .truncatedIndex } == true)
            #expect(shard?.state == .registered)
        }
    #endif
}
