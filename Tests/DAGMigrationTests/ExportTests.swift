import DAGBytes
import DAGCAR
import DAGMounts
import DAGMultiformats
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import DAGMigration

/// Exports of stores that were migrated from the reference's directories, or indexed CARs themselves.
@Suite("Export")
struct ExportTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func path(_ name: String) -> FilePath { FilePath(folder.path(of: name)) }

    private func open(_ name: String = "store") throws -> DAGStore {
        try DAGStore.open(at: path(name))
    }

    private func run(_ source: FilePath, to store: DAGStore) throws {
        let source = try MigrationSource(at: source)
        let run = MigrationRun(from: source, to: store, verification: .full)
        try run.run(source.plan()) { #expect($0.result == .migrated && $0.error == nil) }
    }

    private func export(
        _ store: DAGStore,
        to name: String = "out",
        _ layout: MigrationExport.Layout = .dagstore,
        map: MountMap = MountMap()
    ) throws -> [[UInt8]: MigrationExport.Outcome] {
        let export = MigrationExport(of: store, to: path(name), layout: layout, map: map)
        // Keyed by bytes, because Swift calls some strings of different bytes equal.
        var outcomes: [[UInt8]: MigrationExport.Outcome] = [:]
        try export.run { outcomes[Array($0.key.utf8)] = $0 }
        #expect(!FileManager.default.fileExists(atPath: path(name + ".partial").string))
        return outcomes
    }

    /// Returns the index files below a folder, by their paths.
    private func indexes(_ root: FilePath) throws -> [String: Data] {
        var found: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: root.string)
        where name.hasSuffix(".full.idx") || name.hasSuffix(".version") {
            found[name] = FileManager.default.contents(atPath: root.appending(name).string)
        }
        return found
    }

    @Test(
        "a small budget splits the records, and changes no byte",
        arguments: [1 << 26, 60_000, 2_000, 1],
        [CARIndex.sorted, CARIndex.multihashSorted]
    )
    func budgets(budget: Int, codec: UInt64) throws {
        var random = SplitMix64(seed: 11)
        var records: [(hashCode: UInt64, digest: [UInt8], offset: UInt64)] = []
        for number in 0..<3_000 {
            let size = [0, 1, 20, 32, 32, 32, 64][Int(random.next() % 7)]
            var digest = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            // One record in ten is repeated at another offset.
            if number % 10 == 9 { digest = records[number - 5].digest }
            let code: UInt64 = size < 20 ? 0 : size == 20 ? 0x11 : number % 3 == 0 ? 0x16 : 0x12
            records.append((code, digest, UInt64(number * 100)))
        }
        for hasIdentity in [false, true] {
            var builder = CARIndexBuilder(storesIdentity: hasIdentity)
            for record in records {
                record.digest.withView {
                    builder.append(hashCode: record.hashCode, digest: $0, offset: record.offset)
                }
            }
            let order = try DigestOrder(codec: codec, hasIdentity: hasIdentity, budget: budget) {
                body in
                for record in records {
                    try record.digest.withView { digest in
                        let entry = ImportedEntry(
                            hashCode: record.hashCode,
                            digest: digest,
                            offset: record.offset
                        )
                        return Result { try body(entry) }
                    }.get()
                }
            }
            var bytes: [UInt8] = []
            #expect(try order.encode { bytes += $0 })
            #expect(order.count == UInt64(builder.count))
            #expect(bytes == builder.encoded(codec: codec))
        }
    }

    @Test("an index that changes between two walks is reported as incomplete")
    func changing() throws {
        var walks = 0
        let order = try DigestOrder(codec: 0x0401, hasIdentity: true, budget: 1 << 20) { body in
            walks += 1
            for number in 0..<walks {
                try [UInt8](repeating: UInt8(number), count: 32).withView { digest in
                    let entry = ImportedEntry(hashCode: 0x12, digest: digest, offset: 0)
                    return Result { try body(entry) }
                }.get()
            }
        }
        #expect(try order.encode { _ in } == false)
    }

    @Test("a destination that exists stays unchanged")
    func destinations() async throws {
        let store = try open()
        _ = try folder.write([1], to: "file")
        try FileManager.default.createDirectory(
            atPath: path("full/inner").string,
            withIntermediateDirectories: true
        )
        try FileManager.default.createDirectory(
            atPath: path("left.partial").string,
            withIntermediateDirectories: true
        )
        for name in ["file", "full", "left", "file/..", ".."] {
            #expect(throws: MigrationError(.destinationExists, "", "")) {
                _ = try export(store, to: name, .indexes)
            }
        }
        #expect(throws: MigrationError(.destinationUnwritable, "", "")) {
            _ = try export(store, to: "nowhere/out", .indexes)
        }
        #expect(FileManager.default.contents(atPath: path("file").string) == Data([1]))
        #expect(FileManager.default.fileExists(atPath: path("full/inner").string))
        // An empty folder is accepted.
        try FileManager.default.createDirectory(
            atPath: path("empty").string,
            withIntermediateDirectories: true
        )
        #expect(try export(store, to: "empty", .indexes).isEmpty)
        #expect(try indexes(path("empty")) == [".version": Data([UInt8(ascii: "1")])])
        await store.close()
    }

    @Test(
        "index files have the same bytes after a migration and an export",
        .enabled(if: Vectors.areHere)
    )
    func indexFiles() async throws {
        let source = FilePath(Vectors.url("go-dagstore/indices").path)
        let store = try open()
        try run(source, to: store)
        let outcomes = try export(store, .indexes)
        #expect(outcomes.count == 100)
        #expect(outcomes.values.allSatisfy { $0.problems.isEmpty })
        for key in outcomes.values.map(\.key) {
            let old = FileManager.default.contents(atPath: source.appending(key + ".idx").string)
            let name = path("out").appending(key + ".full.idx")
            #expect(old != nil)
            #expect(FileManager.default.contents(atPath: name.string) == old, "\(key)")
        }
        await store.close()
    }

    @Test(
        "the store's own index is exported as the file that go-car makes",
        .enabled(if: Vectors.areHere)
    )
    func registeredHere() async throws {
        let store = try open()
        let names = ["v1-mixed", "v1-identity", "v1-cidv0", "v2-noidx", "v1-dups"]
        for name in names {
            let car = FilePath(Vectors.url("go-dagstore/cars/\(name).car").path)
            try await store.register(ShardKey(name), from: FileMount(car))
        }
        let outcomes = try export(store, .indexes)
        for name in names {
            let vector = Vectors.url("go-dagstore/indices/\(name).car.0401.idx")
            let expected = try Data(contentsOf: vector)
            #expect(outcomes[Array(name.utf8)]?.codec == 0x0401)
            let made = path("out").appending(name + ".full.idx")
            #expect(FileManager.default.contents(atPath: made.string) == expected, "\(name)")
        }
        await store.close()
    }
}

#if LevelDB
    extension ExportTests {
        /// Returns the rows of a datastore.
        private func rows(_ root: FilePath, _ prefix: String) throws -> [[UInt8]: [UInt8]] {
            var rows: [[UInt8]: [UInt8]] = [:]
            let reader = try LevelDBReader(at: root.appending("datastore"))
            try reader.forEach(prefix: Array(prefix.utf8)) { key, value in
                rows[key.copied] = value.copied
                return true
            }
            return rows
        }

        private func keys(_ row: [UInt8]?) throws -> Set<[UInt8]> {
            let keys = try JSONDecoder().decode([String].self, from: Data(row ?? []))
            return Set(keys.map { Array($0.utf8) })
        }

        @Test(
            "a Go node's folder is the same after a migration and an export",
            .enabled(if: Vectors.areHere),
            arguments: PlanTests.all
        )
        func roundTrip(repository: String) async throws {
            let source = FilePath(Vectors.url("go-dagstore/\(repository)/dagstore").path)
            let store = try open()
            try run(source, to: store)
            let outcomes = try export(store)
            let records = try rows(source, "/dagstore/")
            #expect(outcomes.count == records.count)
            // Records have the same bytes, except for the states that the reference itself changes at a restart.
            let written = try rows(path("out"), "/dagstore/")
            #expect(Set(written.keys) == Set(records.keys))
            for (key, bytes) in records {
                var record = try #require(GoRecord.decode(bytes))
                let planned = try #require(GoRecord.decode(written[key] ?? []))
                let isWhole = [
                    GoRecord.State.new, GoRecord.State.available, GoRecord.State.errored,
                ]
                .contains(record.state)
                if isWhole { #expect(planned.state == record.state) }
                #expect(GoRecord.State.serving != planned.state)
                if record.state == GoRecord.State.recovering {
                    #expect(planned.state == GoRecord.State.errored)
                    #expect(!planned.error.isEmpty)
                    record.error = planned.error
                }
                record.state = planned.state
                record.transientPath = ""
                #expect(written[key] == record.encoded)
            }
            // Indexes have the same bytes, except for those without a shard.
            let orphans = try MigrationSource(at: source).plan().strays
                .filter { $0.kind == .orphanIndex }.map { "index/" + $0.detail }
            let old = try indexes(source).filter { !orphans.contains($0.key) }
            #expect(try indexes(path("out")) == old)
            // Inverse entries have the same keys, with the same shards in any order.
            let indexed = Set(outcomes.filter { $0.value.entries != nil }.keys)
            var expected: [[UInt8]: Set<[UInt8]>] = [:]
            for (key, row) in try rows(source, "/inverted/index/") {
                let shards = try keys(row).intersection(indexed)
                if !shards.isEmpty { expected[key] = shards }
            }
            let inverse = try rows(path("out"), "/inverted/index/").mapValues { try keys($0) }
            #expect(inverse == expected)
            await store.close()
        }

        @Test("an export can be migrated and exported again")
        func oddKeysAndStates() async throws {
            let source = path("source")
            for name in ["source", "source/index", "source/datastore"] {
                try FileManager.default.createDirectory(
                    atPath: path(name).string,
                    withIntermediateDirectories: true
                )
            }
            let odd = [
                "a/b", "a//b/", "..", "quote\"back\\slash", "<&>\u{2028}\u{8}\u{c}\n\u{1f}",
                "e\u{301}", "\u{e9}", String(repeating: "k", count: 480), " ", "%2F", "-rf",
                "\u{1F600}",
            ]
            let states: [UInt8] = [0, 1, 2, 3, 0x80, 0xf0, 7, 0xff]
            try {
                let writer = try LevelDBWriter(creating: source.appending("datastore"))
                for (number, key) in odd.enumerated() {
                    let record = GoRecord(
                        key: key,
                        mountURL: "lotus://\(number)",
                        transientPath: "",
                        state: states[number % states.count],
                        isLazy: number % 2 == 0,
                        error: number % states.count == 5 ? "<broken>\n" : ""
                    )
                    // Three keys, of which the reference has one record for the first two.
                    try writer.put(Array("/dagstore/\(number)".utf8), record.encoded)
                    if key.utf8.count <= 246, !key.contains("/") {
                        var builder = CARIndexBuilder(storesIdentity: true)
                        // The reference cleans the second and third key to the same.
                        for (place, text) in ["own\(number)", "a//b", "a/b/", "a/bc"].enumerated() {
                            Array(text.utf8).withView {
                                builder.append(hashCode: 0, digest: $0, offset: UInt64(place * 9))
                            }
                        }
                        _ = try folder.write(
                            builder.encoded(),
                            to: "source/index/\(key).full.idx"
                        )
                    }
                }
                try writer.finish()
            }()
            let store = try open()
            try run(source, to: store)
            let first = try export(store)
            #expect(first.count == odd.count)
            // The second of the two shards.
            let losers = ["a/b", "a//b/"].flatMap { first[Array($0.utf8)]?.problems ?? [] }
            #expect(losers.map(\.kind) == [.duplicateKey])
            #expect(first[Array(odd[7].utf8)]?.problems == [])
            let records = try rows(path("out"), "/dagstore/")
            #expect(records.count == odd.count - 1)
            await store.close()
            // A second migration and export change nothing.
            let other = try open("other")
            try run(path("out"), to: other)
            _ = try export(other, to: "again")
            let files = try indexes(path("out"))
            #expect(try indexes(path("again")) == files)
            #expect(try rows(path("again"), "/dagstore/") == records)
            let inverse = try rows(path("out"), "/inverted/index/").mapValues { try keys($0) }
            let later = try rows(path("again"), "/inverted/index/").mapValues { try keys($0) }
            #expect(later == inverse)
            let collided = inverse[Array("/inverted/index/\0\u{4}a/b".utf8)] ?? []
            let plain = inverse[Array("/inverted/index/\0\u{4}a/bc".utf8)] ?? []
            #expect(collided == plain)
            #expect(collided.count == odd.count - 3)
            await other.close()
        }

        @Test("mounts are written in the reference's form, or as the map says")
        func mounts() async throws {
            let other = GoRecord.mountURL(try MountURL("lotus://x/y"))
            #expect(other.text == "lotus://x/y")
            let file = GoRecord.mountURL(FileMount("/srv/a b.car").url)
            #expect(file.text == "file://%2Fsrv%2Fa%20b.car")
            #expect(!file.isReadable)
            let plain = GoRecord.mountURL(FileMount("v1-\u{e9}(1).car").url)
            #expect(plain.text == "file://v1-%C3%A9(1).car")
            #expect(plain.isReadable)
            guard Vectors.areHere else { return }
            let store = try open()
            let car = FilePath(Vectors.url("go-dagstore/cars/v1-mixed.car").path)
            try await store.register(ShardKey("k"), from: FileMount(car))
            #expect(
                try export(store)[Array("k".utf8)]?.problems.map(\.kind) == [.absolutePathDamaged]
            )
            var map = MountMap()
            try map.map("file", to: "lotus://{key}")
            #expect(try export(store, to: "mapped", map: map)[Array("k".utf8)]?.problems == [])
            let mapped = try rows(path("mapped"), "/dagstore/")
            let record = try #require(mapped.values.first)
            #expect(GoRecord.decode(record)?.mountURL == "lotus://k")
            await store.close()
        }
    }
#endif
