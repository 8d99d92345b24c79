import DAGBytes
import DAGCatalog
import DAGFailpoints
import DAGLMDB
import DAGMounts
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

/// Stores that earlier programs wrote open in this one.
@Suite("Earlier formats")
struct FormatTests {
    /// A folder with the store of a fixture.
    private static func copy(_ name: String) throws -> StoreFolder {
        let folder = try StoreFolder()
        let files = FileManager.default
        let fixture = PackageFolder.fixtures.appending(path: name)
        try files.createDirectory(
            atPath: folder.storePath,
            withIntermediateDirectories: true
        )
        try files.copyItem(
            at: fixture.appending(path: "catalog"),
            to: URL(filePath: folder.storePath + "/catalog")
        )
        for car in ["a.car", "b.car"] {
            try files.copyItem(
                at: fixture.appending(path: car),
                to: URL(filePath: folder.path(of: car))
            )
        }
        return folder
    }

    private static func format(of folder: StoreFolder) throws -> UInt8? {
        let environment = try Environment.open(
            at: folder.storePath + "/catalog",
            options: .init(tables: ["meta"], mapSize: 1 << 30, isReadOnly: true)
        )
        let table = environment.table("meta")
        return try environment.read { (reader) throws(LMDBError) in
            try Array("format".utf8).withView { key throws(LMDBError) in
                try reader.get(table, key)?.copied.first
            }
        }
    }

    /// What the store of format 3 has: two shards that are indexed, one whose source is gone, one that was never
    /// indexed, and one that failed.
    private static func checkFormat3(_ store: DAGStore, _ folder: StoreFolder) async throws {
        #expect(store.keys == ["a", "b", "gone", "lazy", "never"])
        #expect(try store.status(of: "a")?.blockCount == 40)
        #expect(try store.status(of: "never")?.state == .failed)
        let other = try StoreFolder()
        let model = try other.open()
        let bytes = try Data(contentsOf: URL(filePath: folder.path(of: "b.car")))
        try await model.register("b", try other.mount(Array(bytes)))
        let chunk = try model.multihashes(of: ShardKey("b"), atMost: 1000)
        #expect(chunk.multihashes.count == 301)
        for multihash in chunk.multihashes {
            #expect(try store.shards(containing: multihash).contains(ShardKey("b")))
        }
        await model.close()
    }

    @Test("a store of format 3 is read as it is")
    func readingFormat3() async throws {
        let folder = try Self.copy("format-3")
        let data = URL(filePath: folder.storePath + "/catalog/data.mdb")
        let before = try Data(contentsOf: data)
        let store = try folder.open { $0.isReadOnly = true }
        try await Self.checkFormat3(store, folder)
        await store.close()
        #expect(try Data(contentsOf: data) == before)
        #expect(try Self.format(of: folder) == 3)
    }

    @Test("a store of format 3 becomes one of this format at its first opening for writing")
    func upgradingFormat3() async throws {
        let folder = try Self.copy("format-3")
        let store = try folder.open()
        try await Self.checkFormat3(store, folder)
        await store.close()
        #expect(try Self.format(of: folder) == 4)
        let again = try folder.open()
        try await Self.checkFormat3(again, folder)
        #expect(try await again.check().problems.allSatisfy { $0.kind == .sourceUnreachable })
        await again.close()
    }

    /// What the store of format 4 has besides: two remote shards, of which one was never indexed.
    private static func checkFormat4(_ store: DAGStore) throws {
        #expect(
            store.keys == ["a", "b", "gone", "lazy", "never", "remote", "remote-lazy"]
        )
        let statuses = try store.allStatuses()
        #expect(statuses.map(\.blockCount) == [40, 301, 40, 0, 0, 301, 0])
        #expect(
            statuses.map(\.state) == [
                .available, .available, .available, .registered, .failed, .available, .registered,
            ]
        )
        #expect(statuses[5].mountURL == "http://127.0.0.1:28934/b.car")
        #expect(statuses[6].mountURL == "https://example.com/c.car")
    }

    // A program without policies wrote it: its records have version 3.
    @Test("a store without policies is read as it is, and its shards take policies")
    func policies() async throws {
        let folder = try Self.copy("format-4")
        let data = URL(filePath: folder.storePath + "/catalog/data.mdb")
        let before = try Data(contentsOf: data)
        let reader = try folder.open { $0.isReadOnly = true }
        try Self.checkFormat4(reader)
        #expect(try reader.allStatuses().allSatisfy { $0.policy == .automatic })
        await reader.close()
        #expect(try Data(contentsOf: data) == before)
        let store = try folder.open()
        let record = try store.engine.catalog.record(of: "remote")
        for policy in MountPolicy.allCases + [.automatic] {
            let status = try await store.setPolicy(of: ShardKey("remote"), to: policy)
            #expect(status.policy == policy)
        }
        // It is again what the earlier program wrote, byte for byte.
        #expect(try store.engine.catalog.record(of: "remote") == record)
        try await store.setPolicy(of: ShardKey("remote"), to: .cache)
        try await store.setPolicy(of: ShardKey("remote-lazy"), to: .copy)
        await store.close()
        let again = try folder.open()
        try Self.checkFormat4(again)
        #expect(
            try again.allStatuses().map(\.policy)
                == [.automatic, .automatic, .automatic, .automatic, .automatic, .cache, .copy]
        )
        await again.close()
    }

    @Test(
        "killed while its format changes, a store is whole",
        arguments: [Failpoint.formatWritten, .formatUpgraded]
    )
    func killed(at place: Failpoint) async throws {
        let folder = try Self.copy("format-3")
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = folder.storePath as String, name = place.rawValue as String] in
            try #require(Failpoint(rawValue: name)).arm()
            _ = try StoreFolder.open(path)
        }
        #expect(try Self.format(of: folder) == (place == .formatWritten ? 3 : 4))
        let store = try folder.open()
        try await Self.checkFormat3(store, folder)
        await store.close()
        #expect(try Self.format(of: folder) == 4)
    }
}
