import DAGBytes
import DAGCatalog
import DAGLMDB
import Foundation
import ShardIndex
import SystemPackage
import TestSupport
import Testing

@Suite("Compacting")
struct CompactTests {
    /// A closed catalog with one indexed shard, one that waits, and the room of some that are
    /// gone.
    private static func folder() throws -> CatalogFolder {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        let pieces = (0..<20).map { number in
            IndexPiece.pages(number: number, bytes: [UInt8](repeating: 3, count: 100_000))
        }
        for key in ["gone", "a"] {
            let record = try catalog.publish(
                .available(key),
                root: [1],
                generation: nil,
                pieces: key == "a" ? Array(pieces.prefix(2)) : pieces
            )
            guard key == "gone" else { continue }
            try catalog.remove(record)
            try catalog.deleteGeneration(record.generation)
        }
        _ = try catalog.commit([.insert(CommitTests.registered("b"), pending: CommitTests.work)])
        catalog.close()
        return folder
    }

    private static func copy(_ folder: CatalogFolder) -> URL {
        URL(filePath: folder.path + "/data.mdb.compact")
    }

    private static func data(_ folder: CatalogFolder) throws -> Data {
        try Data(contentsOf: URL(filePath: folder.path + "/data.mdb"))
    }

    private static func check(_ folder: CatalogFolder) throws {
        let catalog = try folder.open()
        defer { catalog.close() }
        #expect(try catalog.keys() == ["a", "b"])
        #expect(try catalog.standing(of: "b")?.pending == CommitTests.work)
        #expect(try catalog.withPages(2, 1) { $0.count } == 100_000)
        #expect(try catalog.damage(limit: 10) == [])
    }

    @Test("a compacted catalog is smaller and holds the same, and can be written")
    func compacting() throws {
        let folder = try Self.folder()
        let rows = try folder.rowCounts()
        let before = try Self.data(folder).count
        let sizes = try folder.compact()
        #expect(sizes.before == UInt64(before))
        #expect(sizes.after < 500_000)
        #expect(try Self.data(folder).count == Int(sizes.after))
        #expect(try folder.rowCounts() == rows)
        try Self.check(folder)
        for index in 0..<5 {
            let catalog = try folder.open()
            _ = try catalog.commit([
                .insert(CommitTests.registered("new \(index)"), pending: nil)
            ])
            catalog.close()
        }
        try folder.open(isReadOnly: true).close()
        let again = try folder.compact()
        #expect(again.after <= again.before)
        let catalog = try folder.open()
        #expect(try catalog.keys().count == 7)
        catalog.close()
    }

    @Test("a catalog that is open is not compacted", arguments: [false, true])
    func open(isReadOnly: Bool) throws {
        let folder = try Self.folder()
        let catalog = try folder.open(isReadOnly: isReadOnly)
        #expect(throws: CatalogError(.locked, "")) { try folder.compact() }
        #expect(try catalog.keys() == ["a", "b"])
        catalog.close()
        #expect(!FileManager.default.fileExists(atPath: Self.copy(folder).path))
        try Self.check(folder)
    }

    // LMDB's lock on its slots' file is all that shows a reader of another process.
    @Test("a catalog that another process reads is not compacted")
    func foreignReader() async throws {
        let folder = try Self.folder()
        let before = try Self.data(folder)
        let catalog = try folder.open(isReadOnly: true)
        await #expect(processExitsWith: .success) { [path = folder.path as String] in
            #expect(throws: CatalogError(.locked, "")) {
                try Catalog.compact(
                    at: FilePath(path),
                    lockFile: FilePath(path + "/LOCK"),
                    mapSize: 1 << 30
                )
            }
        }
        #expect(try catalog.keys() == ["a", "b"])
        catalog.close()
        #expect(try Self.data(folder) == before)
        _ = try folder.compact()
        try Self.check(folder)
    }

    @Test("a missing catalog is not made, and one of a later format is left alone")
    func refused() throws {
        let folder = try CatalogFolder()
        #expect(throws: CatalogError(.missing, "")) { try folder.compact() }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/data.mdb"))
        let full = try Self.folder()
        try full.putRow(Array("format".utf8), [99, 0, 0, 0], in: "meta")
        let before = try Self.data(full)
        #expect(throws: CatalogError(.tooNew, "")) { try full.compact() }
        #expect(try Self.data(full) == before)
        #expect(!FileManager.default.fileExists(atPath: Self.copy(full).path))
    }

    @Test("a copy that was left behind is removed by the next writer and the next compacting")
    func leftover() throws {
        let folder = try Self.folder()
        let copy = Self.copy(folder)
        try Data([1, 2, 3]).write(to: copy)
        try folder.open(isReadOnly: true).close()
        #expect(FileManager.default.fileExists(atPath: copy.path))
        try Self.check(folder)
        #expect(!FileManager.default.fileExists(atPath: copy.path))
        try Data([1, 2, 3]).write(to: copy)
        _ = try folder.compact()
        #expect(!FileManager.default.fileExists(atPath: copy.path))
        try Self.check(folder)
    }

    // A limit on file sizes replaces a full disk: the kernel refuses to write beyond it.
    @Test("a disk that is full leaves the catalog as it was, and no copy")
    func fullDisk() async throws {
        let folder = try Self.folder()
        let before = try Self.data(folder)
        await #expect(processExitsWith: .success) { [path = folder.path as String] in
            signal(SIGXFSZ, SIG_IGN)
            #if canImport(Darwin)
                let resource = RLIMIT_FSIZE
            #else
                let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
            #endif
            var limit = rlimit(rlim_cur: 100_000, rlim_max: 100_000)
            try unsafe #require(setrlimit(resource, &limit) == 0)
            #expect(throws: CatalogError(.full, "")) {
                try Catalog.compact(
                    at: FilePath(path),
                    lockFile: FilePath(path + "/LOCK"),
                    mapSize: 1 << 30
                )
            }
        }
        #expect(try Self.data(folder) == before)
        #expect(!FileManager.default.fileExists(atPath: Self.copy(folder).path))
        try Self.check(folder)
    }
}
