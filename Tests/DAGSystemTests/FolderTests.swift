import DAGSystem
import Foundation
import SystemPackage
import Testing

@Suite("System calls on the entries of a folder")
struct FolderTests {
    private let path = FilePath(NSTemporaryDirectory()).appending("folder-\(UUID().uuidString)")

    /// Calls `body` with a new, open folder, and removes it.
    private func withFolder(_ body: (FileDescriptor) throws -> Void) throws {
        try FileSystem.makeDirectory(path)
        defer { try? FileManager.default.removeItem(atPath: path.string) }
        let folder = try FileDescriptor.opening(path, options: .directory)
        defer { try? folder.close() }
        try body(folder)
    }

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("entries are made, listed, opened and removed")
    func entries() throws {
        try withFolder { folder in
            try folder.createFile(bytes("file")).close()
            try folder.createFolder(bytes("below"))
            try folder.createLink(bytes("link"), to: bytes("below"))
            for _ in 0..<2 {
                #expect(try Set(folder.names()) == [bytes("file"), bytes("below"), bytes("link")])
            }
            #expect(try folder.status(ofEntry: bytes("file")).type == .regular)
            #expect(try folder.status(ofEntry: bytes("below")).type == .directory)
            #expect(try folder.status(ofEntry: bytes("link")).type == .symbolicLink)
            #expect(try folder.target(ofLink: bytes("link")) == bytes("below"))
            try folder.openEntry(bytes("file"), isFolder: false).close()
            try folder.openEntry(bytes("below"), isFolder: true).close()
            try folder.removeEntry(bytes("file"))
            #expect(throws: Errno.noSuchFileOrDirectory) {
                try folder.status(ofEntry: bytes("file"))
            }
        }
    }

    @Test("a name that is taken is refused, and no link is followed")
    func taken() throws {
        try withFolder { folder in
            try folder.createFolder(bytes("below"))
            try folder.createLink(bytes("link"), to: bytes("below"))
            for name in ["below", "link"] {
                #expect(throws: Errno.fileExists) { try folder.createFile(bytes(name)) }
                #expect(throws: Errno.fileExists) { try folder.createFolder(bytes(name)) }
                #expect(throws: Errno.fileExists) {
                    try folder.createLink(bytes(name), to: bytes("x"))
                }
            }
            #expect(throws: Errno.self) { try folder.openEntry(bytes("link"), isFolder: true) }
            #expect(throws: Errno.tooManySymbolicLinkLevels) {
                try folder.openEntry(bytes("link"), isFolder: false)
            }
            #expect(throws: Errno.invalidArgument) { try folder.target(ofLink: bytes("below")) }
        }
    }

    @Test("a name with a slash or a zero, or none, reaches no call", arguments: ["", "a/b", "a\0"])
    func wrongNames(name: String) throws {
        try withFolder { folder in
            #expect(throws: Errno.invalidArgument) { try folder.createFile(bytes(name)) }
            #expect(throws: Errno.invalidArgument) { try folder.createFolder(bytes(name)) }
            #expect(throws: Errno.invalidArgument) { try folder.status(ofEntry: bytes(name)) }
            #expect(throws: Errno.invalidArgument) {
                try folder.createLink(bytes("link"), to: bytes(name == "a/b" ? "" : name))
            }
            let names = try folder.names()
            #expect(names.isEmpty)
        }
    }

    @Test("parts of arrays are written and read")
    func arrays() throws {
        try withFolder { folder in
            let file = try folder.createFile(bytes("file"))
            try file.writeAll([0, 1, 2, 3, 4], 1..<4)
            try file.close()
            let read = try folder.openEntry(bytes("file"), isFolder: false)
            defer { try? read.close() }
            var found: [UInt8] = [9, 9, 9, 9]
            let count = try read.read(at: 1, into: &found, 1..<4)
            #expect(count == 2)
            #expect(found == [9, 2, 3, 9])
            let none = try read.read(at: 0, into: &found, 2..<2)
            #expect(none == 0)
        }
    }
}
