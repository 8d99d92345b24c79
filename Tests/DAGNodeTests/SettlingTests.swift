#if Node
    import DAGMounts
    import DAGStorage
    import DAGSystem
    import SystemPackage
    import Testing

    @testable import DAGNode

    @Suite("Settling of files")
    struct SettlingTests {
        private let start = ContinuousClock.now
        private let key: ShardKey
        private let path: FilePath = "/f/a.car"
        private static let second: Int64 = 1_000_000_000

        init() throws { key = try ShardKey("a") }

        private func file(_ size: Int64, modified: Int64) -> FileSighting {
            FileSighting(size: size, modified: modified, changed: modified, inode: 1)
        }

        @Test("a file that grows waits, and is whole after an interval without a change")
        func grows() {
            var settling = Settling(interval: .seconds(2))
            let now = { (seconds: Int) in start + .seconds(seconds) }
            var clock: Int64 = 1000 * Self.second
            for step in 0..<5 {
                let file = file(Int64(step + 1), modified: clock)
                let verdict = settling.look(key, path, file, at: now(step), clock: clock)
                #expect(verdict == .grows, "step \(step)")
                clock += Self.second
            }
            let last = file(5, modified: clock - Self.second)
            #expect(settling.nextLook == now(6))
            #expect(settling.due(at: now(5)) == [])
            #expect(settling.look(key, path, last, at: now(5), clock: clock) == .grows)
            #expect(settling.due(at: now(6)) == [path])
            #expect(settling.look(key, path, last, at: now(6), clock: clock) == .isWhole)
            #expect(settling.nextLook == nil)
        }

        @Test("a file that was not written for an interval is whole at once")
        func old() {
            var settling = Settling(interval: .seconds(2))
            let clock = 1000 * Self.second
            let old = file(1, modified: clock - 2 * Self.second)
            #expect(settling.look(key, path, old, at: start, clock: clock) == .isWhole)
            // Of a file with wrong bytes, the times say nothing.
            #expect(settling.look(key, path, old, at: start, clock: nil) == .grows)
        }

        @Test("a time in the future says nothing", arguments: [Int64(1), 1_000_000_000_000])
        func future(nanoseconds: Int64) {
            var settling = Settling(interval: .zero)
            let file = file(1, modified: 5 + nanoseconds)
            #expect(settling.look(key, path, file, at: start, clock: 5) == .grows)
            #expect(settling.look(key, path, file, at: start, clock: 5) == .isWhole)
        }

        @Test("another file under the name begins anew")
        func replaced() {
            var settling = Settling(interval: .seconds(2))
            var one = file(1, modified: 5)
            #expect(settling.look(key, path, one, at: start, clock: nil) == .grows)
            one.inode = 2
            #expect(settling.look(key, path, one, at: start + .seconds(3), clock: nil) == .grows)
            settling.forget(key)
            #expect(settling.due(at: start + .seconds(9)) == [])
        }

        @Test("beyond a number of files, the caller has to look again later")
        func many() throws {
            var settling = Settling(interval: .seconds(2))
            for number in 0..<Settling.filesMax {
                let key = try ShardKey("\(number)")
                let verdict = settling.look(key, path, file(1, modified: 5), at: start, clock: nil)
                #expect(verdict == .grows)
            }
            #expect(
                settling.look(key, path, file(1, modified: 5), at: start, clock: nil) == .unknown
            )
            settling.forget(try ShardKey("0"))
            #expect(settling.look(key, path, file(1, modified: 5), at: start, clock: nil) == .grows)
        }
    }

    @Suite("Watched directories")
    struct WatchedTreeTests {
        private func number(_ value: CInt) -> DirectoryWatch.Number { DirectoryWatch.Number(value) }

        @Test("a directory goes with all below it, and no other one")
        func removal() {
            var tree = WatchedTree()
            for (value, path) in [(1, "/r"), (2, "/r/a"), (3, "/r/a/b"), (4, "/r/ab")] {
                tree.add(number(CInt(value)), FilePath(path))
            }
            #expect(Set(tree.remove(below: "/r/a").map(\.value)) == [2, 3])
            #expect(tree.path(of: number(4)) == "/r/ab")
            #expect(tree.path(of: number(3)) == nil)
            #expect(tree.contains("/r") && !tree.contains("/r/a") && tree.count == 2)
        }

        @Test("a moved directory keeps its number, and a new one takes its path")
        func moved() {
            var tree = WatchedTree()
            tree.add(number(1), "/r/a")
            tree.add(number(1), "/r/b")
            #expect(!tree.contains("/r/a") && tree.path(of: number(1)) == "/r/b")
            tree.add(number(2), "/r/b")
            #expect(tree.path(of: number(1)) == nil && tree.path(of: number(2)) == "/r/b")
            tree.remove(number(1))
            #expect(tree.contains("/r/b") && tree.count == 1)
        }
    }

    @Suite("Keys of files")
    struct FolderKeyTests {
        @Test(
            "a key is the path below the folder without .car",
            arguments: [
                ("/r/a.car", "a"), ("/r/a/b.car", "a/b"), ("/r/a.car.car", "a.car"),
                ("/r/ .car", " "), ("/r/\u{e9}.car", "\u{e9}"), ("/r/e\u{301}.car", "e\u{301}"),
            ] as [(FilePath, String)]
        )
        func keys(path: FilePath, key: String) throws {
            #expect(try FolderKey.key(of: path, below: "/r") == ShardKey(key))
        }

        @Test("names that are no UTF-8 or too long have no key")
        func faults() throws {
            let bytes = Array("/r/".utf8) + [0xff] + Array(".car".utf8)
            #expect(throws: FolderKey.Fault.notUTF8) {
                try FolderKey.key(of: FilePath(bytes: bytes), below: "/r")
            }
            let name = String(repeating: "x", count: ShardKey.sizeMax)
            #expect(try FolderKey.key(of: FilePath("/r/\(name).car"), below: "/r").text == name)
            #expect(throws: FolderKey.Fault.tooLong) {
                try FolderKey.key(of: FilePath("/r/y/\(name).car"), below: "/r")
            }
        }

        @Test("only names that end with .car and do not begin with a dot count")
        func names() {
            for name in ["a.car", "a.b.car"] as [FilePath] {
                #expect(FolderKey.isCAR(name) && !FolderKey.isHidden(name))
            }
            for name in [".car", "a.CAR", "a.cars", "acar", "a.car.part"] as [FilePath] {
                #expect(!FolderKey.isCAR(name))
            }
            #expect(FolderKey.isHidden(".a.car"))
        }
    }
#endif
