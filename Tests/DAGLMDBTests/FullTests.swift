import DAGLMDB
import Foundation
import Testing

@Suite("Full maps and disks")
struct FullTests {
    @Test("a full map refuses the write, keeps the rest, and takes writes again after deletions")
    func fullMap() throws {
        let folder = try ScratchFolder()
        let environment = try folder.open(mapSize: 1 << 20)
        let table = environment.table("a")
        let value = Array(repeating: UInt8(7), count: 50_000)
        var count = 0
        let error = #expect(throws: LMDBError.self) {
            for number in 0..<100 {
                try environment.put("\(number)", value)
                count = number + 1
            }
        }
        #expect(error == LMDBError(.mapFull))
        #expect(count > 10)
        #expect(try environment.keys().count == count)
        #expect(try environment.value(of: "0") == value)
        // A commit after a swallowed error must not keep half of a transaction.
        #expect(throws: LMDBError(.other)) {
            try environment.write { (transaction) throws(LMDBError) in
                try transaction.put(table, "small", [1])
                try? transaction.put(table, "large", value)
            }
        }
        #expect(try environment.value(of: "small") == nil)
        for number in 0..<3 {
            try environment.write { (transaction) throws(LMDBError) in
                #expect(try transaction.delete(table, "\(number)"))
            }
        }
        // Pages that were freed are used again by the second transaction after the one that freed them.
        try environment.put("small", [1])
        try environment.put("again", value)
        #expect(try environment.value(of: "again") == value)
        #expect(try environment.keys().count == count - 1)
    }

    // A limit on file sizes replaces a full disk: the kernel refuses to write beyond it.
    @Test("a full disk refuses the commit, keeps the rest, and takes writes again later")
    func fullDisk() async throws {
        let folder = try ScratchFolder()
        await #expect(processExitsWith: .success) { [path = folder.path as String] in
            signal(SIGXFSZ, SIG_IGN)
            let folder = ScratchFolder(borrowing: path)
            let environment = try folder.open()
            try environment.put("key", [1])
            let pages = 2 * (try environment.usage().pageSize)
            try Self.limitFileSize(to: pages)
            #expect(throws: LMDBError(.diskFull)) { try environment.put("key", [2]) }
            #expect(try environment.value(of: "key") == [1])
            #expect(throws: LMDBError(.diskFull)) {
                try environment.put("large", Array(repeating: 1, count: 100_000))
            }
            try Self.limitFileSize(to: nil)
            try environment.put("key", [3])
            #expect(try environment.value(of: "key") == [3])
            #expect(try environment.keys() == ["key"])
        }
    }

    /// Sets this process's soft limit on file sizes; `nil` takes it away.
    private static func limitFileSize(to size: Int?) throws {
        #if canImport(Darwin)
            let resource = RLIMIT_FSIZE
        #else
            let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
        #endif
        var limit = rlimit()
        try unsafe #require(getrlimit(resource, &limit) == 0)
        limit.rlim_cur = size.map { rlim_t($0) } ?? limit.rlim_max
        try unsafe #require(setrlimit(resource, &limit) == 0)
    }
}
