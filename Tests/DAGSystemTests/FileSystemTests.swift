import DAGSystem
import Foundation
import SystemPackage
import Testing

/// A folder for one test; the last reference removes it.
private final class Folder {
    let path = FilePath(NSTemporaryDirectory()).appending("dagsystem-\(UUID().uuidString)")

    init() throws { try FileSystem.makeDirectory(path) }

    deinit { try? FileManager.default.removeItem(atPath: path.string) }

    func file(_ name: String) throws -> FileDescriptor {
        try .opening(path.appending(name), .readWrite, options: .create, permissions: .allReadWrite)
    }
}

@Suite("System calls on paths")
struct FileSystemTests {
    @Test("files are made, listed, renamed and removed")
    func names() throws {
        let folder = try Folder()
        try folder.file("a").close()
        try FileSystem.rename(folder.path.appending("a"), to: folder.path.appending("b"))
        #expect(try FileSystem.names(in: folder.path).sorted() == [".", "..", "b"])
        try FileSystem.synchronize(folder.path)
        try FileSystem.removeFile(folder.path.appending("b"))
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try FileSystem.removeFile(folder.path.appending("b"))
        }
        #expect(throws: Errno.fileExists) { try FileSystem.makeDirectory(folder.path) }
        #expect(FileSystem.isDirectory(folder.path))
    }

    @Test("a link has a target, and leads to its file")
    func links() throws {
        let folder = try Folder()
        try folder.file("a").close()
        let link = folder.path.appending("link")
        try FileManager.default.createSymbolicLink(
            atPath: link.string,
            withDestinationPath: "a"
        )
        #expect(FileSystem.linkTarget(of: link) == Array("a".utf8))
        #expect(FileSystem.resolved(link) == FileSystem.resolved(folder.path.appending("a")))
        #expect(FileSystem.linkTarget(of: folder.path) == nil)
        #expect(FileSystem.resolved(folder.path.appending("none")) == nil)
    }

    @Test("a read fills the buffer, and returns fewer bytes at the end of the file")
    func reading() throws {
        let folder = try Folder()
        let file = try folder.file("a")
        defer { try? file.close() }
        _ = try file.writeAll([1, 2, 3])
        let read = { (offset: UInt64, size: Int) throws -> [UInt8] in
            try unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                let target = UnsafeMutableRawBufferPointer(buffer)
                // SAFETY: the buffer has `size` bytes, and the call says how many it wrote.
                count = unsafe try file.read(at: offset, filling: target)
            }
        }
        #expect(try read(0, 2) == [1, 2])
        #expect(try read(1, 8) == [2, 3])
        #expect(try read(3, 8) == [])
        #expect(try read(.max, 8) == [])
    }

    @Test("one descriptor at a time has the lock of a file")
    func locks() throws {
        let folder = try Folder()
        let (first, second) = (try folder.file("a"), try folder.file("a"))
        defer { for file in [first, second] { try? file.close() } }
        try first.lockWithoutWaiting()
        #expect(throws: Errno.wouldBlock) { try second.lockWithoutWaiting() }
        first.unlock()
        try second.lockWithoutWaiting()
        #expect(try first.lockFirstByte())
    }
}
