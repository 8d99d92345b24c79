import DAGLMDB
import Foundation
import Testing

@Suite("Copies")
struct CopyTests {
    private static let value = [UInt8](repeating: 7, count: 300_000)

    /// A closed environment, most of whose pages are free.
    private static func folder() throws -> ScratchFolder {
        let folder = try ScratchFolder()
        let environment = try folder.open()
        for key in ["1", "2", "3"] { try environment.put(key, value) }
        try environment.write { (transaction) throws(LMDBError) in
            for key in ["1", "2"] {
                #expect(try transaction.delete(environment.table("a"), key))
            }
        }
        try environment.put("last", [1])
        environment.close()
        return folder
    }

    @Test("a copy has the rows and not the free pages, and takes the original's place")
    func replacing() throws {
        let folder = try Self.folder()
        let copy = folder.path + "/copy"
        let before = try EnvironmentFiles.size(of: folder.path + "/data.mdb")
        let environment = try folder.open()
        try environment.copyCompacted(to: copy)
        #expect(throws: LMDBError(.io(EEXIST))) { try environment.copyCompacted(to: copy) }
        #expect(throws: LMDBError(.alreadyOpen)) {
            try EnvironmentFiles.replaceData(in: folder.path, with: copy)
        }
        // Writes after the copy are lost with the original.
        try environment.put("late", [1])
        environment.close()
        try EnvironmentFiles.sync(copy)
        try EnvironmentFiles.replaceData(in: folder.path, with: copy)
        try EnvironmentFiles.sync(folder.path)
        #expect(!FileManager.default.fileExists(atPath: copy))
        #expect(try EnvironmentFiles.size(of: folder.path + "/data.mdb") < before / 2)
        let again = try folder.open()
        #expect(try again.keys() == ["3", "last"])
        #expect(try again.value(of: "3") == Self.value)
        // The slots' file speaks of the new data file, or a writer would begin at the wrong page.
        let last = try again.usage().lastTransaction
        #expect(try again.read { (reader) throws(LMDBError) in reader.number } == last)
        try again.put("new", [2])
        #expect(try again.usage().lastTransaction == last + 1)
        #expect(try again.read { (reader) throws(LMDBError) in reader.number } == last + 1)
        again.close()
    }

    @Test("an environment that another process has open keeps its data file")
    func foreignUser() async throws {
        let folder = try Self.folder()
        let environment = try folder.open()
        try environment.copyCompacted(to: folder.path + "/copy")
        await #expect(processExitsWith: .success) { [path = folder.path as String] in
            #expect(throws: LMDBError(.alreadyOpen)) {
                try EnvironmentFiles.replaceData(in: path, with: path + "/copy")
            }
        }
        #expect(try environment.keys() == ["3", "last"])
        environment.close()
        #expect(FileManager.default.fileExists(atPath: folder.path + "/copy"))
    }

    @Test("a missing file is an error for a reader, and none for a removal")
    func missing() throws {
        let folder = try Self.folder()
        let none = folder.path + "/none"
        try EnvironmentFiles.remove(none)
        for body in [
            { _ = try EnvironmentFiles.size(of: none) }, { try EnvironmentFiles.sync(none) },
            { try EnvironmentFiles.replaceData(in: folder.path, with: none) },
            { try EnvironmentFiles.replaceData(in: none, with: none) },
        ] as [() throws -> Void] {
            #expect(throws: LMDBError(.missing)) { try body() }
        }
        let environment = try folder.open()
        #expect(throws: LMDBError(.missing)) { try environment.copyCompacted(to: none + "/copy") }
        #expect(try environment.keys() == ["3", "last"])
        environment.close()
    }
}
