import DAGLMDB
import Foundation
import Testing

@Suite("Environment")
struct EnvironmentTests {
    @Test("rows survive closing and opening again")
    func reopens() throws {
        let folder = try ScratchFolder()
        let environment = try folder.open()
        try environment.put("key", [1, 2, 3])
        try environment.put("key", [4], in: "b")
        environment.close()
        environment.close()
        let again = try folder.open()
        #expect(try again.value(of: "key") == [1, 2, 3])
        #expect(try again.value(of: "key", in: "b") == [4])
        #expect(try again.value(of: "other") == nil)
    }

    @Test("full durability commits as well")
    func flushes() throws {
        let folder = try ScratchFolder()
        let environment = try Environment.open(at: folder.path, options: .init(tables: ["a"]))
        try environment.put("key", [1])
        try environment.sync()
        #expect(try environment.value(of: "key") == [1])
        #expect(environment.mapSize == 1 << 40)
    }

    @Test("a second opening is refused until the first is closed")
    func refusesSecondOpening() throws {
        let folder = try ScratchFolder()
        let first = try folder.open()
        #expect(throws: LMDBError(.alreadyOpen)) { try folder.open() }
        // The refusal left the locks of the first alone, and the first well.
        try first.put("key", [1])
        first.close()
        #expect(try folder.open().value(of: "key") == [1])
    }

    @Test("the last reference closes the environment too")
    func closesWithLastReference() throws {
        let folder = try ScratchFolder()
        do {
            let first = try folder.open()
            try first.put("key", [1])
        }
        #expect(try folder.open().value(of: "key") == [1])
    }

    @Test("another path to an open environment is refused")
    func refusesOtherPaths() throws {
        let folder = try ScratchFolder()
        let others = try ScratchFolder()
        let first = try folder.open()
        let linked = others.path + "/linked"
        try FileManager.default.createSymbolicLink(
            atPath: linked,
            withDestinationPath: folder.path
        )
        let stranger = others.path + "/stranger"
        try FileManager.default.createDirectory(
            atPath: stranger,
            withIntermediateDirectories: true
        )
        try FileManager.default.createSymbolicLink(
            atPath: stranger + "/data.mdb",
            withDestinationPath: folder.path + "/data.mdb"
        )
        for path in [linked, folder.path + "/.", stranger] {
            let options = Environment.Options(tables: [], mapSize: 1 << 20)
            #expect(throws: LMDBError(.alreadyOpen)) {
                try Environment.open(at: path, options: options)
            }
        }
        first.close()
    }

    // The claim of a deleted directory once met the next directory that was given its inode.
    @Test("an environment whose folder was deleted does not keep others from opening theirs")
    func deletedFolderClaimsNothingElse() throws {
        let deleted = try ScratchFolder()
        let environment = try deleted.open()
        try FileManager.default.removeItem(atPath: deleted.path)
        for _ in 0..<10 {
            try ScratchFolder().open().put("key", [1])
        }
        environment.close()
    }

    @Test("a failed opening leaves the environment free")
    func failedOpeningReleases() throws {
        let folder = try ScratchFolder()
        let options = Environment.Options(tables: ["a"], mapSize: 1 << 20, isReadOnly: true)
        #expect(throws: LMDBError(.missing)) {
            try Environment.open(at: folder.path, options: options)
        }
        #expect(throws: LMDBError(.missing)) {
            try Environment.open(at: folder.path, options: options)
        }
        _ = try folder.open()
    }

    @Test("a missing directory is missing")
    func missingDirectory() throws {
        let folder = try ScratchFolder()
        #expect(throws: LMDBError(.missing)) {
            try Environment.open(at: folder.path + "/none", options: .init(tables: []))
        }
    }

    @Test("a file that is not a database is corrupted")
    func refusesGarbage() throws {
        let folder = try ScratchFolder()
        let garbage = Data(repeating: 0x5a, count: 16_384)
        try garbage.write(to: URL(filePath: folder.path + "/data.mdb"))
        #expect(throws: LMDBError(.corrupted)) { try folder.open() }
    }

    @Test("a table that is missing beside others was lost")
    func missingTable() throws {
        let folder = try ScratchFolder()
        try folder.open(tables: ["a"]).put("key", [1])
        let options = Environment.Options(tables: ["a", "c"], mapSize: 1 << 30, isReadOnly: true)
        #expect(throws: LMDBError(.corrupted)) {
            try Environment.open(at: folder.path, options: options)
        }
    }

    @Test("a read-only environment reads and refuses to write")
    func readOnly() throws {
        let folder = try ScratchFolder()
        try folder.open().put("key", [1])
        let options = Environment.Options(tables: ["a"], mapSize: 1 << 30, isReadOnly: true)
        let environment = try Environment.open(at: folder.path, options: options)
        #expect(try environment.value(of: "key") == [1])
        #expect(throws: LMDBError(.permission)) { try environment.put("key", [2]) }
        #expect(try environment.value(of: "key") == [1])
    }

    @Test("another process reads beside a write transaction, and sees nothing of it")
    func readOnlyBesideWriter() async throws {
        let folder = try ScratchFolder()
        let environment = try folder.open()
        try environment.put("key", [1])
        let mayCommit = DispatchSemaphore(value: 0)
        let (events, sink) = AsyncThrowingStream<Void, any Error>.makeStream()
        // A write transaction keeps to one thread, which a test that awaits does not.
        Thread.detachNewThread {
            do {
                try environment.write { (transaction) throws(LMDBError) in
                    try transaction.put(environment.table("a"), "key", [2])
                    sink.yield()
                    mayCommit.wait()
                }
                sink.finish()
            } catch {
                sink.finish(throwing: error)
            }
        }
        var iterator = events.makeAsyncIterator()
        try #require(try await iterator.next() != nil)
        await #expect(processExitsWith: .success) { [path = folder.path as String] in
            let options = Environment.Options(tables: ["a"], isReadOnly: true)
            let environment = try Environment.open(at: path, options: options)
            #expect(try environment.value(of: "key") == [1])
            #expect(throws: LMDBError(.permission)) { try environment.put("key", [3]) }
        }
        mayCommit.signal()
        #expect(try await iterator.next() == nil)
        #expect(try environment.value(of: "key") == [2])
    }

    @Test("a map beyond the address space is reduced")
    func reducesMap() throws {
        let folder = try ScratchFolder()
        let environment = try folder.open(mapSize: 1 << 60)
        #expect((32 << 30..<1 << 60).contains(environment.mapSize))
        #expect(try environment.usage().mapSize == environment.mapSize)
        try environment.put("key", [1])
        #expect(try environment.value(of: "key") == [1])
    }

    @Test("usage reports the size of the file")
    func tellsUsage() throws {
        let folder = try ScratchFolder()
        let environment = try folder.open()
        let before = try environment.usage()
        try environment.put("key", Array(repeating: 7, count: 100_000))
        let after = try environment.usage()
        #expect(after.mapSize == 1 << 30)
        #expect(after.readersMax == 126)
        #expect(after.lastTransaction == before.lastTransaction + 1)
        #expect(after.bytesInUse >= before.bytesInUse + 100_000)
        #expect(after.fileSize >= after.bytesInUse)
    }

    #if os(Linux)
        /// Returns the resident size of an environment's map in this process, in bytes, as the system counts it.
        private static func resident(_ folder: ScratchFolder) throws -> Int {
            // The file reports a size of 0, so the test reads it to its end.
            let file = try #require(FileHandle(forReadingAtPath: "/proc/self/smaps"))
            let maps = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
            var isOurs = false
            var sum = 0
            for line in maps.split(separator: "\n") {
                let isNext = line.prefix { $0 != " " }.last != ":"
                if isNext { isOurs = line.hasSuffix("\(folder.path)/data.mdb") }
                guard isOurs, line.hasPrefix("Rss:") else { continue }
                sum += (Int(line.filter(\.isNumber)) ?? 0) << 10
            }
            return sum
        }

        @Test("memory that was given back comes again as it was, also under a reader")
        func givesBackMemory() throws {
            let folder = try ScratchFolder()
            let environment = try folder.open()
            let value = (0..<8 << 20).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) }
            try environment.put("key", value)
            #expect(try environment.value(of: "key") == value)
            #expect(try Self.resident(folder) >= value.count)
            try environment.giveBackMemory()
            #expect(try Self.resident(folder) < 1 << 20)
            #expect(try environment.value(of: "key") == value)
            #expect(try Self.resident(folder) >= value.count)
        }
    #endif

    @Test("clearing finds no dead readers if none died")
    func noDeadReaders() throws {
        let environment = try ScratchFolder().open()
        #expect(try environment.clearDeadReaders() == 0)
    }

    @Test("a table that was not opened is the caller's bug")
    func unknownTableTraps() async throws {
        let folder = try ScratchFolder()
        await #expect(processExitsWith: .failure) { [path = folder.path as String] in
            let folder = ScratchFolder(borrowing: path)
            _ = try folder.open().table("c")
        }
    }

    @Test("closing an environment within a transaction is the caller's bug")
    func closingInUseTraps() async throws {
        let folder = try ScratchFolder()
        await #expect(processExitsWith: .failure) { [path = folder.path as String] in
            let folder = ScratchFolder(borrowing: path)
            let environment = try folder.open()
            try environment.read { (_) throws(LMDBError) in environment.close() }
        }
    }

    @Test("an error says its code, LMDB's words and the number")
    func describesErrors() throws {
        let folder = try ScratchFolder()
        let error = try #require(throws: LMDBError.self) {
            try Environment.open(at: folder.path + "/none", options: .init(tables: []))
        }
        #expect(error.description == "missing: No such file or directory (2)")
    }
}
