import DAGBytes
import DAGMounts
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Files that are written from beginning to end")
struct AppendedFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func open(_ path: String) throws -> FileDescriptor {
        try FileDescriptor.open(
            FilePath(path),
            .writeOnly,
            options: path.hasPrefix("/dev") ? [] : .create,
            permissions: .ownerReadWrite
        )
    }

    // The last sizes end in the part that bypasses the cache, and after it.
    @Test(
        "the file has all bytes in order, and no more",
        arguments: [0, 1, 1 << 20, (1 << 20) + 1, 9 << 20, (64 << 20) + 7, (67 << 20) + 4099]
    )
    func content(size: Int) throws {
        let pattern = (0..<(1 << 16)).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 7) }
        var expected: [UInt8] = []
        while expected.count < size { expected += pattern.prefix(size - expected.count) }
        let path = folder.path(of: "file")
        let file = try open(path)
        defer { try? file.close() }
        let appended = AppendedFile(file)
        let steps = [1, 4096, 300_001, 3 << 20]
        try expected.withView { bytes in
            var offset = 0
            var step = 0
            while offset < size {
                let count = min(steps[step % steps.count], size - offset)
                try appended.append(bytes[offset..<offset + count])
                offset += count
                step += 1
            }
        }
        try appended.finish()
        #expect(try Data(contentsOf: URL(filePath: path)) == Data(expected))
        // What is written at an offset afterwards is not bound to the alignment of the disk.
        try file.writeAll(toAbsoluteOffset: 3, [1, 2, 3])
        #expect(try Data(contentsOf: URL(filePath: path)).count == max(size, 6))
    }

    @Test("a caller that stops leaves no thread that writes, and may close the file")
    func stop() throws {
        let file = try open(folder.path(of: "file"))
        let appended = AppendedFile(file)
        try [UInt8](repeating: 1, count: 5 << 20).withView { try appended.append($0) }
        appended.stop()
        appended.stop()
        try file.close()
    }

    #if os(Linux)
        @Test("a full disk is an error, at the latest at the end", arguments: [1, 40 << 20])
        func full(size: Int) throws {
            let file = try open("/dev/full")
            defer { try? file.close() }
            let appended = AppendedFile(file)
            #expect(throws: Errno.noSpace) {
                try [UInt8](repeating: 1, count: size).withView { try appended.append($0) }
                try appended.finish()
            }
            appended.stop()
        }
    #endif
}
