import DAGBytes
import DAGLMDB
import Foundation
import Synchronization
import Testing

@Suite("Write transaction")
struct WriteTransactionTests {
    private let folder: ScratchFolder
    private let environment: Environment
    private let table: Table

    init() throws {
        folder = try ScratchFolder()
        environment = try folder.open()
        table = environment.table("a")
    }

    @Test("values of every size come back", arguments: [0, 1, 2_000, 4_080, 4_081, 3_000_000])
    func roundTrips(size: Int) throws {
        let value = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try environment.put("key", value)
        #expect(try environment.value(of: "key") == value)
        let longest = String(repeating: "k", count: Environment.keySizeMax)
        try environment.put(longest, value)
        #expect(try environment.value(of: longest) == value)
    }

    @Test("a body that throws leaves no trace")
    func throwingBodyAborts() throws {
        try environment.put("key", [1])
        #expect(throws: LMDBError(.other)) {
            try environment.write { (transaction) throws(LMDBError) in
                try transaction.put(table, "key", [2])
                try transaction.put(table, "other", [2])
                throw LMDBError(.other)
            }
        }
        #expect(try environment.value(of: "key") == [1])
        #expect(try environment.keys() == ["key"])
    }

    @Test("a transaction that is dropped leaves no trace and lets the next one in")
    func droppedAborts() throws {
        do {
            let transaction = try environment.beginWrite()
            try transaction.put(table, "key", [1])
            #expect(try transaction.statistics(of: table).entries == 1)
        }
        #expect(try environment.keys() == [])
        let transaction = try environment.beginWrite()
        try transaction.put(table, "key", [2])
        try transaction.commit()
        #expect(try environment.value(of: "key") == [2])
    }

    @Test("a transaction sees its own writes; others do not before the commit")
    func seesOwnWrites() throws {
        let mine = try environment.write { (transaction) throws(LMDBError) in
            try transaction.put(table, "key", [1])
            #expect(try environment.value(of: "key") == nil)
            return try Array("key".utf8).withView { (key) throws(LMDBError) in
                try transaction.get(table, key)?.copied
            }
        }
        #expect(mine == [1])
        #expect(try environment.value(of: "key") == [1])
    }

    @Test("a flag protects a row from being overwritten, and the transaction stays usable")
    func noOverwrite() throws {
        try environment.write { (transaction) throws(LMDBError) in
            try transaction.put(table, "key", [1], flags: .noOverwrite)
            #expect(throws: LMDBError(.keyExists)) {
                try transaction.put(table, "key", [2], flags: .noOverwrite)
            }
            try transaction.put(table, "other", [3], flags: .noOverwrite)
        }
        #expect(try environment.value(of: "key") == [1])
        #expect(try environment.value(of: "other") == [3])
    }

    @Test("rows are appended in order only")
    func appends() throws {
        let keys = (0..<1_000).map { String(format: "%06d", $0) }
        try environment.write { (transaction) throws(LMDBError) in
            for key in keys {
                try transaction.put(table, key, Array(key.utf8), flags: .append)
            }
            #expect(throws: LMDBError(.keyExists)) {
                try transaction.put(table, "000500", [1], flags: .append)
            }
        }
        #expect(try environment.keys() == keys)
        #expect(try environment.value(of: "000500") == Array("000500".utf8))
    }

    @Test("reserved bytes are zero before the body fills them", arguments: [0, 10, 50_000])
    func reserves(size: Int) throws {
        let wasZero = try environment.write { (transaction) throws(LMDBError) in
            // A page that was dirty before is a page with stale bytes.
            try transaction.put(table, "key", Array(repeating: 0xff, count: size))
            _ = try transaction.delete(table, "key")
            var wasZero = false
            try Array("key".utf8).withView { (key) throws(LMDBError) in
                try unsafe transaction.put(table, key, reserving: size) { buffer in
                    wasZero = unsafe buffer.count == size && buffer.allSatisfy { $0 == 0 }
                    for index in 0..<(size / 2) { unsafe buffer[index] = UInt8(index & 0xff) }
                }
            }
            return wasZero
        }
        #expect(wasZero)
        let expected = (0..<size).map { $0 < size / 2 ? UInt8($0 & 0xff) : 0 }
        #expect(try environment.value(of: "key") == expected)
    }

    @Test("deleting says whether there was a row")
    func deletes() throws {
        try environment.put("key", [1])
        let found = try environment.write { (transaction) throws(LMDBError) in
            [try transaction.delete(table, "key"), try transaction.delete(table, "key")]
        }
        #expect(found == [true, false])
        #expect(try environment.keys() == [])
    }

    @Test(
        "deleting a range in portions leaves exactly the rest",
        arguments: 1...8 as ClosedRange<UInt64>
    )
    func deletesRanges(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var model: [String: [UInt8]] = [:]
        for _ in 0..<2_000 {
            let key = String(UInt32.random(in: 0..<50_000, using: &random), radix: 36)
            let size = Int.random(in: 0..<10, using: &random) == 0 ? 5_000 : 40
            model[key] = Array(repeating: UInt8(truncatingIfNeeded: size), count: size)
        }
        let rows = model
        try environment.write { (transaction) throws(LMDBError) in
            for (key, value) in rows { try transaction.put(table, key, value) }
        }
        for _ in 0..<12 {
            let lower = String(UInt32.random(in: 0..<50_000, using: &random), radix: 36)
            let upper = String(UInt32.random(in: 0..<50_000, using: &random), radix: 36)
            let limit = Int.random(in: 0...300, using: &random)
            let below = limit % 5 == 0 ? nil : upper
            let doomed = model.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
                .filter { !$0.utf8.lexicographicallyPrecedes(lower.utf8) }
                .filter { key in below.map { key.utf8.lexicographicallyPrecedes($0.utf8) } ?? true }
                .prefix(limit)
            let count = try environment.write { (transaction) throws(LMDBError) in
                try transaction.deleteRange(table, from: lower, below: below, limit: limit)
            }
            #expect(count == doomed.count, "seed \(seed)")
            for key in doomed { model[key] = nil }
            let left = model.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            #expect(try environment.keys() == left, "seed \(seed)")
        }
    }

    @Test("writers of several threads take turns")
    func writersTakeTurns() throws {
        let failures = Mutex(0)
        onThreads(4) { [environment, table] number in
            for round in 0..<50 {
                do {
                    try environment.write { (transaction) throws(LMDBError) in
                        try transaction.put(table, "\(number)-\(round)", [1])
                    }
                } catch {
                    failures.withLock { $0 += 1 }
                }
            }
        }
        #expect(failures.withLock { $0 } == 0)
        #expect(try environment.keys().count == 200)
    }

    @Test("a write within a write is the caller's bug, not a deadlock")
    func nestedWriteTraps() async throws {
        let folder = try ScratchFolder()
        await #expect(processExitsWith: .failure) { [path = folder.path as String] in
            let folder = ScratchFolder(borrowing: path)
            let environment = try folder.open()
            try environment.write { (_) throws(LMDBError) in
                try environment.put("key", [1])
            }
        }
    }
}
