import DAGBytes
import DAGCatalog
import DAGLMDB
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Damaged catalogs")
struct DamagedCatalogTests {
    private static let corrupt = CatalogError(.corrupt, "")
    private static let firstShard: [UInt8] = [0, 0, 0, 1]

    /// A catalog with two shards, closed.
    private static func folder() throws -> CatalogFolder {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        try catalog.publish(.available("a"))
        try catalog.publish(.available("b"))
        catalog.close()
        return folder
    }

    @Test("a catalog of a later format is too new, for writers and readers")
    func tooNew() throws {
        let folder = try Self.folder()
        let format = Array("format".utf8)
        try folder.putRow(format, [99, 0, 0, 0], in: "meta")
        for isReadOnly in [false, true] {
            #expect(throws: CatalogError(.tooNew, "")) { try folder.open(isReadOnly: isReadOnly) }
        }
        // The opening has changed nothing.
        #expect(try folder.row(format, in: "meta") == [99, 0, 0, 0])
        #expect(try folder.rowCounts()["shards"] == 2)
        try folder.putRow(format, [1, 0, 0, 0], in: "meta")
        let catalog = try folder.open()
        #expect(try catalog.keys() == ["a", "b"])
        catalog.close()
    }

    @Test(
        "a format that cannot be is corrupt",
        arguments: [[], [1], [0, 0, 0, 0], [1, 0, 0, 0, 0]] as [[UInt8]]
    )
    func format(value: [UInt8]) throws {
        let folder = try Self.folder()
        try folder.putRow(Array("format".utf8), value, in: "meta")
        #expect(throws: Self.corrupt) { try folder.open() }
    }

    @Test("a hash key of another size is corrupt", arguments: [0, 15, 17])
    func hashKey(size: Int) throws {
        let folder = try Self.folder()
        let key = [UInt8](repeating: 1, count: size)
        try folder.putRow(Array("hash-key".utf8), key, in: "meta")
        #expect(throws: Self.corrupt) { try folder.open() }
    }

    @Test(
        "a generation that cannot be is corrupt",
        arguments: [[1], [UInt8](repeating: 0xff, count: 8)]
    )
    func pendingGeneration(key: [UInt8]) throws {
        let folder = try Self.folder()
        try folder.putRow(key, [], in: "pending")
        let catalog = try folder.open()
        #expect(throws: Self.corrupt) { try catalog.pendingGenerations() }
        catalog.close()
    }

    // A new hash key would make every locator useless, and new counters would give numbers twice.
    @Test("a catalog without its hash key is corrupt, and not opened as a new one")
    func lostHashKey() throws {
        let folder = try Self.folder()
        try folder.deleteRow(Array("hash-key".utf8), in: "meta")
        #expect(throws: Self.corrupt) { try folder.open() }
        #expect(try folder.row(Array("hash-key".utf8), in: "meta") == nil)
    }

    @Test("counters of another size are corrupt, for every operation", arguments: [0, 63, 65])
    func counters(size: Int) throws {
        let folder = try Self.folder()
        let counters = [UInt8](repeating: 1, count: size)
        try folder.putRow(Array("counters".utf8), counters, in: "meta")
        let catalog = try folder.open()
        #expect(throws: Self.corrupt) { try catalog.counters() }
        #expect(throws: Self.corrupt) { try catalog.publish(.available("c")) }
        #expect(try catalog.keys() == ["a", "b"])
        catalog.close()
    }

    @Test("missing counters are corrupt")
    func missingCounters() throws {
        let folder = try Self.folder()
        try folder.deleteRow(Array("counters".utf8), in: "meta")
        let catalog = try folder.open()
        #expect(throws: Self.corrupt) { try catalog.counters() }
        #expect(throws: Self.corrupt) { try catalog.beginGeneration([]) }
        catalog.close()
    }

    @Test(
        "counters at the end of their range end an operation, not the process",
        arguments: [0, 8]
    )
    func exhaustedCounters(place: Int) async throws {
        let folder = try Self.folder()
        var counters = try #require(try folder.row(Array("counters".utf8), in: "meta"))
        for index in place..<place + (place == 0 ? 4 : 8) { counters[index] = 0xff }
        try folder.putRow(Array("counters".utf8), counters, in: "meta")
        await #expect(processExitsWith: .success) { [path = folder.path as String] in
            let catalog = try Catalog(
                at: FilePath(path),
                lockFile: FilePath(path + "/LOCK"),
                options: Catalog.Options(mapSize: 1 << 30, isRelaxed: true),
                randomKey: (1, 2)
            )
            for index in 0..<2 {
                let record = ShardRecord(
                    number: 0,
                    key: "\(index)",
                    mountURL: "",
                    state: .available
                )
                _ = try? catalog.publish(record, root: [1], generation: nil, pieces: [])
            }
            catalog.close()
        }
    }

    @Test("bytes that are not a record are corrupt", arguments: [[], [1], [1, 2, 3]] as [[UInt8]])
    func record(value: [UInt8]) throws {
        let folder = try Self.folder()
        try folder.putRow(Self.firstShard, value, in: "shards")
        let catalog = try folder.open()
        #expect(throws: Self.corrupt) { try catalog.record(1) }
        #expect(throws: Self.corrupt) { try catalog.record(of: "a") }
        #expect(throws: Self.corrupt) { try catalog.records(after: nil, limit: 10) }
        #expect(try catalog.records(after: 1, limit: 10).map(\.key) == ["b"])
        var record = ShardRecord.available("a")
        record.number = 1
        #expect(throws: Self.corrupt) { try catalog.update(record) }
        catalog.close()
    }

    @Test("a key without its record is corrupt")
    func danglingKey() throws {
        let folder = try Self.folder()
        try folder.deleteRow(Self.firstShard, in: "shards")
        let catalog = try folder.open()
        #expect(throws: Self.corrupt) { try catalog.record(of: "a") }
        #expect(try catalog.record(of: "b") != nil)
        catalog.close()
    }

    @Test("a key whose number has another size is corrupt", arguments: [0, 3, 8])
    func number(size: Int) throws {
        let folder = try Self.folder()
        try folder.putRow(Array("a".utf8), [UInt8](repeating: 0, count: size), in: "keys")
        let catalog = try folder.open()
        #expect(throws: Self.corrupt) { try catalog.number(of: "a") }
        #expect(throws: Self.corrupt) { try catalog.record(of: "a") }
        catalog.close()
    }

    // Wrong bytes for a key would be the worst answer.
    @Test("a key that leads to another shard's record is corrupt")
    func crossedKeys() throws {
        let folder = try Self.folder()
        try folder.putRow(Array("a".utf8), [2, 0, 0, 0], in: "keys")
        let catalog = try folder.open()
        #expect(throws: Self.corrupt) { try catalog.record(of: "a") }
        catalog.close()
    }

    @Test("a file that is not a database is corrupt or of another version, and stays unchanged")
    func notADatabase() throws {
        let folder = try CatalogFolder()
        let junk = Data(repeating: 0x5a, count: 20_000)
        try junk.write(to: URL(filePath: folder.path + "/data.mdb"))
        let error = #expect(throws: CatalogError.self) { try folder.open() }
        #expect(error == Self.corrupt || error == CatalogError(.tooNew, ""))
        #expect(try Data(contentsOf: URL(filePath: folder.path + "/data.mdb")) == junk)
    }
}
