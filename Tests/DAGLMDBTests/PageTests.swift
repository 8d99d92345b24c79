import DAGBytes
import DAGLMDB
import Foundation
import Testing

@Suite("Pages")
struct PageTests {
    /// A closed environment whose trees have branches, overflow pages and a free list.
    private static func folder() throws -> ScratchFolder {
        let folder = try ScratchFolder()
        let environment = try folder.open()
        let table = environment.table("a")
        try environment.write { (writer) throws(LMDBError) in
            for number in 0..<400 {
                let size = number % 50 == 0 ? 9000 : 40
                try writer.put(
                    table,
                    key(number),
                    [UInt8](repeating: UInt8(number % 256), count: size)
                )
            }
        }
        try environment.write { (writer) throws(LMDBError) in
            for number in stride(from: 0, to: 400, by: 7) {
                _ = try writer.delete(table, key(number))
            }
        }
        environment.close()
        return folder
    }

    private static func key(_ number: Int) -> String { String(1000 + number) }

    private static func data(_ folder: ScratchFolder) -> URL {
        URL(filePath: folder.path + "/data.mdb")
    }

    private static func openReadOnly(
        _ path: String,
        checksPages: Bool = false
    ) throws(LMDBError) -> Environment {
        try Environment.open(
            at: path,
            options: .init(
                tables: ["a", "b"],
                checksPages: checksPages,
                mapSize: 1 << 30,
                isReadOnly: true
            )
        )
    }

    /// Whether an environment with this data file is refused as corrupt.
    private static func isRefused(_ bytes: Data, in folder: ScratchFolder) throws -> Bool {
        try bytes.write(to: data(folder))
        do {
            try openReadOnly(folder.path, checksPages: true).close()
            return false
        } catch {
            #expect(error.code == .corrupted)
            return true
        }
    }

    @Test("a sound environment has no damaged page, and nothing is written")
    func sound() throws {
        let folder = try Self.folder()
        let before = try Data(contentsOf: Self.data(folder))
        let environment = try Self.openReadOnly(folder.path, checksPages: true)
        #expect(try environment.damagedPages(limit: 10) == [])
        environment.close()
        #expect(try Data(contentsOf: Self.data(folder)) == before)
    }

    @Test("an environment without rows, or just made, has no damaged page")
    func empty() throws {
        let folder = try ScratchFolder()
        let environment = try folder.open()
        #expect(try environment.damagedPages(limit: 1) == [])
    }

    @Test("pages are checked beside a writer that never stops")
    func besideWriter() throws {
        let folder = try Self.folder()
        let environment = try folder.open()
        onThreads(2) { number in
            for round in 0..<300 {
                do {
                    if number == 0 {
                        try environment.put(
                            Self.key(round),
                            [UInt8](repeating: 1, count: round * 20)
                        )
                    } else if round % 10 == 0 {
                        let damage = try environment.damagedPages(limit: 3)
                        #expect(damage == [], "round \(round)")
                    }
                } catch {
                    Issue.record(error)
                }
            }
        }
    }

    @Test("a file that was cut short anywhere is refused, or has all that it had")
    func cutShort() throws {
        let folder = try Self.folder()
        let whole = try Data(contentsOf: Self.data(folder))
        let sound = try Self.openReadOnly(folder.path)
        let keys = try sound.keys()
        sound.close()
        var refused = 0
        for size in stride(from: 4096, to: whole.count, by: 1024) {
            try whole.prefix(size).write(to: Self.data(folder))
            do {
                let environment = try Self.openReadOnly(folder.path)
                defer { environment.close() }
                #expect(try environment.keys() == keys, "\(size) bytes")
                for key in keys { #expect(try environment.value(of: key) != nil, "\(size) bytes") }
            } catch {
                #expect(error == LMDBError(.corrupted), "\(size) bytes: \(error)")
                refused += 1
            }
        }
        #expect(refused > 50)
        try whole.write(to: Self.data(folder))
        #expect(try Self.openReadOnly(folder.path).keys() == keys)
    }

    @Test("a writer refuses a file that was cut short, and leaves it as it is")
    func cutShortForWriter() throws {
        let folder = try Self.folder()
        let half = try Data(contentsOf: Self.data(folder))
        try half.prefix(half.count / 2).write(to: Self.data(folder))
        let error = #expect(throws: LMDBError.self) { try folder.open() }
        #expect(error?.code == .corrupted)
        #expect(error?.words?.contains("cut short") == true)
        #expect(try Data(contentsOf: Self.data(folder)).count == half.count / 2)
    }

    // LMDB counts a page as used that was taken and given back in one transaction, and never writes it.
    @Test("a sound file that is shorter than its last page number opens")
    func shorterThanLastPage() throws {
        let folder = try Self.folder()
        let environment = try folder.open()
        let table = environment.table("a")
        for round in 0..<4 { try environment.put("kept", [UInt8(round)]) }
        try environment.write { (writer) throws(LMDBError) in
            try writer.put(table, "kept", [1])
            try writer.put(table, "large", [UInt8](repeating: 1, count: 400_000))
            _ = try writer.delete(table, "large")
        }
        let usage = try environment.usage()
        #expect(usage.fileSize < usage.bytesInUse)
        environment.close()
        #expect(try folder.open().value(of: "kept") == [1])
        #expect(try Self.openReadOnly(folder.path, checksPages: true).value(of: "kept") == [1])
    }

    @Test("damage of each kind is reported before LMDB meets it")
    func kinds() throws {
        let folder = try Self.folder()
        let whole = try Data(contentsOf: Self.data(folder))
        let places = (2..<whole.count / 4096).filter { page in
            // Pages of rows, and the first of each large value.
            let start = page * 4096
            return whole[start] == UInt8(page) && whole[start + 9] == 0
                && whole[start + 10] & 7 != 0
        }
        var seen = 0
        for page in places {
            for offset in [0, 10, 12, 16] {
                var bytes = whole
                bytes[page * 4096 + offset] ^= 0xff
                // A page outside the tree may hold any bytes.
                if try Self.isRefused(bytes, in: folder) { seen += 1 }
            }
        }
        #expect(seen > 40)
    }

    @Test("two exchanged pages are reported, though each is sound")
    func exchanged() throws {
        let folder = try Self.folder()
        let whole = try Data(contentsOf: Self.data(folder))
        // A branch page with the pages of two children exchanged, wherever there is one.
        var seen = 0
        for page in 2..<whole.count / 4096 {
            let start = page * 4096
            guard whole[start] == UInt8(page), whole[start + 10] == 1, whole[start + 12] >= 20
            else { continue }
            let (first, second) = (start + 16, start + 18)
            let rows = [first, second].map { start + Int(whole[$0]) + Int(whole[$0 + 1]) << 8 }
            var bytes = whole
            for offset in 0..<6 { bytes.swapAt(rows[0] + offset, rows[1] + offset) }
            if try Self.isRefused(bytes, in: folder) { seen += 1 }
        }
        #expect(seen > 0)
    }

    @Test("noise in any page is reported, or LMDB can walk over it")
    func noise() async throws {
        await #expect(processExitsWith: .success) {
            let folder = try Self.folder()
            let whole = try Data(contentsOf: Self.data(folder))
            var generator = SeededGenerator(seed: 17)
            var told = 0
            for _ in 0..<400 {
                var bytes = whole
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    let start = Int.random(in: 8192..<whole.count - 16, using: &generator)
                    for place in start..<start + Int.random(in: 1...16, using: &generator) {
                        bytes[place] = UInt8.random(in: 0...255, using: &generator)
                    }
                }
                try bytes.write(to: Self.data(folder))
                do {
                    let environment = try Self.openReadOnly(folder.path, checksPages: true)
                    for key in try environment.keys() { _ = try environment.value(of: key) }
                    environment.close()
                } catch {
                    told += 1
                }
            }
            guard told > 20 else { fatalError("\(told) of 400 were told") }
        }
    }

    @Test("a file without a readable meta page is corrupt, and is not opened as a new one")
    func metaPages() throws {
        let folder = try Self.folder()
        let whole = try Data(contentsOf: Self.data(folder))
        for size in [1, 100, 4095, 4096 + 100] {
            try whole.prefix(size).write(to: Self.data(folder))
            #expect(throws: LMDBError(.corrupted), "\(size) bytes") { try folder.open() }
        }
        var bytes = whole
        for page in 0..<2 { bytes[page * 4096 + 16] ^= 1 }
        try bytes.write(to: Self.data(folder))
        #expect(throws: LMDBError(.corrupted)) { try folder.open() }
    }

    @Test(
        "noise in the meta pages is reported, or LMDB can walk over it, and no file is opened as a new one"
    )
    func noisyMetaPages() async throws {
        await #expect(processExitsWith: .success) {
            let folder = try Self.folder()
            let whole = try Data(contentsOf: Self.data(folder))
            var generator = SeededGenerator(seed: 23)
            var told = 0
            for _ in 0..<600 {
                var bytes = whole
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    let start = Int.random(in: 0...1, using: &generator) * 4096
                    let place = start + Int.random(in: 0..<152, using: &generator)
                    bytes[place] =
                        [0, 0xff, UInt8.random(in: 0...255, using: &generator)]
                        .randomElement(using: &generator) ?? 0
                }
                try bytes.write(to: Self.data(folder))
                do {
                    let environment = try Self.openReadOnly(folder.path, checksPages: true)
                    guard try !environment.keys().isEmpty else { fatalError("taken for a new one") }
                    environment.close()
                } catch let error as LMDBError {
                    guard error.code == .corrupted || error.code == .versionMismatch else {
                        fatalError("\(error)")
                    }
                    told += 1
                }
            }
            guard told > 100 else { fatalError("\(told) of 600 were told") }
        }
    }

    @Test("a read-only environment has a map at least as large as the last writer's")
    func mapOfReader() throws {
        let folder = try ScratchFolder()
        let writer = try folder.open(mapSize: 1 << 30)
        try writer.put("key", [1])
        writer.close()
        let reader = try Environment.open(
            at: folder.path,
            options: .init(tables: ["a"], mapSize: 1 << 20, isReadOnly: true)
        )
        #expect(reader.mapSize == 1 << 30)
    }

    @Test("a reader whose map is too small for the file gets reopenNeeded")
    func outgrown() async throws {
        let folder = try ScratchFolder()
        let small = try folder.open(mapSize: 1 << 20)
        try small.put("key", [1])
        small.close()
        let reader = try Environment.open(
            at: folder.path,
            options: .init(tables: ["a"], mapSize: 1 << 20, isReadOnly: true)
        )
        #expect(try reader.value(of: "key") == [1])
        await #expect(processExitsWith: .success) { [path = folder.path as String] in
            let writer = try ScratchFolder(borrowing: path).open()
            try writer.put("large", [UInt8](repeating: 1, count: 4 << 20))
        }
        #expect(throws: LMDBError(.reopenNeeded)) { try reader.value(of: "key") }
        reader.close()
        #expect(try Self.openReadOnly(folder.path).value(of: "key") == [1])
    }

    @Test("a newer table that an older environment lacks is empty in a read-only one")
    func absentTable() throws {
        let folder = try ScratchFolder()
        let old = try folder.open(tables: ["a"])
        try old.put("key", [1])
        old.close()
        let options = Environment.Options(
            tables: ["a", "b"],
            newerTables: ["b"],
            mapSize: 1 << 30,
            isReadOnly: true
        )
        let environment = try Environment.open(at: folder.path, options: options)
        #expect(try environment.value(of: "key") == [1])
        #expect(try environment.value(of: "key", in: "b") == nil)
        #expect(try environment.keys(in: "b") == [])
        let entries = try environment.read { (reader) throws(LMDBError) in
            try reader.statistics(of: environment.table("b")).entries
        }
        #expect(entries == 0)
        environment.close()
        // For a writer it is made, and one that is not newer was lost.
        #expect(throws: LMDBError(.corrupted)) { try folder.open() }
        let writing = Environment.Options(tables: ["a", "b"], newerTables: ["b"], mapSize: 1 << 30)
        #expect(try Environment.open(at: folder.path, options: writing).keys(in: "b") == [])
    }

    @Test("a copy has the rights of its model")
    func rights() throws {
        let folder = try Self.folder()
        let files = FileManager.default
        try files.setAttributes([.posixPermissions: 0o640], ofItemAtPath: folder.path + "/data.mdb")
        let environment = try folder.open()
        try environment.copyCompacted(to: folder.path + "/copy")
        let rights = try files.attributesOfItem(atPath: folder.path + "/copy")[.posixPermissions]
        #expect(rights as? Int == 0o640)
    }
}
