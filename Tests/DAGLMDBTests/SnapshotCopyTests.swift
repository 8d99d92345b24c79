import DAGLMDB
import Foundation
import Synchronization
import Testing

@Suite("Snapshot copies")
struct SnapshotCopyTests {
    private static let value = [UInt8](repeating: 7, count: 300_000)
    private static let keys = (0..<10).map { "key \($0)" }

    private static func filled() throws -> (ScratchFolder, Environment) {
        let folder = try ScratchFolder()
        let environment = try folder.open()
        for key in keys { try environment.put(key, value) }
        return (folder, environment)
    }

    /// Copies the environment into a folder of its own.
    private static func copy(
        _ environment: Environment,
        to folder: ScratchFolder,
        _ piece: ([UInt8], UInt64, UInt64) throws -> Void = { _, _, _ in }
    ) throws -> Int {
        let table = environment.table("a")
        return try environment.copySnapshot(
            to: folder.path + "/data.mdb",
            bytesPerSecond: nil,
            inspecting: { (reader) throws(LMDBError) in
                try reader.statistics(of: table).entries
            },
            piece: piece
        )
    }

    @Test("a copy has the rows of its beginning, whatever is written meanwhile")
    func beside() throws {
        let (source, environment) = try Self.filled()
        let folder = try ScratchFolder()
        var sizes: [UInt64] = []
        let rows = try Self.copy(environment, to: folder) { bytes, size, total in
            #expect(bytes.count == Int(size - (sizes.last ?? 0)))
            sizes.append(size)
            #expect(size <= total)
            // More pages than the copy has, so a writer that could would reuse its pages.
            for key in Self.keys {
                try environment.put(key, [UInt8](repeating: UInt8(sizes.count), count: 300_000))
            }
            try environment.put("late \(size)", [1])
        }
        #expect(rows == Self.keys.count)
        #expect(sizes.count >= 3)
        let size = try EnvironmentFiles.size(of: folder.path + "/data.mdb")
        #expect(size == Int(try #require(sizes.last)))
        environment.close()
        let copied = try Environment.open(
            at: folder.path,
            options: Environment.Options(tables: ["a", "b"], checksPages: true, mapSize: 1 << 30)
        )
        #expect(try copied.keys() == Self.keys)
        for key in Self.keys { #expect(try copied.value(of: key) == Self.value) }
        try copied.put("new", [3])
        #expect(try copied.keys() == Self.keys + ["new"])
        copied.close()
        withExtendedLifetime(source) {}
    }

    @Test("an environment without rows is copied, too")
    func empty() throws {
        let source = try ScratchFolder()
        let environment = try source.open()
        let folder = try ScratchFolder()
        #expect(try Self.copy(environment, to: folder) == 0)
        environment.close()
        let copied = try folder.open()
        #expect(try copied.keys() == [])
        copied.close()
    }

    @Test("an existing file stays, and the caller's error ends the copy")
    func ended() throws {
        struct Stop: Error, Equatable {}
        let (source, environment) = try Self.filled()
        let folder = try ScratchFolder()
        #expect(throws: Stop()) {
            try Self.copy(environment, to: folder) { _, _, _ in throw Stop() }
        }
        let size = try EnvironmentFiles.size(of: folder.path + "/data.mdb")
        #expect(throws: LMDBError(.io(EEXIST))) { try Self.copy(environment, to: folder) }
        #expect(try EnvironmentFiles.size(of: folder.path + "/data.mdb") == size)
        // The reader of the copy has ended: the next writes use its pages again.
        #expect(try environment.keys() == Self.keys)
        environment.close()
        withExtendedLifetime(source) {}
    }

    @Test("a read-only environment beside a writer of another process is copied whole")
    func foreignWriter() async throws {
        let (source, environment) = try Self.filled()
        let folder = try ScratchFolder()
        let isOver = Atomic<Bool>(false)
        async let copying: Void = {
            defer { isOver.store(true, ordering: .releasing) }
            await #expect(processExitsWith: .success) {
                [source = source.path as String, target = folder.path as String] in
                var options = Environment.Options(tables: ["a", "b"], mapSize: 1 << 30)
                options.isReadOnly = true
                let reader = try Environment.open(at: source, options: options)
                let rows = try SnapshotCopyTests.copy(
                    reader,
                    to: ScratchFolder(borrowing: target)
                )
                #expect(rows >= SnapshotCopyTests.keys.count)
                reader.close()
            }
        }()
        var writes = 0
        while !isOver.load(ordering: .acquiring) {
            for key in Self.keys {
                try environment.put(key, [UInt8](repeating: UInt8(writes % 200), count: 300_000))
            }
            writes += 1
            await Task.yield()
        }
        await copying
        environment.close()
        let copied = try Environment.open(
            at: folder.path,
            options: Environment.Options(tables: ["a", "b"], checksPages: true, mapSize: 1 << 30)
        )
        #expect(try copied.keys() == Self.keys)
        // Each commit changes one row: the first rows are of the commit's round, the rest of the one before.
        let rounds = try Self.keys.compactMap { try copied.value(of: $0)?.first }
        #expect(zip(rounds, rounds.dropFirst()).count { $0 != $1 } <= 1)
        copied.close()
    }

    @Test("a file that was cut short is an error and no signal")
    func cut() throws {
        let (source, environment) = try Self.filled()
        let folder = try ScratchFolder()
        #expect(throws: LMDBError(.corrupted)) {
            try Self.copy(environment, to: folder) { _, size, _ in
                guard size <= 1 << 20 else { return }
                let data = FileHandle(forUpdatingAtPath: source.path + "/data.mdb")
                try data?.truncate(atOffset: size + 4096)
            }
        }
        environment.close()
    }
}
