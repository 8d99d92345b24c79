import DAGBytes
import DAGCatalog
import Foundation
import TestSupport
import Testing

@Suite("Pending work and format 2")
struct PendingWorkTests {
    private static let work = PendingWork(kind: .recover, since: 0x0102_0304_0506_0708)
    private static let row: [UInt8] = [2, 0, 0, 0, 0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1]

    /// A closed catalog with one shard that waits.
    private static func folder() throws -> CatalogFolder {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        _ = try catalog.commit([.insert(CommitTests.registered("a"), pending: work)])
        catalog.close()
        return folder
    }

    @Test("the bytes of a pending row are these")
    func golden() throws {
        #expect(try Self.folder().row([0, 0, 0, 1], in: "pending") == Self.row)
    }

    @Test("shards and generations on pending are kept apart, also after reopening")
    func twoKinds() throws {
        let folder = try Self.folder()
        var catalog = try folder.open()
        let generations = try (0..<3).map { _ in try catalog.beginGeneration([]) }
        let more = try catalog.commit([
            .insert(CommitTests.registered("b"), pending: nil),
            .insert(CommitTests.registered("c"), pending: CommitTests.work),
        ])
        for _ in 0..<2 {
            #expect(try catalog.pendingGenerations() == generations)
            let shards = try catalog.pendingShards()
            #expect(shards.map(\.number) == [1, more[1].number])
            #expect(shards.map(\.work) == [Self.work, CommitTests.work])
            #expect(try catalog.pendingWork(of: 1) == Self.work)
            #expect(try catalog.pendingWork(of: 2) == nil)
            #expect(try catalog.standing(of: "a")?.pending == Self.work)
            #expect(try catalog.standings(after: 1, limit: 1).map(\.record) == [more[0]])
            catalog.close()
            catalog = try folder.open()
        }
        // The end of a generation leaves the shard with the same digits alone.
        try catalog.deleteGeneration(generations[0])
        #expect(try catalog.pendingShards().count == 2)
        catalog.close()
    }

    @Test(
        "a pending row that cannot be read is corrupt",
        arguments: [
            [], Array(row.prefix(15)), row + [0], [0] + row.dropFirst(), [3] + row.dropFirst(),
            [1, 1] + row.dropFirst(2),
        ] as [[UInt8]]
    )
    func damagedRow(value: [UInt8]) throws {
        let folder = try Self.folder()
        try folder.putRow([0, 0, 0, 1], value, in: "pending")
        let catalog = try folder.open()
        #expect(throws: CatalogError(.corrupt, "")) { try catalog.pendingShards() }
        #expect(throws: CatalogError(.corrupt, "")) { try catalog.pendingWork(of: 1) }
        #expect(throws: CatalogError(.corrupt, "")) { try catalog.standing(of: "a") }
        #expect(throws: CatalogError(.corrupt, "")) { try catalog.standings(after: nil, limit: 1) }
        #expect(try catalog.records(after: nil, limit: 1).count == 1)
        #expect(try catalog.pendingGenerations().isEmpty)
        catalog.close()
    }

    /// A closed catalog as format 1 left it, with one shard.
    private static func folderOfFormat1() throws -> CatalogFolder {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        try catalog.publish(.available("a"))
        catalog.close()
        try folder.putRow(Array("format".utf8), [1, 0, 0, 0], in: "meta")
        let bytes = try #require(try folder.row([0, 0, 0, 1], in: "shards"))
        // Version 1 is version 3 without the end of the header and the checksum.
        let old = [1] + bytes[1..<100] + bytes[128..<bytes.count - 8]
        try folder.putRow([0, 0, 0, 1], Array(old), in: "shards")
        return folder
    }

    @Test("a catalog of format 1 is read as it is")
    func readingFormat1() throws {
        let folder = try Self.folderOfFormat1()
        let data = URL(filePath: folder.path + "/data.mdb")
        let before = try Data(contentsOf: data)
        let catalog = try folder.open(isReadOnly: true)
        #expect(try catalog.keys() == ["a"])
        #expect(try catalog.standing(of: "a")?.record.sectionCount == 7)
        #expect(try catalog.pendingShards().isEmpty)
        #expect(try catalog.damage(limit: 10) == [])
        catalog.close()
        #expect(try Data(contentsOf: data) == before)
    }

    @Test("a catalog of format 1 becomes format 4 when its inverse index is there")
    func upgrade() throws {
        let folder = try Self.folderOfFormat1()
        let old = try folder.row([0, 0, 0, 1], in: "shards")
        var catalog = try folder.open()
        let transaction = try catalog.lastTransaction
        var record = try #require(try catalog.record(of: "a"))
        // Rows that are equal in both formats stay.
        try catalog.update(record)
        #expect(try catalog.lastTransaction == transaction)
        #expect(catalog.lacksInverse)
        try catalog.retireInverse([], forgetting: 0)
        let transactionAfter = try catalog.lastTransaction
        catalog.close()
        #expect(try folder.row(Array("format".utf8), in: "meta") == [4, 0, 0, 0])
        #expect(try folder.row([0, 0, 0, 1], in: "shards") == old)
        catalog = try folder.open()
        #expect(!catalog.lacksInverse)
        #expect(try catalog.lastTransaction == transactionAfter)
        record.validator = "v"
        try catalog.update(record)
        catalog.close()
        #expect(try folder.row([0, 0, 0, 1], in: "shards") == record.encoded())
    }
}
