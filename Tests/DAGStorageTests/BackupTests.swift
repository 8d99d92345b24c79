import DAGCatalog
import DAGFailpoints
import DAGMounts
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Backup and restore")
struct BackupTests {
    private static let builder = CARBuilder.manyMixed(seed: 1)

    /// A closed store with some shards.
    private static func folder(_ keys: [String] = ["a", "b"]) async throws -> StoreFolder {
        let folder = try StoreFolder()
        let store = try folder.open()
        let mount = try folder.mount(builder.bytes)
        for key in keys { try await store.register(key, mount) }
        await store.close()
        return folder
    }

    private static func backUp(
        _ folder: StoreFolder,
        to name: String = "backup",
        _ change: (inout BackupOptions) -> Void = { _ in },
        progress: (UInt64, UInt64) throws -> Void = { _, _ in }
    ) async throws -> BackupReport {
        let store = try folder.open { $0.isReadOnly = true }
        var options = BackupOptions()
        options.freeBytesMin = 0
        options.bytesPerSecond = nil
        change(&options)
        let result = Result {
            try store.backup(
                to: FilePath(folder.path(of: name)),
                options: options,
                progress: progress
            )
        }
        await store.close()
        return try result.get()
    }

    private static func restore(
        _ folder: StoreFolder,
        from name: String = "backup",
        to store: String = "again",
        progress: (UInt64, UInt64) throws -> Void = { _, _ in }
    ) throws -> RestoreReport {
        var options = BackupOptions()
        options.freeBytesMin = 0
        options.bytesPerSecond = nil
        return try DAGStore.restore(
            from: FilePath(folder.path(of: name)),
            to: FilePath(folder.path(of: store)),
            options: options,
            progress: progress
        )
    }

    private static func names(in folder: StoreFolder, _ name: String = "") throws -> [String] {
        try PackageFolder.files(in: folder.path(of: name)).sorted()
    }

    private static func check(_ path: String, _ keys: [String] = ["a", "b"]) async throws {
        let store = try StoreFolder.open(path)
        #expect(store.keys == keys)
        for key in keys {
            #expect(try await ShardModel(builder).problems(in: store.acquire(key)) == [])
        }
        #expect(try await store.check().problems == [])
        await store.close()
    }

    @Test("a restored backup has the shards of the store, and can be written")
    func whole() async throws {
        let folder = try await Self.folder()
        var steps: [[UInt64]] = []
        let report = try await Self.backUp(folder, progress: { steps.append([$0, $1]) })
        #expect(report.shards == 2)
        #expect(steps.last == [report.bytes, report.bytes])
        #expect(try Self.names(in: folder, "backup") == ["BACKUP", "LOCK", "catalog"])
        #expect(try Self.names(in: folder, "backup/catalog") == ["data.mdb"])
        let restored = try Self.restore(folder)
        #expect(restored.shards == 2)
        #expect(restored.bytes == report.bytes)
        #expect(restored.checksum == report.checksum)
        #expect(restored.taken > 1_700_000_000_000)
        #expect(try Self.names(in: folder, "again/catalog") == ["data.mdb"])
        try await Self.check(folder.path(of: "again"))
        let store = try StoreFolder.open(folder.path(of: "again"))
        try await store.register("c", folder.mount(Self.builder.bytes))
        await store.close()
        try await Self.check(folder.path(of: "again"), ["a", "b", "c"])
        // The original goes on as it was.
        try await Self.check(folder.storePath)
    }

    @Test("a backup beside registrations has the shards of one moment")
    func besideWrites() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let mount = try folder.mount(Self.builder.bytes)
        let keys = (0..<30).map { "key \($0)" }
        try await store.register(keys[0], mount)
        async let registering: Void = {
            for key in keys.dropFirst() { try await store.register(key, mount) }
        }()
        var options = BackupOptions()
        options.freeBytesMin = 0
        var counts: [UInt64] = []
        while counts.last != UInt64(keys.count), counts.count < 1000 {
            let name = "backup \(counts.count)"
            let path = FilePath(folder.path(of: name))
            counts.append(try store.backup(to: path, options: options).shards)
            let restored = try Self.restore(folder, from: name, to: "store \(name)")
            #expect(restored.shards == counts.last)
            await Task.yield()
        }
        try await registering
        await store.close()
        for (number, count) in counts.enumerated() where number % 4 == 0 {
            let path = folder.path(of: "store backup \(number)")
            try await Self.check(path, Array(keys.prefix(Int(count))))
        }
    }

    // MARK: Refusals

    @Test("a backup goes to a new folder or an empty one, outside of the store")
    func destinations() async throws {
        let folder = try await Self.folder()
        let files = FileManager.default
        try files.createDirectory(
            atPath: folder.path(of: "empty"),
            withIntermediateDirectories: true
        )
        #expect(try await Self.backUp(folder, to: "empty").shards == 2)
        try files.createSymbolicLink(
            atPath: folder.path(of: "link"),
            withDestinationPath: folder.storePath
        )
        for name in [
            "empty", "a.car", "store/backup", "store", "link/x", "", ".", "empty/../store/b",
        ] {
            await #expect(throws: DAGStoreError(.invalidArgument), "\(name)") {
                try await Self.backUp(folder, to: name)
            }
        }
        #expect(try await Self.backUp(folder, to: "new/folder/backup").shards == 2)
        #expect(try Self.names(in: folder, "new/folder") == ["backup"])
        #expect(try !Self.names(in: folder).contains { $0.hasSuffix(".partial") })
        try await Self.check(folder.storePath)
    }

    @Test("a store that exists is not overwritten, and a folder without a backup makes none")
    func noOverwriting() async throws {
        let folder = try await Self.folder()
        _ = try await Self.backUp(folder)
        #expect(throws: DAGStoreError(.invalidArgument)) {
            try Self.restore(folder, to: "store")
        }
        for name in ["none", "store", "a.car"] {
            #expect(throws: DAGStoreError(.invalidArgument), "\(name)") {
                try Self.restore(folder, from: name)
            }
        }
        #expect(throws: DAGStoreError(.invalidArgument)) {
            try StoreFolder.open(folder.path(of: "again")) { $0.isReadOnly = true }
        }
        #expect(try !Self.names(in: folder).contains("again"))
        try await Self.check(folder.storePath)
    }

    @Test("a folder that another process writes is refused")
    func locked() async throws {
        let folder = try await Self.folder()
        let files = FileManager.default
        for name in ["backup.partial", "again"] {
            try files.createDirectory(
                atPath: folder.path(of: name),
                withIntermediateDirectories: true
            )
        }
        let writing = try StoreLock(at: FilePath(folder.path(of: "backup.partial/LOCK")))
        await #expect(throws: DAGStoreError(.catalogLocked)) { try await Self.backUp(folder) }
        writing.release()
        _ = try await Self.backUp(folder)
        let restoring = try StoreLock(at: FilePath(folder.path(of: "again/LOCK")))
        #expect(throws: DAGStoreError(.catalogLocked)) { try Self.restore(folder) }
        restoring.release()
        _ = try Self.restore(folder)
        try await Self.check(folder.path(of: "again"))
    }

    @Test("too little free space ends the copy, which leaves nothing")
    func fullDisk() async throws {
        let folder = try await Self.folder()
        await #expect(throws: DAGStoreError(.catalogFull)) {
            try await Self.backUp(folder, { $0.freeBytesMin = 1 << 60 })
        }
        _ = try await Self.backUp(folder, to: "good")
        var options = BackupOptions()
        options.freeBytesMin = .max
        #expect(throws: DAGStoreError(.catalogFull)) {
            try DAGStore.restore(
                from: FilePath(folder.path(of: "good")),
                to: FilePath(folder.path(of: "again")),
                options: options
            )
        }
        #expect(try Self.names(in: folder) == ["a.car", "good", "store"])
        await #expect(throws: DAGStoreError(.invalidArgument)) {
            try await Self.backUp(folder, { $0.bytesPerSecond = 5 })
        }
    }

    @Test("an error of the caller ends the copy, which leaves nothing")
    func ended() async throws {
        let folder = try await Self.folder()
        let stop: (UInt64, UInt64) throws -> Void = { _, _ in throw CancellationError() }
        await #expect(throws: CancellationError.self) {
            try await Self.backUp(folder, progress: stop)
        }
        #expect(try Self.names(in: folder) == ["a.car", "store"])
        _ = try await Self.backUp(folder)
        #expect(throws: CancellationError.self) { try Self.restore(folder, progress: stop) }
        #expect(try Self.names(in: folder) == ["a.car", "backup", "store"])
    }

    // MARK: Damage

    @Test("a backup with another byte is not restored", arguments: [0, 4096, 20_000, -1])
    func otherByte(at offset: Int) async throws {
        let folder = try await Self.folder()
        _ = try await Self.backUp(folder)
        let path = folder.path(of: "backup/catalog/data.mdb")
        var data = try Data(contentsOf: URL(filePath: path))
        data[offset < 0 ? data.count - 1 : offset] ^= 1
        try data.write(to: URL(filePath: path))
        #expect(throws: DAGStoreError(.catalogCorrupt)) { try Self.restore(folder) }
        try data.dropLast(4096).write(to: URL(filePath: path))
        #expect(throws: DAGStoreError(.catalogCorrupt)) { try Self.restore(folder) }
        #expect(try Self.names(in: folder) == ["a.car", "backup", "store"])
    }

    @Test(
        "a damaged description of a backup is told apart from one of a later version",
        arguments: [
            ("", DAGStoreError.Code.catalogCorrupt), ("junk\n", .catalogCorrupt),
            ("dagstore backup 1\nshards 2\n", .catalogCorrupt),
            ("dagstore backup 1\ntaken 1\nshards 2\nsize -5\nchecksum 1\n", .catalogCorrupt),
            ("dagstore backup 2\n", .catalogTooNew),
            (String(repeating: "x", count: 10_000), .catalogCorrupt),
        ]
    )
    func description(text: String, code: DAGStoreError.Code) async throws {
        let folder = try await Self.folder()
        _ = try await Self.backUp(folder)
        let path = URL(filePath: folder.path(of: "backup/BACKUP"))
        try Data(text.utf8).write(to: path)
        #expect(throws: DAGStoreError(code)) { try Self.restore(folder) }
        #expect(try !Self.names(in: folder).contains("again"))
    }

    @Test("a store whose pages are damaged gives no backup")
    func damagedStore() async throws {
        let folder = try await Self.folder()
        try Self.damagePages(of: folder)
        await #expect(throws: DAGStoreError(.catalogCorrupt)) { try await Self.backUp(folder) }
        #expect(try Self.names(in: folder) == ["a.car", "store"])
    }

    /// Gives every leaf and branch page of a catalog another page number, except for those near its beginning.
    private static func damagePages(of folder: StoreFolder) throws {
        let path = URL(filePath: folder.storePath + "/catalog/data.mdb")
        var data = try Data(contentsOf: path)
        let pageSize = 4096
        for page in stride(from: 2 * pageSize, to: data.count, by: pageSize) {
            // The root pages that an opening reads stay whole: only rows of large values are damaged.
            guard data[page + 10] & 4 != 0 else { continue }
            data[page] ^= 0xff
        }
        try data.write(to: path)
    }

    // MARK: Kills

    @Test(
        "killed at any step, a backup is absent or whole, and the next one succeeds",
        arguments: [Failpoint.backupPartlyCopied, .backupCopied, .backupRenamed]
    )
    func killedBackingUp(at place: Failpoint) async throws {
        let folder = try await Self.folder()
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = folder.path as String, name = place.rawValue as String] in
            try #require(Failpoint(rawValue: name)).arm()
            let store = try StoreFolder.open(path + "/store") { $0.isReadOnly = true }
            var options = BackupOptions()
            options.freeBytesMin = 0
            _ = try store.backup(to: FilePath(path + "/backup"), options: options)
        }
        let names = try Self.names(in: folder)
        if place == .backupRenamed {
            #expect(names == ["a.car", "backup", "store"])
        } else {
            #expect(names == ["a.car", "backup.partial", "store"])
            #expect(try await Self.backUp(folder).shards == 2)
            #expect(try Self.names(in: folder) == ["a.car", "backup", "store"])
        }
        #expect(try Self.restore(folder).shards == 2)
        try await Self.check(folder.path(of: "again"))
    }

    @Test(
        "killed at any step, a restored store is absent or whole",
        arguments: [Failpoint.restorePartlyCopied, .restoreCopied, .restoreRenamed]
    )
    func killedRestoring(at place: Failpoint) async throws {
        let folder = try await Self.folder()
        _ = try await Self.backUp(folder)
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = folder.path as String, name = place.rawValue as String] in
            try #require(Failpoint(rawValue: name)).arm()
            var options = BackupOptions()
            options.freeBytesMin = 0
            _ = try DAGStore.restore(
                from: FilePath(path + "/backup"),
                to: FilePath(path + "/again"),
                options: options
            )
        }
        if place != .restoreRenamed {
            #expect(throws: DAGStoreError(.invalidArgument)) {
                try StoreFolder.open(folder.path(of: "again")) { $0.isReadOnly = true }
            }
            #expect(try Self.restore(folder).shards == 2)
        }
        #expect(try Self.names(in: folder, "again") == ["LOCK", "catalog"])
        try await Self.check(folder.path(of: "again"))
    }
}
