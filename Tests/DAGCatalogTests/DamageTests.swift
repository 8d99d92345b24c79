import DAGBytes
import DAGCatalog
import ShardIndex
import TestSupport
import Testing

@Suite("Damage and repairs")
struct DamageTests {
    private static let first: [UInt8] = [0, 0, 0, 1]
    private static let counters = Array("counters".utf8)

    private static func generation(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * UInt64($0))) }
    }

    /// A closed catalog: "a" and "b" have an index each, "c" waits, and a generation is pending.
    private static func folder() throws -> CatalogFolder {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        let records = try catalog.commit([
            .insert(CommitTests.registered("a"), pending: nil),
            .insert(CommitTests.registered("b"), pending: nil),
            .insert(CommitTests.registered("c"), pending: CommitTests.work),
        ])
        _ = try catalog.commit(records[0..<2].map { .publish($0, CommitTests.parts()) })
        _ = try catalog.beginGeneration([.pages(number: 0, bytes: [1])])
        catalog.close()
        return folder
    }

    /// Opens the catalog for a look or a repair.
    @discardableResult
    private func withCatalog<R>(_ folder: CatalogFolder, _ body: (Catalog) throws -> R) throws -> R
    {
        let catalog = try folder.open()
        defer { catalog.close() }
        return try body(catalog)
    }

    private func found(_ folder: CatalogFolder) throws -> [CatalogDamage] {
        try withCatalog(folder) { try $0.damage(limit: 100) }
    }

    @Test("a sound catalog has no damage, and repairs leave it unchanged")
    func whole() throws {
        let folder = try Self.folder()
        #expect(try found(folder) == [])
        let empty = try CatalogFolder()
        #expect(try found(empty) == [])
        try withCatalog(folder) { catalog in
            let before = try catalog.lastTransaction
            try catalog.repairCounters()
            for record in try catalog.records(after: nil, limit: 10) {
                try catalog.restoreKeyRow(record)
            }
            try catalog.dropPending(1)
            #expect(try catalog.lastTransaction == before)
            #expect(throws: CatalogError(.exists, "")) { try catalog.dropPending(3) }
            #expect(throws: CatalogError(.exists, "")) { try catalog.dropOrphanGeneration(1) }
            #expect(try catalog.damage(limit: 10) == [])
        }
    }

    @Test("a key without its record is found, and so is the record's index")
    func keyWithoutRecord() throws {
        let folder = try Self.folder()
        try folder.deleteRow(Self.first, in: "shards")
        let found = try found(folder)
        #expect(found.map(\.kind) == [.keyWithoutRecord, .generationOrphaned, .countersWrong])
        #expect(found.map(\.shard) == [1, nil, nil])
        #expect(found.map(\.key) == ["a", nil, nil])
        #expect(found.map(\.generation) == [nil, 1, nil])
        try withCatalog(folder) { catalog in
            #expect(try catalog.damage(limit: 2).map(\.kind) == Array(found.prefix(2)).map(\.kind))
            #expect(try catalog.damage(limit: 0) == [])
            try catalog.dropOrphanGeneration(1)
            try catalog.repairCounters()
            #expect(try catalog.damage(limit: 10).map(\.kind) == [.keyWithoutRecord])
        }
        #expect(try folder.rowCounts()["roots"] == 1)
    }

    @Test("a record without its key is found and gets it back")
    func recordWithoutKey() throws {
        let folder = try Self.folder()
        try folder.deleteRow(Array("a".utf8), in: "keys")
        try withCatalog(folder) { catalog in
            let found = try catalog.damage(limit: 10)
            #expect(found.map(\.kind) == [.recordWithoutKey])
            let record = try #require(try catalog.record(1))
            #expect(found.first?.shard == 1)
            #expect(try catalog.record(of: "a") == nil)
            try catalog.restoreKeyRow(record)
            #expect(try catalog.record(of: "a") == record)
            #expect(try catalog.damage(limit: 10) == [])
        }
    }

    @Test("a key that leads to another shard's record is found and set right")
    func crossedKeys() throws {
        let folder = try Self.folder()
        try folder.putRow(Array("a".utf8), [2, 0, 0, 0], in: "keys")
        try withCatalog(folder) { catalog in
            let found = try catalog.damage(limit: 10)
            #expect(found.map(\.kind) == [.keyOfAnotherShard, .recordWithoutKey])
            #expect(found.map(\.shard) == [2, 1])
            #expect(found.map(\.key) == ["a", "a"])
            try catalog.restoreKeyRow(try #require(try catalog.record(1)))
            #expect(try catalog.damage(limit: 10) == [])
        }
    }

    @Test("of two records with one key, the one that the key leads to keeps it")
    func twins() throws {
        let folder = try Self.folder()
        let bytes = try #require(try folder.row([0, 0, 0, 3], in: "shards"))
        try folder.putRow([0, 0, 0, 9], bytes, in: "shards")
        try withCatalog(folder) { catalog in
            let twin = try #require(try catalog.record(9))
            #expect(throws: CatalogError(.exists, "")) { try catalog.restoreKeyRow(twin) }
            var other = twin
            other.number = 8
            #expect(throws: CatalogError(.missing, "")) { try catalog.restoreKeyRow(other) }
            let kinds = try catalog.damage(limit: 10).map(\.kind)
            #expect(kinds == [.recordWithoutKey, .countersWrong])
            // A number that is in use would be given again.
            try catalog.repairCounters()
            #expect(try catalog.counters().nextShard == 10)
        }
    }

    @Test("a record that cannot be read is found, and its index is no orphan", arguments: [0, 99])
    func unreadable(version: UInt8) throws {
        let folder = try Self.folder()
        var bytes = try #require(try folder.row(Self.first, in: "shards"))
        bytes[0] = version
        try folder.putRow(Self.first, bytes, in: "shards")
        let found = try found(folder)
        #expect(found.map(\.kind) == [.recordUnreadable, .countersWrong])
        #expect(found[0].shard == 1)
        try withCatalog(folder) { catalog in
            #expect(throws: CatalogError(.exists, "")) { try catalog.dropOrphanGeneration(1) }
        }
    }

    @Test("generations that are lost, shared or doomed are found")
    func generations() throws {
        let folder = try Self.folder()
        try folder.deleteRow(Self.generation(1), in: "roots")
        var bytes = try #require(try folder.row([0, 0, 0, 3], in: "shards"))
        // The third record names the second one's generation, which is pending besides.
        bytes.replaceSubrange(8..<16, with: Self.generation(2).reversed())
        try folder.putRow([0, 0, 0, 3], bytes.withChecksumAtEnd(), in: "shards")
        try folder.putRow(Self.generation(2), [], in: "pending")
        let found = try found(folder)
        #expect(
            found.map(\.kind) == [
                .generationWithoutRoot, .generationNamedAndPending, .generationNamedAndPending,
                .generationNamedTwice,
            ]
        )
        #expect(found.map(\.shard) == [1, 2, 3, 3])
        #expect(found.map(\.generation) == [1, 2, 2, 2])
    }

    @Test(
        "rows of an unknown generation are found in every table, and dropped",
        arguments: ["roots", "pages", "locators"],
        [77, 1 << 22, 1 << 40, .max - 1] as [UInt64]
    )
    func orphans(table: String, generation: UInt64) throws {
        let folder = try Self.folder()
        let before = try folder.rowCounts()
        for value in 0..<(table == "roots" ? 1 : 3) as Range<UInt8> {
            let suffix: [UInt8] = table == "roots" ? [] : [0, 0, 0, value]
            try folder.putRow(Self.generation(generation) + suffix, [1], in: table)
        }
        let found = try found(folder)
        #expect(found.map(\.kind) == [.generationOrphaned, .countersWrong])
        #expect(found[0].generation == generation)
        try withCatalog(folder) { catalog in
            try catalog.dropOrphanGeneration(generation)
            #expect(try catalog.damage(limit: 10) == [])
        }
        #expect(try folder.rowCounts() == before)
    }

    @Test("pending work of a missing shard is found and dropped")
    func pendingWithoutRecord() throws {
        let folder = try Self.folder()
        let row = try #require(try folder.row([0, 0, 0, 3], in: "pending"))
        try folder.putRow([0, 0, 0, 9], row, in: "pending")
        try folder.putRow([0, 0, 0, 2], [1], in: "pending")
        try withCatalog(folder) { catalog in
            let found = try catalog.damage(limit: 10)
            #expect(found.map(\.kind) == [.rowUnreadable, .pendingWithoutRecord])
            #expect(found.map(\.shard) == [2, 9])
            try catalog.dropPending(9)
            try catalog.dropPending(2)
            #expect(try catalog.damage(limit: 10) == [])
            #expect(try catalog.pendingShards().map(\.number) == [3])
        }
    }

    @Test("counters that differ from a recount are found and set right", arguments: 0..<64)
    func wrongCounters(place: Int) throws {
        let folder = try Self.folder()
        var bytes = try #require(try folder.row(Self.counters, in: "meta"))
        let right = bytes
        // The word after the number of the next shard is not read; a greater next number is right,
        // too.
        guard !(4..<8).contains(place) else { return }
        bytes[place] = place < 16 ? 0 : bytes[place] ^ 1
        let isDamaged = bytes != right
        try folder.putRow(Self.counters, bytes.withChecksumAtEnd(), in: "meta")
        try withCatalog(folder) { catalog in
            #expect(
                try catalog.damage(limit: 10).map(\.kind) == (isDamaged ? [.countersWrong] : [])
            )
            try catalog.repairCounters()
            #expect(try catalog.damage(limit: 10) == [])
        }
        #expect(try folder.row(Self.counters, in: "meta") == right)
    }

    @Test("segments of a run that is not listed are found and dropped, those of others stay")
    func orphanRun() throws {
        let folder = try Self.folder()
        let shape = InverseRunShape(entries: 1, shards: 1...1)
        for generation: UInt64 in [70, 71, 72, .max] {
            let segment = Self.generation(generation) + [0, 0, 0, 0]
            try folder.putRow(segment, [1], in: "inverse")
        }
        try folder.putRow(Self.generation(70), shape.encoded, in: "runs")
        try folder.putRow(Self.generation(72), [], in: "pending")
        try withCatalog(folder) { catalog in
            let found = try catalog.damage(limit: 100)
            #expect(found.map(\.kind) == [.runOrphaned, .runOrphaned, .countersWrong])
            #expect(found.map(\.generation) == [71, .max, nil])
            #expect(throws: CatalogError(.exists, "")) { try catalog.dropOrphanRun(70) }
            #expect(throws: CatalogError(.exists, "")) { try catalog.dropOrphanRun(72) }
            try catalog.dropOrphanRun(71)
            try catalog.dropOrphanRun(.max)
            #expect(try catalog.damage(limit: 100).map(\.kind) == [.countersWrong])
        }
        let last = Self.generation(.max)
        #expect(try folder.row(last + [0, 0, 0, 0], in: "inverse") == nil)
        #expect(try folder.row(last, in: "runs") == nil)
        #expect(try folder.row(Self.generation(70) + [0, 0, 0, 0], in: "inverse") == [1])
    }

    @Test("a run whose key is cut short is corrupt, for every reader", arguments: [1, 7, 9])
    func cutRunKey(size: Int) throws {
        let folder = try Self.folder()
        try folder.putRow([UInt8](repeating: 1, count: size), [1], in: "runs")
        try withCatalog(folder) { (catalog) throws -> Void in
            let corrupt = CatalogError(.corrupt, "")
            #expect(throws: corrupt) { try catalog.inverseRuns() }
            #expect(throws: corrupt) { try catalog.forEachShard(inverse: 1) { _ in } }
            var checked = CheckedSegments()
            #expect(throws: corrupt) { try catalog.missing([1], of: 1, checked: &checked) }
            #expect(try catalog.damage(limit: 10).map(\.kind) == [.rowUnreadable])
        }
    }

    @Test("missing counters are written again")
    func missingCounters() throws {
        let folder = try Self.folder()
        let right = try folder.row(Self.counters, in: "meta")
        try folder.deleteRow(Self.counters, in: "meta")
        try withCatalog(folder) { catalog in
            #expect(try catalog.damage(limit: 10).map(\.kind) == [.countersWrong])
            try catalog.repairCounters()
        }
        #expect(try folder.row(Self.counters, in: "meta") == right)
    }

    @Test("a scan finds damage beyond the rows of one transaction")
    func manyRows() throws {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        _ = try catalog.commit(
            (0..<3000).map { .insert(CommitTests.registered("\($0)"), pending: nil) }
        )
        #expect(try catalog.damage(limit: 10) == [])
        catalog.close()
        try folder.deleteRow(Array("2999".utf8), in: "keys")
        let found = try found(folder)
        #expect(found.map(\.kind) == [.recordWithoutKey])
        #expect(found.map(\.shard) == [3000])
    }

    @Test("rows of any bytes are reported, and never trap", arguments: 1...6)
    func randomRows(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let folder = try Self.folder()
        for _ in 0..<40 {
            let tables = CatalogFolder.tables.filter { $0 != "meta" }
            let table = try #require(tables.randomElement(using: &generator))
            let key = generator.bytes([1, 4, 8, 12, 40, 511].randomElement(using: &generator) ?? 1)
            let size = Int.random(in: 0...130, using: &generator)
            try folder.putRow(key, generator.bytes(size), in: table)
        }
        try withCatalog(folder) { catalog in
            #expect(try catalog.damage(limit: 7).count == 7)
            #expect(try catalog.damage(limit: 1000).count >= 20, "seed \(seed)")
            try catalog.repairCounters()
        }
    }
}
