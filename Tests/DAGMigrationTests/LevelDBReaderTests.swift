#if LevelDB
    import DAGBytes
    import Foundation
    import DAGMounts
    import Synchronization
    import SystemPackage
    import TestSupport
    import Testing

    @testable import DAGMigration

    /// LevelDB folders that another process owns, or writes to during the test.
    @Suite("LevelDB reader")
    struct LevelDBReaderTests {
        private let folder: TemporaryFolder

        init() throws { folder = try TemporaryFolder() }

        private func path(_ name: String) -> FilePath { FilePath(folder.path(of: name)) }

        private func key(_ number: Int) -> [UInt8] { Array("key-\(1_000_000 + number)".utf8) }

        /// Creates a database of rows with large values, in several tables.
        private func make(
            _ name: String,
            rows: Int = 40,
            valueSize: Int = 1 << 18,
            seed: UInt64 = 3
        ) throws -> FilePath {
            let writer = try LevelDBWriter(creating: path(name), bufferSize: 1 << 16)
            var random = SplitMix64(seed: seed)
            for number in 0..<rows {
                var value: [UInt8] = []
                for _ in 0..<valueSize / 8 { value.append(littleEndian: random.next()) }
                try writer.put(key(number), value)
            }
            try writer.finish()
            return path(name)
        }

        private func rows(_ reader: LevelDBReader) throws -> [[UInt8]] {
            var keys: [[UInt8]] = []
            try reader.forEach(prefix: Array("key-".utf8)) { key, _ in
                keys.append(key.copied)
                return true
            }
            return keys
        }

        /// Returns every file with its bytes and times.
        private func fingerprint(_ folder: FilePath) throws -> [String: String] {
            var found: [String: String] = [:]
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.string) {
                let path = folder.appending(name).string
                let attributes = try FileManager.default.attributesOfItem(atPath: path)
                let time = (attributes[.modificationDate] as? Date)?.timeIntervalSinceReferenceDate
                let bytes = FileManager.default.contents(atPath: path) ?? Data()
                found[name] = "\(time ?? 0) \(bytes.count) \(bytes.hashValue)"
            }
            return found
        }

        // LevelDB replays journals into tables of the next numbers. A crash or a node may already have such tables.
        @Test("tables that no manifest names keep their bytes, whatever their numbers")
        func strayTables() throws {
            let database = try make("db", rows: 3, valueSize: 1000)
            for number in 1...40 {
                let name = String(String(1_000_000 + number).dropFirst())
                guard
                    !FileManager.default.fileExists(
                        atPath: database.appending("\(name).ldb").string
                    ),
                    !FileManager.default.fileExists(
                        atPath: database.appending("\(name).log").string
                    )
                else { continue }
                _ = try folder.write(Array("nobody's".utf8), to: "db/\(name).ldb")
            }
            let before = try fingerprint(database)
            #expect(try rows(LevelDBReader(at: database)) == (0..<3).map(key))
            #expect(try fingerprint(database) == before)
        }

        @Test("a database is read completely while a process writes to it")
        func liveWriter() async throws {
            let database = path("live")
            let writer = Mutex(try LevelDBWriter(creating: database, bufferSize: 1 << 16))
            let isDone = Atomic<Bool>(false)
            async let written: Int = Self.onThread {
                // Enough rows for tables and compactions.
                var random = SplitMix64(seed: 4)
                for number in 0..<6_000 {
                    var value: [UInt8] = []
                    for _ in 0..<64 { value.append(littleEndian: random.next()) }
                    try writer.withLock { [value] in try $0.put(key(number), value) }
                    if number % 500 == 0 { try writer.withLock { try $0.finish() } }
                }
                try writer.withLock { try $0.finish() }
                isDone.store(true, ordering: .releasing)
                return 6_000
            }
            var looks = 0
            while !isDone.load(ordering: .acquiring) {
                let found = try await Self.onThread { try rows(LevelDBReader(at: database)) }
                // The rows that were written before the reader opened, in order and without a gap.
                #expect(found == (0..<found.count).map(key))
                looks += 1
            }
            let count = try await written
            #expect(looks > 0)
            #expect(try rows(LevelDBReader(at: database)).count == count)
        }

        private static func onThread<R: Sendable>(
            _ body: @escaping @Sendable () throws -> R
        ) async throws -> R {
            try await withCheckedThrowingContinuation { continuation in
                Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
            }
        }

        @Test("tables that are removed during a walk stay readable", arguments: [Int.max, 1])
        func removedTables(held: Int) throws {
            let database = try make("db")
            let reader = try LevelDBReader(at: database, heldTablesMax: held)
            // The same rows in other tables, as a compaction leaves them.
            _ = try make("other", seed: 4)
            var found: [[UInt8]] = []
            var values = Set<[UInt8]>()
            try reader.forEach(prefix: Array("key-".utf8)) { (key, value) throws(MigrationError) in
                found.append(key.copied)
                values.insert(value.copied)
                if found.count == 1 {
                    let files = FileManager.default
                    try? files.moveItem(atPath: database.string, toPath: path("old").string)
                    try? files.removeItem(atPath: path("old").string)
                    try? files.moveItem(atPath: path("other").string, toPath: database.string)
                    // Under names that the first manifest does not have.
                    for name in (try? files.contentsOfDirectory(atPath: database.string)) ?? []
                    where name.hasSuffix(".ldb") {
                        let table = String(name.dropLast(4))
                        try? files.moveItem(
                            atPath: database.appending(name).string,
                            toPath: database.appending(table + ".sst").string
                        )
                    }
                }
                return true
            }
            #expect(found == (0..<40).map(key), "\(found.count)")
            // If tables were not kept open, the walk continues over the new tables.
            var random = SplitMix64(seed: 3)
            var old = Set<[UInt8]>()
            for _ in 0..<40 {
                var value: [UInt8] = []
                for _ in 0..<1 << 15 { value.append(littleEndian: random.next()) }
                old.insert(value)
            }
            #expect(values.isSubset(of: old) == (held == .max))
        }

        @Test("a table with a false block size is refused, and the process survives")
        func lyingFooter() throws {
            let database = try make("db")
            let names = try FileManager.default.contentsOfDirectory(atPath: database.string)
            let tables = names.filter { $0.hasSuffix(".ldb") }.sorted()
            let table = try #require(tables.first)
            let url = URL(filePath: database.appending(table).string)
            var bytes = try Array(Data(contentsOf: url))
            // The footer has two handles of varints; the size of the index block becomes 2^40.
            let footer = bytes.count - 48
            let handles = bytes[footer..<footer + 40]
            let first = handles.dropFirst(skippedVarints(handles, 3))
            bytes.replaceSubrange(
                first.startIndex..<first.startIndex + 6,
                with: [0x80, 0x80, 0x80, 0x80, 0x80, 0x20]
            )
            try Data(bytes).write(to: url)
            #expect(throws: MigrationError(.sourceCorrupt, "", "")) {
                try rows(LevelDBReader(at: database))
            }
        }

        private func skippedVarints(_ bytes: ArraySlice<UInt8>, _ count: Int) -> Int {
            var left = count
            var place = 0
            for byte in bytes where left > 0 {
                place += 1
                if byte & 0x80 == 0 { left -= 1 }
            }
            return place
        }

        @Test(
            "a folder without a database is refused",
            arguments: ["", "MANIFEST-1", "MANIFEST-../x\n", "x\n"]
        )
        func wrongCurrent(text: String) throws {
            let database = try make("db", rows: 1, valueSize: 8)
            try Data(text.utf8).write(to: URL(filePath: database.appending("CURRENT").string))
            #expect(throws: MigrationError(.sourceCorrupt, "", "")) {
                try LevelDBReader(at: database)
            }
        }
    }
#endif
