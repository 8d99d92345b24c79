import DAGBytes
import DAGLMDB
import Foundation

/// A folder for one test; the last reference removes it.
final class ScratchFolder: Sendable {
    let path: String
    private let isOwner: Bool

    init() throws {
        isOwner = true
        let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    /// Uses the folder of another process, which removes it: a process that traps cannot.
    init(borrowing path: String) {
        self.path = path
        isOwner = false
    }

    deinit {
        guard isOwner else { return }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Opens the environment in the folder; the default tables are `a` and `b`.
    func open(
        tables: [String] = ["a", "b"],
        mapSize: Int = 1 << 30,
        readersMax: Int = 126
    ) throws(LMDBError) -> Environment {
        // Tests do not cut the power, so most of them need no flush.
        let options = Environment.Options(
            tables: tables,
            mapSize: mapSize,
            durability: .relaxed,
            readersMax: readersMax
        )
        return try Environment.open(at: path, options: options)
    }
}

extension Environment {
    /// One row, committed.
    func put(_ key: String, _ value: [UInt8], in name: String = "a") throws(LMDBError) {
        let table = table(name)
        try write { (transaction) throws(LMDBError) in
            try transaction.put(table, key, value)
        }
    }

    /// The value of one key, copied.
    func value(of key: String, in name: String = "a") throws(LMDBError) -> [UInt8]? {
        let table = table(name)
        return try read { (transaction) throws(LMDBError) in
            try Array(key.utf8).withView { (key) throws(LMDBError) in
                try transaction.get(table, key)?.copied
            }
        }
    }

    /// All keys of a table, in the table's order.
    func keys(in name: String = "a") throws(LMDBError) -> [String] {
        let table = table(name)
        return try read { (transaction) throws(LMDBError) in
            try transaction.withCursor(table) { (cursor) throws(LMDBError) in
                var keys: [String] = []
                while let row = try cursor.next() { keys.append(row.key.text) }
                return keys
            }
        }
    }
}

extension WriteTransaction {
    func put(
        _ table: Table,
        _ key: String,
        _ value: [UInt8],
        flags: PutFlags = []
    ) throws(LMDBError) {
        try Array(key.utf8).withView { (key) throws(LMDBError) in
            try value.withView { (value) throws(LMDBError) in
                try put(table, key, value, flags: flags)
            }
        }
    }

    func delete(_ table: Table, _ key: String) throws(LMDBError) -> Bool {
        try Array(key.utf8).withView { (key) throws(LMDBError) in
            try delete(table, key)
        }
    }

    func deleteRange(
        _ table: Table,
        from lower: String,
        below upper: String?,
        limit: Int
    ) throws(LMDBError) -> Int {
        try Array(lower.utf8).withView { (lower) throws(LMDBError) in
            guard let upper else {
                return try deleteRange(table, from: lower, below: nil, limit: limit)
            }
            return try Array(upper.utf8).withView { (upper) throws(LMDBError) in
                try deleteRange(table, from: lower, below: upper, limit: limit)
            }
        }
    }
}

extension Cursor {
    mutating func seek(atLeast key: String) throws(LMDBError) -> String? {
        try Array(key.utf8).withView { (key) throws(LMDBError) in
            try seek(atLeast: key)?.key.text
        }
    }
}

extension ByteView {
    /// The bytes read as UTF-8.
    var text: String { String(decoding: copied, as: UTF8.self) }

    /// Where the first byte lies.
    var address: Int { unsafe Int(bitPattern: buffer.baseAddress) }
}

/// Numbers that are the same in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// Runs `body` on `count` threads at once and waits for all of them.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let group = DispatchGroup()
    for number in 0..<count {
        group.enter()
        Thread.detachNewThread {
            body(number)
            group.leave()
        }
    }
    group.wait()
}
