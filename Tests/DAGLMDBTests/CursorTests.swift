import DAGLMDB
import Testing

@Suite("Cursor")
struct CursorTests {
    private let folder: ScratchFolder
    private let environment: Environment

    init() throws {
        folder = try ScratchFolder()
        environment = try folder.open()
        for key in ["d", "b", "bb", "f", "\u{7f}", "B"] {
            try environment.put(key, Array(key.utf8))
        }
    }

    @Test("rows come in the order of their keys' bytes")
    func ordersKeys() throws {
        #expect(try environment.keys() == ["B", "b", "bb", "d", "f", "\u{7f}"])
    }

    @Test("a cursor goes to the first, the last, the next and the previous row")
    func moves() throws {
        let table = environment.table("a")
        try environment.read { (transaction) throws(LMDBError) in
            try transaction.withCursor(table) { (cursor) throws(LMDBError) in
                #expect(try cursor.previous()?.key.text == "\u{7f}")
                #expect(try cursor.next() == nil)
                #expect(try cursor.next() == nil)
                #expect(try cursor.previous()?.key.text == "f")
                #expect(try cursor.first()?.key.text == "B")
                #expect(try cursor.previous() == nil)
                #expect(try cursor.next()?.value.text == "b")
                #expect(try cursor.last()?.value.text == "\u{7f}")
            }
        }
    }

    @Test("a seek finds the first key that is not smaller")
    func seeks() throws {
        let table = environment.table("a")
        try environment.read { (transaction) throws(LMDBError) in
            try transaction.withCursor(table) { (cursor) throws(LMDBError) in
                #expect(try cursor.seek(atLeast: "b") == "b")
                #expect(try cursor.seek(atLeast: "bbb") == "d")
                #expect(try cursor.next()?.key.text == "f")
                #expect(try cursor.seek(atLeast: "\u{80}") == nil)
                #expect(try cursor.previous()?.key.text == "\u{7f}")
            }
        }
    }

    @Test("an empty table has no rows in any direction")
    func emptyTable() throws {
        let table = environment.table("b")
        try environment.read { (transaction) throws(LMDBError) in
            try transaction.withCursor(table) { (cursor) throws(LMDBError) in
                #expect(try cursor.first() == nil)
                #expect(try cursor.last() == nil)
                #expect(try cursor.next() == nil)
                #expect(try cursor.previous() == nil)
                #expect(try cursor.seek(atLeast: "a") == nil)
            }
        }
    }

    @Test("after a deletion the cursor continues with the next row")
    func deletesCurrent() throws {
        let table = environment.table("a")
        try environment.write { (transaction) throws(LMDBError) in
            try transaction.withCursor(table) { (cursor) throws(LMDBError) in
                #expect(try cursor.seek(atLeast: "bb") == "bb")
                try cursor.deleteCurrent()
                #expect(try cursor.next()?.key.text == "d")
                _ = try cursor.last()
                try cursor.deleteCurrent()
                #expect(try cursor.next() == nil)
            }
        }
        #expect(try environment.keys() == ["B", "b", "d", "f"])
    }

    @Test("a read transaction's cursor deletes nothing")
    func readCursorTraps() async throws {
        let folder = try ScratchFolder()
        await #expect(processExitsWith: .failure) { [path = folder.path as String] in
            let folder = ScratchFolder(borrowing: path)
            let environment = try folder.open()
            let table = environment.table("a")
            try environment.put("key", [1])
            try environment.read { (transaction) throws(LMDBError) in
                try transaction.withCursor(table) { (cursor) throws(LMDBError) in
                    _ = try cursor.first()
                    try cursor.deleteCurrent()
                }
            }
        }
    }
}
