import DAGSystem
import Foundation
import SystemPackage
import Testing

#if os(Linux)
    @Suite("Directory watches")
    struct DirectoryWatchTests {
        private let folder: FilePath

        init() throws {
            folder = FilePath(NSTemporaryDirectory()).appending("dagsystem-\(UUID().uuidString)")
            try FileSystem.makeDirectory(folder)
        }

        /// Waits for some changes.
        private func changes(
            _ watch: DirectoryWatch,
            _ count: Int
        ) throws -> [DirectoryWatch.Change] {
            var changes: [DirectoryWatch.Change] = []
            while changes.count < count { changes += try watch.wait(for: nil) }
            return changes
        }

        private func makeFile(_ path: FilePath) throws {
            try FileDescriptor.opening(
                path,
                .writeOnly,
                options: .create,
                permissions: .allReadWrite
            ).close()
        }

        @Test("each change of a name is reported, in order")
        func names() throws {
            let watch = try DirectoryWatch()
            let number = try watch.add(folder)
            #expect(try watch.add(folder) == number)
            try makeFile(folder.appending("a"))
            try FileSystem.rename(folder.appending("a"), to: folder.appending("b"))
            try FileSystem.removeFile(folder.appending("b"))
            try FileSystem.makeDirectory(folder.appending("c"))
            let expected: [DirectoryWatch.Change] = [
                .init(.created, in: number, name: "a"), .init(.closed, in: number, name: "a"),
                .init(.movedOut, in: number, name: "a"), .init(.movedIn, in: number, name: "b"),
                .init(.removed, in: number, name: "b"),
                .init(.created, in: number, name: "c", isDirectory: true),
            ]
            #expect(try changes(watch, expected.count) == expected)
            #expect(try watch.wait(for: .zero) == [])
        }

        @Test("names need not be UTF-8")
        func bytes() throws {
            let watch = try DirectoryWatch()
            let number = try watch.add(folder)
            // The kernel pads names with zeros, which are no part of them.
            let name = unsafe [0x61, CChar(bitPattern: 0xff), 0].withUnsafeBufferPointer { bytes in
                // SAFETY: the array ends with a zero and lives through the call.
                unsafe FilePath(platformString: bytes.baseAddress.unsafelyUnwrapped)
            }
            try makeFile(folder.appending(name.components))
            #expect(try changes(watch, 2)[0] == .init(.created, in: number, name: name))
        }

        @Test("a moved and a removed directory say so")
        func directories() throws {
            let watch = try DirectoryWatch()
            let (one, two) = (folder.appending("one"), folder.appending("two"))
            try FileSystem.makeDirectory(one)
            let number = try watch.add(one)
            try FileSystem.rename(one, to: two)
            try FileManager.default.removeItem(atPath: two.string)
            #expect(
                try changes(watch, 2) == [.init(.movedAway, in: number), .init(.ended, in: number)]
            )
        }

        @Test("a removed watch ends, and a link is no directory")
        func removal() throws {
            let watch = try DirectoryWatch()
            let number = try watch.add(folder)
            watch.remove(number)
            #expect(try changes(watch, 1) == [.init(.ended, in: number)])
            let link = folder.appending("link")
            try FileManager.default.createSymbolicLink(
                atPath: link.string,
                withDestinationPath: "."
            )
            #expect(throws: Errno.notDirectory) { try watch.add(link) }
            #expect(throws: Errno.noSuchFileOrDirectory) { try watch.add(folder.appending("x")) }
        }

        @Test("another thread ends a wait, before it or during it")
        func wake() async throws {
            let watch = try DirectoryWatch()
            watch.wake()
            #expect(try watch.wait(for: nil) == [])
            async let woken: Void = Thread.detachNewThread { watch.wake() }
            #expect(try watch.wait(for: nil) == [])
            await woken
            #expect(try watch.wait(for: .milliseconds(1)) == [])
        }
    }
#endif

@Suite("Names in a directory")
struct DirectoryNameTests {
    @Test("every name comes with its kind, until the caller has enough")
    func names() throws {
        let folder = FilePath(NSTemporaryDirectory()).appending("dagsystem-\(UUID().uuidString)")
        try FileSystem.makeDirectory(folder)
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        try FileSystem.makeDirectory(folder.appending("d"))
        try Data().write(to: URL(filePath: folder.appending("f").string))
        try FileManager.default.createSymbolicLink(
            atPath: folder.appending("l").string,
            withDestinationPath: "f"
        )
        var found: [FilePath: FileSystem.EntryKind] = [:]
        try FileSystem.forEachName(in: folder) { name, kind in
            found[name] = kind
            return true
        }
        #expect(found == ["d": .directory, "f": .file, "l": .link])
        var count = 0
        try FileSystem.forEachName(in: folder) { _, _ in
            count += 1
            return false
        }
        #expect(count == 1)
        #expect(throws: Errno.notDirectory) {
            try FileSystem.forEachName(in: folder.appending("f")) { _, _ in true }
        }
        #expect(throws: Errno.self) {
            try FileSystem.forEachName(in: folder.appending("l")) { _, _ in true }
        }
    }

    @Test("a file is read to its end, unless it is larger than the caller allows")
    func contents() throws {
        let path = FilePath(NSTemporaryDirectory()).appending("dagsystem-\(UUID().uuidString)")
        try Data(repeating: 7, count: 100_000).write(to: URL(filePath: path.string))
        defer { try? FileSystem.removeFile(path) }
        let read = { (limit: Int) throws in
            let file = try FileDescriptor.opening(path)
            defer { try? file.close() }
            return try file.readToEnd(atMost: limit)?.count
        }
        #expect(try read(100_000) == 100_000)
        #expect(try read(99_999) == nil)
    }
}
