import DAGBytes
import DAGCatalog
import DAGHashing
import DAGLMDB
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Catalog")
struct CatalogTests {
    /// Keys that would be trouble if they became paths or C strings.
    static let keys = [
        "a", "../x", "a/b", "/", ".", "..", " ", "line\nbreak", "tab\t", "\"quoted\"", "\\", "ü",
        // The same letter in two spellings: two keys.
        "\u{e9}", "e\u{301}", "文字", "🧊", "%2F", String(repeating: "k", count: 480),
        String(repeating: "ü", count: 240), "\u{1}", "\u{7f}", "A", "aa", "\u{feff}",
    ]

    @Test("keys of every shape are kept apart, also after reopening")
    func keysOfEveryShape() throws {
        let folder = try CatalogFolder()
        var catalog = try folder.open()
        for key in Self.keys { try catalog.publish(.available(key)) }
        for _ in 0..<2 {
            for (index, key) in Self.keys.enumerated() {
                let record = try #require(try catalog.record(of: key))
                #expect(record.number == UInt32(index + 1))
                #expect(Array(record.key.utf8) == Array(key.utf8))
            }
            #expect(try catalog.number(of: "b") == nil)
            #expect(try catalog.record(of: "b") == nil)
            #expect(try catalog.record(99) == nil)
            catalog.close()
            catalog = try folder.open()
        }
        catalog.close()
    }

    @Test(
        "records come in order of registration, in pages of any size",
        arguments: [1, 7, 64, 1000]
    )
    func recordsInOrder(limit: Int) throws {
        let catalog = try CatalogFolder().open()
        let keys = (0..<300).map { "\(($0 * 7919) % 1000)-\($0)" }
        for key in keys { try catalog.publish(.available(key)) }
        for key in keys where key.hasSuffix("5") {
            try catalog.remove(try #require(try catalog.record(of: key)))
        }
        var found: [String] = []
        var last: UInt32?
        while true {
            let records = try catalog.records(after: last, limit: limit)
            found += records.map(\.key)
            guard records.count == limit else { break }
            last = records.last?.number
        }
        #expect(found == keys.filter { !$0.hasSuffix("5") })
        #expect(try catalog.records(after: .max, limit: 10).isEmpty)
        #expect(try catalog.records(after: nil, limit: 0).isEmpty)
        catalog.close()
    }

    @Test("counters follow every change, also after reopening")
    func counters() throws {
        let folder = try CatalogFolder()
        var catalog = try folder.open()
        #expect(try catalog.counters() == Counters())
        var model = Counters()
        var records: [ShardRecord] = []
        for index in 0..<10 {
            let sections = UInt64(index) + 1
            let bytes = sections * 1000
            records.append(
                try catalog.publish(.available("\(index)", sections: sections, bytes: bytes))
            )
            model.nextShard += 1
            model.shards += 1
            model.available += 1
            model.sections += sections
            model.payloadBytes += bytes
            model.indexBytes += bytes / 10
            #expect(try catalog.counters() == model)
        }
        records[3].state = .failed
        records[3].errorCode = -31
        records[3].sectionCount = 0
        try catalog.update(records[3])
        model.available -= 1
        model.failed += 1
        model.sections -= 4
        #expect(try catalog.counters() == model)
        // The same change again changes nothing.
        try catalog.update(records[3])
        #expect(try catalog.record(4) == records[3])
        try catalog.remove(records[9])
        model.shards -= 1
        model.available -= 1
        model.sections -= 10
        model.payloadBytes -= 10_000
        model.indexBytes -= 1000
        #expect(try catalog.counters() == model)
        // A shard that is gone is not removed twice.
        try catalog.remove(records[9])
        #expect(try catalog.counters() == model)
        catalog.close()
        catalog = try folder.open()
        #expect(try catalog.counters() == model)
        for record in records.prefix(9) { try catalog.remove(record) }
        var empty = Counters()
        empty.nextShard = model.nextShard
        #expect(try catalog.counters() == empty)
        catalog.close()
    }

    @Test("a key that is taken is refused, and nothing is written")
    func takenKey() throws {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        let first = try catalog.publish(.available("key"))
        let counters = try catalog.counters()
        #expect(throws: CatalogError(.exists, "")) {
            try catalog.publish(
                .available("key", sections: 99),
                root: [1, 2, 3],
                generation: nil,
                pieces: [.pages(number: 0, bytes: [1])]
            )
        }
        #expect(try catalog.counters() == counters)
        #expect(try catalog.record(of: "key") == first)
        catalog.close()
        let rows = try folder.rowCounts()
        #expect(rows["pages"] == 0)
        #expect(rows["roots"] == 0)
        #expect(rows["shards"] == 1)
    }

    @Test("a number is never used twice, even after the last shard is removed")
    func numbers() throws {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        let first = try catalog.publish(.available("a"))
        try catalog.remove(first)
        #expect(try catalog.number(of: "a") == nil)
        let second = try catalog.publish(.available("a"))
        #expect(second.number == first.number + 1)
        catalog.close()
    }

    @Test("the hash key is made once and stays")
    func hashKey() throws {
        let folder = try CatalogFolder()
        let catalog = try folder.open(randomKey: (3, 4))
        let hash = [1, 2, 3].withView { catalog.hash.hash($0) }
        catalog.close()
        let again = try folder.open(randomKey: (5, 6))
        #expect([1, 2, 3].withView { again.hash.hash($0) } == hash)
        again.close()
    }

    @Test("a second writer is locked out until the first one closes")
    func locked() throws {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        #expect(throws: CatalogError(.locked, "")) { try folder.open() }
        // A reader of the same process is refused too: LMDB does not survive two openings.
        #expect(throws: CatalogError(.locked, "")) { try folder.open(isReadOnly: true) }
        try catalog.publish(.available("a"))
        catalog.close()
        let again = try folder.open()
        #expect(try again.keys() == ["a"])
        again.close()
    }

    @Test("a lock that another program holds is respected")
    func foreignLock() throws {
        let folder = try CatalogFolder()
        try folder.open().close()
        let lock = try FileDescriptor.open(
            FilePath(folder.path + "/LOCK"),
            .readWrite,
            options: .closeOnExec
        )
        try #require(flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0)
        #expect(throws: CatalogError(.locked, "")) { try folder.open() }
        // A reader takes no lock.
        let reader = try folder.open(isReadOnly: true)
        reader.close()
        // Processes that are starting have the file too, so closing it is not enough.
        try #require(flock(lock.rawValue, LOCK_UN) == 0)
        try lock.close()
        try folder.open().close()
    }

    #if os(Linux)
        // A process that is started has copies of all descriptors until it runs its program, and a lock
        // lives as long as one of them. A store that is closed at that moment must be free.
        @Test(
            "a closed catalog is unlocked, even if another process has a copy of the lock's descriptor"
        )
        func copiedLock() throws {
            let folder = try CatalogFolder()
            let catalog = try folder.open()
            let manager = FileManager.default
            let name = try manager.contentsOfDirectory(atPath: "/proc/self/fd").first { name in
                let path = try? manager.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")
                return path == folder.path + "/LOCK"
            }
            let number = try #require(name.flatMap { Int32($0) })
            let copy = try FileDescriptor(rawValue: number).duplicate()
            defer { try? copy.close() }
            catalog.close()
            try folder.open().close()
        }
    #endif

    @Test("an absent catalog is missing for a reader")
    func missing() throws {
        let folder = try CatalogFolder()
        #expect(throws: CatalogError(.missing, "")) { try folder.open(isReadOnly: true) }
        #expect(throws: CatalogError(.missing, "")) {
            try Catalog(
                at: FilePath(folder.path + "/none"),
                lockFile: FilePath(folder.path + "/none/LOCK"),
                randomKey: (1, 2)
            )
        }
        try folder.open().close()
    }

    @Test("a reader writes nothing")
    func readOnly() throws {
        let folder = try CatalogFolder()
        var catalog = try folder.open()
        let record = try catalog.publish(.available("a"))
        catalog.close()
        catalog = try folder.open(isReadOnly: true)
        #expect(try catalog.keys() == ["a"])
        #expect(throws: CatalogError(.readOnly, "")) { try catalog.publish(.available("b")) }
        #expect(throws: CatalogError(.readOnly, "")) { try catalog.remove(record) }
        #expect(throws: CatalogError(.readOnly, "")) { try catalog.beginGeneration([]) }
        #expect(throws: CatalogError(.readOnly, "")) { try catalog.deleteGeneration(1) }
        #expect(try catalog.keys() == ["a"])
        catalog.close()
    }

    @Test("a full map refuses a record, keeps the rest, and takes records again after a removal")
    func full() throws {
        let folder = try CatalogFolder()
        let catalog = try folder.open(mapSize: 1 << 20)
        let text = String(repeating: "x", count: 2000)
        var count = 0
        #expect(throws: CatalogError(.full, "")) {
            for index in 0..<10_000 {
                var record = ShardRecord.available("\(index)")
                record.errorText = text
                try catalog.publish(record)
                count = index + 1
            }
        }
        #expect(count > 100)
        #expect(try catalog.keys(limit: .max).count == count)
        #expect(try catalog.counters().shards == UInt64(count))
        for index in 0..<5 {
            try catalog.remove(try #require(try catalog.record(of: "\(index)")))
        }
        try catalog.publish(.available("small"))
        #expect(try catalog.keys(limit: .max).count == count - 4)
        catalog.close()
        let again = try folder.open(mapSize: 1 << 20)
        #expect(try again.keys(limit: .max).last == "small")
        again.close()
    }
}
