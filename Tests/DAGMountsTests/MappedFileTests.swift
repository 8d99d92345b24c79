import DAGBytes
import DAGMounts
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Mapped files")
struct MappedFileTests {
    @Test("a mapping has the file's bytes", arguments: [MappedFile.Access.random, .sequential])
    func bytes(access: MappedFile.Access) throws {
        let folder = try TemporaryFolder()
        let content = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 11) }
        let path = FilePath(try folder.write(content, to: "a"))
        let mapped = try MappedFile(LocalFile(opening: path), access: access)
        #expect(mapped.bytes.copied == content)
        #expect(mapped.identity.size == 100_000)
        #expect(mapped.path == path)
    }

    @Test("an empty file is mapped to no bytes")
    func empty() throws {
        let folder = try TemporaryFolder()
        let file = try LocalFile(opening: FilePath(folder.write([], to: "a")))
        let mapped = try MappedFile(file, access: .random)
        #expect(mapped.bytes.isEmpty)
    }
}

@Suite("Spill files")
struct SpillFileTests {
    @Test("spilled bytes are read again, and the file has no name")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        var generator = SplitMix64(seed: 1)
        let pieces = [0, 1, 5000, 70_000].map { generator.bytes($0) }
        let file = try SpillFile(in: FilePath(folder.url.path))
        #expect(try folder.url.files().isEmpty)
        let offsets = try pieces.map { piece in try piece.withView { try file.append($0) } }
        #expect(offsets == [0, 0, 1, 5001])
        for (piece, offset) in zip(pieces, offsets).shuffled(using: &generator) {
            var found: [UInt8] = []
            try file.read(at: offset, size: piece.count) { found = $0.copied }
            #expect(found == piece)
        }
        var middle: [UInt8] = []
        try file.read(at: 5100, size: 10) { middle = $0.copied }
        #expect(middle == Array(pieces[3][99..<109]))
        #expect(try folder.url.files().isEmpty)
    }

    @Test("a read beyond the spilled bytes fails")
    func beyond() throws {
        let folder = try TemporaryFolder()
        let file = try SpillFile(in: FilePath(folder.url.path))
        _ = try [1, 2, 3].withView { try file.append($0) }
        #expect(throws: MountError(.unreachable, "")) { try file.read(at: 0, size: 4) { _ in } }
        #expect(throws: MountError(.unreachable, "")) { try file.read(at: 99, size: 1) { _ in } }
    }

    @Test("a folder that is not there is gone")
    func missingFolder() throws {
        let folder = try TemporaryFolder()
        #expect(throws: MountError(.gone, "")) {
            try SpillFile(in: FilePath(folder.path(of: "none")))
        }
    }
}
