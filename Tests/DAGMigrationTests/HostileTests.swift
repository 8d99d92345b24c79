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

/// Damaged and misleading sources: nothing traps, and no damage is mistaken for something else.
@Suite("Hostile sources", .enabled(if: Vectors.areHere))
struct HostileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func path(_ name: String) -> FilePath { FilePath(folder.path(of: name)) }

    /// Returns `bytes` with a few bytes changed, and sometimes truncated.
    private func damaged(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var bytes = bytes
        for _ in 0...random.next() % 4 where !bytes.isEmpty {
            let place = Int(
                random.next() % UInt64(min(bytes.count, random.next() % 2 == 0 ? 64 : .max))
            )
            bytes[place] =
                [0, 0xff, 0x7f, 0x80, UInt8(truncatingIfNeeded: random.next())][
                    Int(random.next() % 5)
                ]
        }
        if random.next() % 4 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count + 1))) }
        return bytes
    }

    @Test("damaged index files are planned, migrated or refused, and the store stays sound")
    func indexes() async throws {
        var random = SplitMix64(seed: 21)
        let files = try FileManager.default.contentsOfDirectory(
            atPath: Vectors.url("go-dagstore/indices").path
        ).sorted()
        for number in 0..<400 {
            let name = files[number % files.count]
            let bytes = try Vectors.url("go-dagstore/indices/\(name)").bytes()
            _ = try folder.write(damaged(bytes, &random), to: "\(number).full.idx")
        }
        let source = try MigrationSource(at: FilePath(folder.url.path))
        let plan = try source.plan()
        #expect(plan.shards.count == 400)
        #expect(plan.shards.contains { $0.entries == nil })
        let stores = try TemporaryFolder()
        let store = try DAGStore.open(at: FilePath(stores.path(of: "store")))
        let run = MigrationRun(from: source, to: store, verification: .full)
        let outcomes = Mutex<[MigrationRun.Outcome]>([])
        try run.run(plan) { outcome in outcomes.withLock { $0.append(outcome) } }
        let results = outcomes.withLock { $0 }
        #expect(results.count == 400)
        // The store has the entries of the file, true or false.
        #expect(results.allSatisfy { $0.result == .refused || $0.error == nil })
        #expect(results.contains { $0.result == .refused })
        #expect(results.contains { $0.result == .migrated && $0.shard.entries != nil })
        #expect(try await store.check().problems.allSatisfy { $0.kind == .sourceUnreachable })
        await store.close()
    }

    @Test("hash functions that no varint can express are refused")
    func hashCodes() throws {
        var bytes: [UInt8] = [0x81, 0x08, 1, 0, 0, 0]
        bytes.append(littleEndian: UInt64(1) << 63)
        bytes += [1, 0, 0, 0, 12, 0, 0, 0]
        bytes.append(littleEndian: UInt64(12))
        bytes += [UInt8](repeating: 7, count: 12)
        _ = try folder.write(bytes, to: "a.full.idx")
        let plan = try MigrationSource(at: FilePath(folder.url.path)).plan()
        #expect(plan.problemCounts == [.malformedIndex: 1])
    }

    @Test("keys and URLs stay inside the folder that the map names")
    func maps() throws {
        var map = MountMap()
        try map.map("lotus", to: "https://host/{key}/{rest}/{other}")
        func mapped(_ url: String, _ key: String) throws -> String? {
            try map.mapped(MountURL(url), key: key)?.text
        }
        #expect(try mapped("lotus://a", "b c?x=1#f") == "https://host/b%20c%3Fx%3D1%23f/a/{other}")
        #expect(
            try mapped("lotus://a", "{rest}{key}") == "https://host/%7Brest%7D%7Bkey%7D/a/{other}"
        )
        #expect(try mapped("lotus://a..b", "..c") == "https://host/..c/a..b/{other}")
        #expect(try mapped("other://a", "k") == nil)
        for (url, key) in [
            ("lotus://a", "../secret"), ("lotus://a", ".."), ("lotus://x/../y", "k"),
            ("lotus://%2e%2e/y", "k"), ("lotus://x%2F..", "k"),
        ] {
            #expect(throws: MountError(.malformedURL, "")) { try mapped(url, key) }
        }
    }

    @Test("imported transients have distinct names")
    func transientNames() {
        #expect(TransientImport.name(of: "../a b") == "..%2Fa%20b.car")
        let long = String(repeating: "k", count: 480)
        let names = ["a", "b"].map { TransientImport.name(of: long.dropLast() + $0) }
        #expect(Set(names).count == 2)
        #expect(names.allSatisfy { $0.utf8.count <= 200 })
    }

    #if LevelDB
        @Test("damaged LevelDBs are either read or refused")
        func databases() throws {
            var random = SplitMix64(seed: 22)
            let original = Vectors.url("go-dagstore/lotus-repo-compacted/dagstore/datastore").path
            let names = try FileManager.default.contentsOfDirectory(atPath: original)
                .filter { $0 != "LOCK" && $0 != "LOG" }.sorted()
            var read = 0
            var refused = 0
            for number in 0..<150 {
                let copy = "\(number)/datastore"
                try FileManager.default.createDirectory(
                    atPath: path(copy).string,
                    withIntermediateDirectories: true
                )
                for (place, name) in names.enumerated() {
                    let bytes = try Array(Data(contentsOf: URL(filePath: "\(original)/\(name)")))
                    let isHit = place == number % names.count
                    _ = try folder.write(
                        isHit ? damaged(bytes, &random) : bytes,
                        to: "\(copy)/\(name)"
                    )
                }
                do throws(MigrationError) {
                    let source = try MigrationSource(at: path("\(number)"), layout: .dagstore)
                    #expect(try source.plan().layout == .dagstore)
                    read += 1
                } catch {
                    #expect([.sourceCorrupt, .sourceChanged, .unknownLayout].contains(error.code))
                    refused += 1
                }
            }
            #expect(read > 0)
            #expect(refused > 0)
        }

        @Test("damaged records and rows become problems, and the plan continues")
        func rows() async throws {
            var random = SplitMix64(seed: 23)
            let writer = try LevelDBWriter(creating: path("db"))
            try writer.put([0x2f] + [UInt8](repeating: 0, count: 10), [200, 1])
            let metadata = [0x2f, 1] + [UInt8](repeating: 0, count: 9) + [0x2f]
            for number in 0..<500 {
                let json = Array(
                    #"{"k":"key\#(number)","u":"lotus://x","t":"/a/b","s":2,"l":true,"e":"ü\u0000"}"#
                        .utf8
                )
                try writer.put(Array("/dagstore/\(number)".utf8), damaged(json, &random))
                let piece = damaged(Array("baga\(number)".utf8), &random)
                let cursor = Array(#"{"v":"1","c":\#(100 + number % 50)}"#.utf8)
                try writer.put(metadata + piece, damaged(cursor, &random))
                let record = damaged(Array("/\(100 + number % 60)/1204\(number)aabb".utf8), &random)
                try writer.put(record, damaged([0x80, 0x01, 0x10], &random))
            }
            try writer.finish()
            try FileManager.default.createDirectory(
                atPath: path("go").string,
                withIntermediateDirectories: true
            )
            // The same rows, read as either layout.
            for (layout, root) in [(MigrationLayout.boostLID, "db"), (.dagstore, "go")] {
                if layout == .dagstore {
                    try FileManager.default.moveItem(
                        atPath: path("db").string,
                        toPath: path("go/datastore").string
                    )
                }
                let source = try MigrationSource(at: path(root), layout: layout)
                let plan = try source.plan()
                #expect(plan.problemCounts[.malformedRecord, default: 0] > 10)
                #expect(plan.shards.count > 10)
                let store = try DAGStore.open(at: path("store-\(root)"))
                let run = MigrationRun(from: source, to: store, verification: .full)
                let count = Mutex(0)
                try run.run(plan) { _ in count.withLock { $0 += 1 } }
                #expect(count.withLock { $0 } == plan.shards.count)
                _ = try MigrationCheck(of: source, with: store).strayInverse(plan)
                #expect(
                    try await store.check().problems.allSatisfy { $0.kind == .sourceUnreachable }
                )
                await store.close()
            }
        }

        @Test("a LevelDB that is neither a node's nor Boost's is refused, not read as an empty one")
        func foreign() throws {
            let writer = try LevelDBWriter(creating: path("db"))
            try writer.put(Array("/dagstore/x".utf8), Array("{}".utf8))
            try writer.finish()
            #expect(throws: MigrationError(.unknownLayout, "", "")) {
                try MigrationSource(at: path("db"))
            }
        }

        @Test("a shard whose index cannot be a file does not stop the export of others")
        func exports() async throws {
            let store = try DAGStore.open(at: path("store"))
            let car = FilePath(Vectors.url("go-dagstore/cars/v1-mixed.car").path)
            let keys = ["a", "./a", "b.full.idx/c", "b", "..", "../x"]
            for key in keys { try await store.register(ShardKey(key), from: FileMount(car)) }
            for (name, layout) in [("out", MigrationExport.Layout.indexes), ("go", .dagstore)] {
                var problems: [String: Int] = [:]
                let export = MigrationExport(of: store, to: path(name), layout: layout)
                try export.run { outcome in
                    problems[outcome.key] =
                        outcome.problems.count { $0.kind == .keyIsNoFileName }
                }
                #expect(problems.count == keys.count)
                #expect(problems["a"] == 0)
                #expect(problems["./a"] == 1)
                #expect(problems["b"] == 1)
            }
            await store.close()
        }
    #endif
}
