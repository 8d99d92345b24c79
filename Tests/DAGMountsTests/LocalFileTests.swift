import DAGBytes
import DAGMounts
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Local files")
struct LocalFileTests {
    @Test("a file is read at any offset")
    func read() throws {
        let folder = try TemporaryFolder()
        let content = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let file = try LocalFile(opening: FilePath(folder.write(content, to: "a")))
        #expect(file.size == 10_000)
        #expect(try file.copy(at: 0, size: 10_000) == content)
        #expect(try file.copy(at: 4321, size: 1000) == Array(content[4321..<5321]))
        #expect(try file.copy(at: 10_000, size: 0).isEmpty)
        #expect(throws: MountError(.changed, "")) { try file.read(at: 9_999, size: 2) }
        #expect(throws: MountError(.changed, "")) { try file.read(at: 1 << 40, size: 1) }
        try file.checkUnchanged()
    }

    @Test("holes of a sparse file are skipped, and no byte of data is")
    func holes() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([1, 2, 3], to: "sparse")
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        let place: UInt64 = 64 << 20
        try handle.seek(toOffset: place)
        try handle.write(contentsOf: [7])
        try handle.truncate(atOffset: 2 * place)
        try handle.close()
        let file = try LocalFile(opening: FilePath(path))
        #expect(file.dataOffset(from: 1) == 1)
        #expect(file.dataOffset(from: place) == place)
        // File systems keep holes in pages of different sizes, or keep none.
        let next = file.dataOffset(from: 32 << 20)
        #expect(next >= 32 << 20)
        #expect(next <= place)
        #expect(file.dataOffset(from: place + 1) == place + 1)
        #expect(file.dataOffset(from: .max) == .max)
    }

    @Test("a file is read in place through a descriptor, and a pipe is copied")
    func descriptors() throws {
        let folder = try TemporaryFolder()
        let content = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 / 3) }
        let path = FilePath(try folder.write(content, to: "a"))
        let copies = FilePath(folder.path(of: "copies"))
        let descriptor = try FileDescriptor.open(path, .readOnly)
        defer { try? descriptor.close() }
        // Earlier reads do not count. The code makes no copy, because the folder for it is missing.
        try descriptor.seek(offset: 5000, from: .start)
        let file = try LocalFile(readingAll: descriptor, name: "in", copyingTo: copies)
        #expect(try file.copy(at: 0, size: 10_000) == content)
        let pipe = try FileDescriptor.pipe()
        defer { try? pipe.readEnd.close() }
        try pipe.writeEnd.closeAfter { _ = try pipe.writeEnd.writeAll(content) }
        #expect(throws: MountError(.gone, "")) {
            try LocalFile(readingAll: pipe.readEnd, name: "in", copyingTo: copies)
        }
        let folderPath = FilePath(folder.url.path)
        let copy = try LocalFile(readingAll: pipe.readEnd, name: "in", copyingTo: folderPath)
        #expect(copy.size == 10_000)
        #expect(try copy.copy(at: 0, size: 10_000) == content)
        #expect(copy.name == "in")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["a"])
    }

    @Test("a missing file is gone, also below a missing folder or below a file")
    func missing() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write([1], to: "file")
        for path in [folder.path(of: "none"), folder.path(of: "none/a"), file + "/a"] {
            #expect(throws: MountError(.gone, "")) { try LocalFile(opening: FilePath(path)) }
            #expect(throws: MountError(.gone, "")) { try FileIdentity(at: FilePath(path)) }
        }
    }

    @Test("a link to nothing is gone, and one to a file is the file")
    func links() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write([1, 2, 3], to: "file")
        let manager = FileManager.default
        let link = folder.path(of: "link")
        try manager.createSymbolicLink(atPath: link, withDestinationPath: file)
        let target = try FileIdentity(at: FilePath(file))
        #expect(try LocalFile(opening: FilePath(link)).identity == target)
        #expect(try FileIdentity(at: FilePath(link)) == target)
        try manager.removeItem(atPath: file)
        #expect(throws: MountError(.gone, "")) { try LocalFile(opening: FilePath(link)) }
    }

    @Test("a link to itself is unreachable")
    func loop() throws {
        let folder = try TemporaryFolder()
        let link = folder.path(of: "loop")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: link)
        #expect(throws: MountError(.unreachable, "")) { try LocalFile(opening: FilePath(link)) }
    }

    @Test("a folder is unreachable")
    func directory() throws {
        let folder = try TemporaryFolder()
        let path = FilePath(folder.url.path)
        #expect(throws: MountError(.unreachable, "")) { try LocalFile(opening: path) }
        #expect(throws: MountError(.unreachable, "")) { try FileIdentity(at: path) }
    }

    // Opening a pipe waits for a writer, unless it is asked not to.
    @Test("a pipe or a device is unreachable at once", .timeLimit(.minutes(10)))
    func pipe() throws {
        let folder = try TemporaryFolder()
        let path = folder.path(of: "pipe")
        // SAFETY: the string is read during the call.
        let code = unsafe path.withCString { unsafe mkfifo($0, 0o600) }
        try #require(code == 0)
        for path in [FilePath(path), "/dev/null"] {
            #expect(throws: MountError(.unreachable, "")) { try LocalFile(opening: path) }
            #expect(throws: MountError(.unreachable, "")) { try FileIdentity(at: path) }
        }
    }

    // Nobody forbids root anything; a path with a name beyond the system's limit is refused to all.
    @Test("a file that the system refuses to open is unreachable")
    func refused() throws {
        let folder = try TemporaryFolder()
        let long = folder.path(of: String(repeating: "a", count: 300))
        #expect(throws: MountError(.unreachable, "")) { try LocalFile(opening: FilePath(long)) }
        guard getuid() != 0 else { return }
        let path = try folder.write([1], to: "secret")
        try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
        #expect(throws: MountError(.unreachable, "")) { try LocalFile(opening: FilePath(path)) }
    }

    @Test("a file that grew, shrank or was written to has changed")
    func changed() throws {
        let folder = try TemporaryFolder()
        let path = FilePath(try folder.write([1, 2, 3, 4], to: "file"))
        for size in [5, 2, 0] as [Int64] {
            let file = try LocalFile(opening: path)
            try FileDescriptor.open(path, .readWrite).closeAfter { descriptor in
                _ = try descriptor.writeAll(toAbsoluteOffset: 0, [9])
                try descriptor.resize(to: size)
            }
            #expect(throws: MountError(.changed, "")) { try file.checkUnchanged() }
            #expect(try FileIdentity(at: path) != file.identity)
        }
    }

    @Test("the time of the last change is part of an identity")
    func modified() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([1], to: "file")
        let file = try LocalFile(opening: FilePath(path))
        let date = Date(timeIntervalSince1970: 1_000_000)
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
        #expect(try FileIdentity(at: FilePath(path)).modified == 1_000_000_000_000_000)
        #expect(throws: MountError(.changed, "")) { try file.checkUnchanged() }
    }

    @Test("another file under the same name has another identity, and the open one stays")
    func replaced() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([1, 2, 3], to: "file")
        let file = try LocalFile(opening: FilePath(path))
        let other = try folder.write([4, 5, 6], to: "other")
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: other, toPath: path)
        #expect(try FileIdentity(at: FilePath(path)) != file.identity)
        // The open file has lost its name, and is otherwise unchanged.
        try file.checkUnchanged()
        #expect(try file.copy(at: 0, size: 3) == [1, 2, 3])
    }
}

@Suite("File windows")
struct FileWindowTests {
    @Test("a window has the bytes of its range, and fewer at the file's end")
    func moves() throws {
        let folder = try TemporaryFolder()
        let content = (0..<5000).map { UInt8(truncatingIfNeeded: $0 / 3) }
        let file = try LocalFile(opening: FilePath(folder.write(content, to: "a")))
        let window = FileWindow(on: file, capacity: 1000)
        #expect(window.bytes.isEmpty)
        try window.read(at: 100, size: 1000)
        #expect(window.offset == 100)
        #expect(window.bytes.copied == Array(content[100..<1100]))
        try window.read(at: 4990, size: 1000)
        #expect(window.bytes.copied == Array(content[4990...]))
        try window.read(at: 9999, size: 10)
        #expect(window.bytes.isEmpty)
        try window.read(at: 0, size: 0)
        #expect(window.bytes.isEmpty)
    }

    @Test("a window that grows shows nothing until it is moved")
    func grows() throws {
        let folder = try TemporaryFolder()
        let content = [UInt8](repeating: 7, count: 5000)
        let file = try LocalFile(opening: FilePath(folder.write(content, to: "a")))
        let window = FileWindow(on: file, capacity: 10)
        try window.read(at: 0, size: 10)
        window.grow(to: 5000)
        #expect(window.capacity == 5000)
        #expect(window.bytes.isEmpty)
        try window.read(at: 0, size: 5000)
        #expect(window.bytes.copied == content)
    }
}

extension LocalFile {
    /// Reads and copies, because a view is valid only while its memory is held.
    fileprivate func copy(at offset: UInt64, size: Int) throws -> [UInt8] {
        let bytes = try read(at: offset, size: size)
        return withExtendedLifetime(bytes) { bytes.view.copied }
    }
}

extension FileDescriptor {
    /// Calls `body` and closes the descriptor.
    fileprivate func closeAfter(_ body: (FileDescriptor) throws -> Void) throws {
        defer { try? close() }
        try body(self)
    }
}
