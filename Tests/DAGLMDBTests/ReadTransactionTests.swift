import DAGBytes
import DAGLMDB
import Foundation
import Synchronization
import Testing

@Suite("Read transaction")
struct ReadTransactionTests {
    @Test("sequential reads share one reader slot")
    func reusesReaders() throws {
        let folder = try ScratchFolder()
        let environment = try folder.open()
        try environment.put("key", [1])
        for _ in 0..<300 {
            #expect(try environment.value(of: "key") == [1])
        }
        #expect(try environment.usage().readersUsed == 1)
    }

    @Test("64 threads read at once, again and again, while one writes")
    func readsConcurrently() throws {
        let folder = try ScratchFolder()
        let environment = try folder.open()
        let pair = [environment.table("a"), environment.table("b")]
        try environment.put("key", [0])
        try environment.put("key", [0], in: "b")
        let failures = Mutex(0)
        onThreads(65) { number in
            for round in 1...100 {
                do {
                    guard number > 0 else {
                        try environment.write { (transaction) throws(LMDBError) in
                            for table in pair {
                                try transaction.put(table, "key", [UInt8(round)])
                            }
                        }
                        continue
                    }
                    let values = try environment.read { (transaction) throws(LMDBError) in
                        try Array("key".utf8).withView { (key) throws(LMDBError) in
                            [
                                try transaction.get(pair[0], key)?.copied,
                                try transaction.get(pair[1], key)?.copied,
                            ]
                        }
                    }
                    if values[0] == nil || values[0] != values[1] {
                        failures.withLock { $0 += 1 }
                    }
                } catch {
                    failures.withLock { $0 += 1 }
                }
            }
        }
        #expect(failures.withLock { $0 } == 0)
        #expect(try environment.usage().readersUsed <= 64)
        environment.close()
    }

    @Test("a reader sees the snapshot it began with")
    func seesSnapshot() throws {
        let folder = try ScratchFolder()
        let environment = try folder.open()
        let table = environment.table("a")
        try environment.put("key", [1])
        try environment.read { (transaction) throws(LMDBError) in
            try environment.put("key", [2])
            try environment.put("other", [3])
            let entries = try transaction.statistics(of: table).entries
            let value = try Array("key".utf8).withView { (key) throws(LMDBError) in
                try transaction.get(table, key)?.copied
            }
            #expect(value == [1])
            #expect(entries == 1)
        }
        #expect(try environment.value(of: "key") == [2])
    }

    @Test("when all slots are taken a reader is refused, and is not when one is free")
    func refusesTooManyReaders() throws {
        let folder = try ScratchFolder()
        let environment = try folder.open(readersMax: 2)
        try environment.read { (_) throws(LMDBError) in
            let refusal = try environment.read { (_) throws(LMDBError) in
                Self.refusal(by: environment)
            }
            #expect(refusal == LMDBError(.readersFull))
            try environment.read { (_) throws(LMDBError) in }
        }
        environment.close()
    }

    /// Why the environment refuses to read.
    private static func refusal(by environment: Environment) -> LMDBError? {
        do {
            try environment.read { (_) throws(LMDBError) in }
            return nil
        } catch {
            return error
        }
    }

    @Test("the slot of a reader whose process died is used again")
    func clearsDeadReaders() async throws {
        let folder = try ScratchFolder()
        let environment = try folder.open(readersMax: 1)
        await #expect(processExitsWith: .failure) { [path = folder.path as String] in
            let options = Environment.Options(tables: ["a"], isReadOnly: true)
            let environment = try Environment.open(at: path, options: options)
            try environment.read { (_) throws(LMDBError) in fatalError("a reader dies") }
        }
        #expect(try environment.keys() == [])
        #expect(try environment.clearDeadReaders() == 0)
    }

    @Test("a body that throws gives its transaction back")
    func throwingBodyGivesBack() throws {
        let folder = try ScratchFolder()
        let environment = try folder.open(readersMax: 1)
        for _ in 0..<3 {
            #expect(throws: LMDBError(.corrupted)) {
                try environment.read { (_) throws(LMDBError) in throw LMDBError(.corrupted) }
            }
        }
        environment.close()
    }

    // Readers of segments keep such pointers for as long as the segment's row lives.
    @Test("an overflow value stays where it is while others come and go")
    func overflowValueStays() throws {
        let folder = try ScratchFolder()
        let environment = try folder.open()
        let table = environment.table("a")
        var random = SeededGenerator(seed: 1)
        let bytes = (0..<20_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        try environment.put("m", bytes)
        let view = try #require(try Self.view(of: "m", in: environment))
        for round in 0..<100 {
            try environment.write { (transaction) throws(LMDBError) in
                try transaction.put(table, "a\(round % 7)", Array(repeating: 1, count: 9_000))
                try transaction.put(table, "z\(round)", Array(repeating: 2, count: 300))
                _ = try transaction.delete(table, "a\((round + 3) % 7)")
            }
        }
        #expect(try Self.view(of: "m", in: environment)?.address == view.address)
        #expect(view.copied == bytes)
    }

    /// The view of a value, beyond its transaction; good for overflow values only.
    private static func view(of key: String, in environment: Environment) throws -> ByteView? {
        let table = environment.table("a")
        return try environment.read { (transaction) throws(LMDBError) in
            try Array(key.utf8).withView { (key) throws(LMDBError) in
                try transaction.get(table, key)
            }
        }
    }

    @Test("statistics have the shape of a table and the free pages")
    func tellsStatistics() throws {
        let folder = try ScratchFolder()
        let environment = try folder.open()
        let table = environment.table("a")
        for number in 0..<20 {
            try environment.put("\(number)", Array(repeating: 1, count: 1_000))
        }
        try environment.put("large", Array(repeating: 1, count: 100_000))
        let statistics = try environment.read { (transaction) throws(LMDBError) in
            try transaction.statistics(of: table)
        }
        #expect(statistics.entries == 21)
        #expect(statistics.depth == 2)
        #expect(statistics.branchPages == 1)
        #expect(statistics.overflowPages == 100_016 / statistics.pageSize + 1)
        #expect(statistics.size > 120_000)
        try environment.write { (transaction) throws(LMDBError) in
            _ = try transaction.delete(table, "large")
        }
        let free = try environment.read { (transaction) throws(LMDBError) in
            try transaction.freePageCount()
        }
        #expect(free >= statistics.overflowPages)
    }

    @Test("a key of no bytes or of too many is the caller's bug", arguments: [0, 512])
    func badKeysTrap(size: Int) async throws {
        let folder = try ScratchFolder()
        await #expect(processExitsWith: .failure) { [size, path = folder.path as String] in
            let folder = ScratchFolder(borrowing: path)
            _ = try folder.open().value(of: String(repeating: "k", count: size))
        }
    }
}
