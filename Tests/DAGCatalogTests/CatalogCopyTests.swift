import DAGCatalog
import DAGLMDB
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Copies of a catalog")
struct CatalogCopyTests {
    @Test("a copy has the shards of its beginning, and reports how much the catalog grew")
    func growth() throws {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        for key in ["a", "b"] {
            _ = try catalog.commit([.insert(CommitTests.registered(key), pending: nil)])
        }
        let target = try TemporaryFolder()
        let path = FilePath(target.path(of: "data.mdb"))
        let quiet = try catalog.copy(to: path, bytesPerSecond: nil) { _, _, _ in }
        #expect(quiet.shards == 2 && quiet.growth == 0)
        try FileManager.default.removeItem(atPath: path.string)
        let before = try catalog.usage().bytesInUse
        let busy = try catalog.copy(to: path, bytesPerSecond: nil) { _, _, _ in
            for number in 0..<20 {
                let record = CommitTests.registered("late \(number)")
                _ = try catalog.commit([.insert(record, pending: nil)])
            }
        }
        #expect(busy.shards == 2)
        // Writers could not use the pages of the snapshot again.
        #expect(busy.growth > 0)
        #expect(try catalog.usage().bytesInUse == before + busy.growth)
        let size = try EnvironmentFiles.size(of: path.string)
        #expect(try Catalog.checkCopy(in: FilePath(target.url.path), size: UInt64(size)) == 2)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: target.url.path) == ["data.mdb"]
        )
        #expect(try catalog.keys().count == 22)
        catalog.close()
    }

    @Test("a copy with damaged pages is refused")
    func damaged() throws {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        _ = try catalog.commit([.insert(CommitTests.registered("a"), pending: nil)])
        let target = try TemporaryFolder()
        let path = FilePath(target.path(of: "data.mdb"))
        _ = try catalog.copy(to: path, bytesPerSecond: nil) { _, _, _ in }
        catalog.close()
        var data = try Data(contentsOf: URL(filePath: path.string))
        // Page numbers of all but the meta pages.
        for page in stride(from: 2 * 4096, to: data.count, by: 4096) { data[page] ^= 0x55 }
        try data.write(to: URL(filePath: path.string))
        #expect(throws: CatalogError(.corrupt, "")) {
            try Catalog.checkCopy(in: FilePath(target.url.path), size: UInt64(data.count))
        }
        #expect(throws: CatalogError(.missing, "")) {
            try Catalog.checkCopy(in: FilePath(target.path(of: "none")), size: 1)
        }
    }
}
