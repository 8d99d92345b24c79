import DAGSystem
import Foundation
import SystemPackage
import Testing

@Suite("Paced copies")
struct PacedCopyTests {
    private let folder = FilePath(NSTemporaryDirectory()).appending("paced-\(UUID().uuidString)")

    private func withFiles(
        _ bytes: [UInt8],
        _ body: (_ source: FileDescriptor, _ target: FileDescriptor) throws -> Void
    ) throws -> [UInt8] {
        try FileSystem.makeDirectory(folder)
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        let (from, to) = (folder.appending("from"), folder.appending("to"))
        try Data(bytes).write(to: URL(filePath: from.string))
        let source = try FileDescriptor.opening(from)
        defer { try? source.close() }
        let target = try FileDescriptor.opening(
            to,
            .writeOnly,
            options: .create,
            permissions: .allReadWrite
        )
        defer { try? target.close() }
        try body(source, target)
        return Array(try Data(contentsOf: URL(filePath: to.string)))
    }

    @Test("pieces are copied in order, whatever their sizes", arguments: [nil, 1 << 40 as UInt64?])
    func pieces(rate: UInt64?) throws {
        let size = 2 * PacedCopy.pieceSizeMax + 4096 + 904
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 * 7 >> 3) }
        let copied = try withFiles(bytes) { source, target in
            var copy = PacedCopy(from: source, to: target, bytesPerSecond: rate)
            var offset = 0
            for step in [PacedCopy.pieceSizeMax, 1, 4095, PacedCopy.pieceSizeMax, 900] {
                #expect(try copy.read(at: UInt64(offset), size: step) == step)
                #expect(copy.piece == Array(bytes[offset..<offset + step]))
                try copy.write()
                offset += step
            }
            // The source ends within the piece.
            #expect(try copy.read(at: UInt64(offset), size: 4097) == size - offset)
            #expect(copy.piece.count == size - offset)
            try copy.write()
            #expect(try copy.read(at: UInt64(size), size: 10) == 0)
            try copy.write()
            copy.finish()
        }
        #expect(copied == bytes)
    }

    @Test("the caller may change a piece before it is written")
    func changed() throws {
        let copied = try withFiles([1, 2, 3, 4]) { source, target in
            var copy = PacedCopy(from: source, to: target, bytesPerSecond: nil)
            #expect(try copy.read(at: 0, size: 4) == 4)
            copy.piece[1] = 9
            try copy.write()
            copy.finish()
        }
        #expect(copied == [1, 9, 3, 4])
    }

    @Test("a target that refuses bytes is an error")
    func refused() throws {
        _ = try withFiles([1, 2, 3]) { (source, _) throws in
            var copy = PacedCopy(from: source, to: source, bytesPerSecond: nil)
            #expect(try copy.read(at: 0, size: 3) == 3)
            #expect(throws: Errno.badFileDescriptor) { try copy.write() }
        }
    }
}

@Suite("Limits of the system")
struct SystemLimitsTests {
    @Test("the process has descriptors, and room for a page but not for everything")
    func limits() {
        let (soft, hard) = SystemLimits.descriptors
        #expect(soft > 0 && soft <= hard)
        #expect(SystemLimits.canReserve(1 << 12))
        #expect(!SystemLimits.canReserve(1 << 62))
        #expect(SystemLimits.addressSpace > 1 << 20)
    }

    @Test("an empty directory is removed, and one with a file stays")
    func directories() throws {
        let folder = FilePath(NSTemporaryDirectory()).appending("limits-\(UUID().uuidString)")
        try FileSystem.makeDirectory(folder)
        let file = folder.appending("a")
        try Data([1]).write(to: URL(filePath: file.string))
        #expect(throws: Errno.directoryNotEmpty) { try FileSystem.removeDirectory(folder) }
        let opened = try FileDescriptor.opening(folder)
        defer { try? opened.close() }
        #expect(FileSystemKind(of: opened)?.name.isEmpty == false)
        try FileSystem.removeFile(file)
        try FileSystem.removeDirectory(folder)
        #expect(!FileSystem.isDirectory(folder))
    }
}
