import DAGMultiformats
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("register")
struct RegisterTests {
    @Test("a path becomes absolute, and the key is the file's name without .car")
    func relative() async throws {
        let scene = try Scene()
        let path = try scene.write(Sample.car)
        let outcome = try await scene.json("register", "./sample.car")
        let size = Sample.car.bytes.count
        let start = #"{"key":"sample","state":"available","blocks":4,"bytes":\#(size),"seconds":"#
        #expect(outcome.text.hasPrefix(start))
        #expect(outcome.text.hasSuffix(#","error":null,"ignoredBytes":0}"# + "\n"))
        #expect(outcome.status == 0)
        let mount = try await scene.json("status", "sample").objects.first?["mount"]
        #expect(mount?.text == "file://" + path)
        // The working directory of the reader does not matter.
        let get = ["get", Sample.raw.cid.description, "--store", scene.store]
        #expect(try await Command.run(get).out == Sample.raw.data)
    }

    // Twenty blocks, one zero byte, twenty blocks: the shard was available with twenty, without a warning.
    @Test("bytes after a zero length cause a warning unless they are zeros")
    func ignoredBytes() async throws {
        let scene = try Scene()
        let end = Sample.car.bytes.count
        let zeros = [UInt8](repeating: 0, count: 3000)
        _ = try scene.folder.write(Sample.car.bytes + [0] + Sample.car.bytes, to: "lost.car")
        _ = try scene.folder.write(Sample.car.bytes + zeros, to: "padded.car")
        _ = try scene.folder.write(Sample.car.bytes + zeros + [7, 0], to: "late.car")
        let outcome = try await scene.json("register", "lost.car", "padded.car", "late.car")
        #expect(outcome.status == 0)
        #expect(outcome.objects.map { $0["state"] } == ["available", "available", "available"])
        #expect(outcome.objects.map { $0["ignoredBytes"]?.integer } == [UInt64(end), 0, 2])
        let warnings = outcome.errorText.split(separator: "\n").map { JSON(reading: String($0)) }
        #expect(warnings.map { $0["warning"]?["shard"] } == ["lost", "late"])
        let offsets = warnings.map { $0["warning"]?["offset"]?.integer }
        #expect(offsets == [UInt64(end) + 1, UInt64(end) + 3000])
        let deep = try await scene.json("check", "--deep")
        #expect(deep.status == 0)
        #expect(deep.objects.first?["ignoredBytes"]?.integer == UInt64(end) + 2)
        #expect(deep.errorText.split(separator: "\n").count == 2)
        let text = try await scene.run("check", "--deep")
        #expect(text.errorText.contains(#"warning: shard "lost": "#))
        #expect(try await scene.json("check").objects.first?["ignoredBytes"] == 0)
    }

    // Taking `link/..` out of a path without asking the system gives another file.
    @Test("a path through a symbolic link leads to the same file as for the system")
    func throughLink() async throws {
        let scene = try Scene()
        let manager = FileManager.default
        let inner = scene.folder.path(of: "far/inner")
        try manager.createDirectory(atPath: inner, withIntermediateDirectories: true)
        try manager.createSymbolicLink(
            atPath: scene.folder.path(of: "link"),
            withDestinationPath: inner
        )
        let path = try scene.folder.write(Sample.car.bytes, to: "far/there.car")
        try #require(manager.fileExists(atPath: path))
        let outcome = try await scene.json("register", "link/../there.car")
        #expect(outcome.objects.first?["state"] == "available")
        let get = ["get", Sample.raw.cid.description, "--store", scene.store]
        #expect(try await Command.run(get).out == Sample.raw.data)
    }

    @Test("a URL is stored unchanged")
    func url() async throws {
        let scene = try Scene()
        let path = try scene.write(Sample.car, to: "with space.car")
        let url = "file://" + path.replacing(" ", with: "%20")
        let outcome = try await scene.json("register", url)
        #expect(outcome.objects.first?["key"] == "with space")
        #expect(try await scene.json("list").objects.first?["mount"]?.text == url)
    }

    @Test(
        "accepts any key",
        arguments: ["../x", "a/b", "a b", "two\nlines", "ключ", "\"q\\", "\u{1}"]
    )
    func keys(key: String) async throws {
        let scene = try Scene()
        let path = try scene.write(Sample.car)
        let outcome = try await scene.json("register", path, "--key", key)
        #expect(outcome.objects.first?["key"]?.text == key)
        #expect(outcome.lines.count == 1)
        #expect(try await scene.json("list").objects.first?["key"]?.text == key)
        #expect(try await scene.run("list").lines.count == 1)
        #expect(try await scene.json("status", key).objects.first?["key"]?.text == key)
        #expect(try await scene.json("destroy", key).status == 0)
    }

    @Test("continues after a failure, and exits with the first failure's status")
    func several() async throws {
        let scene = try Scene()
        let good = try scene.write(Sample.car, to: "good.car")
        let cut = try scene.folder.write(Array(Sample.car.bytes.dropLast()), to: "cut.car")
        let last = try scene.write(CARBuilder(), to: "last.car")
        let missing = scene.folder.path(of: "missing.car")
        let outcome = try await scene.json("register", good, missing, cut, good, last)
        let keys = outcome.objects.map { $0["key"]?.text }
        #expect(keys == ["good", "missing", "cut", "good", "last"])
        let errors = outcome.objects.map { $0["error"] }
        #expect(errors == [.null, "mountGone", "truncated", "shardExists", .null])
        let states = outcome.objects.map { $0["state"]?.text }
        // The state is the shard's: the one that was there first is as it was.
        #expect(states == ["available", "failed", "failed", "available", "available"])
        #expect(outcome.status == 4)
        let told = outcome.errorText.split(separator: "\n").map { JSON(reading: String($0)) }
        #expect(told.map { $0["error"]?["shard"]?.text } == ["missing", "cut", "good"])
        // The shard that was there first is untouched; those that failed can be recovered.
        let list = try await scene.json("list").objects
        #expect(list.map { $0["key"]?.text } == ["good", "missing", "cut", "last"])
        #expect(list.map { $0["error"] } == [.null, "mountGone", "truncated", .null])
    }

    @Test(
        "a source that cannot be registered has an error",
        arguments: [
            ("gopher://host/a.car", "unknownScheme", 2), ("file://%zz.car", "invalidArgument", 2),
            (".", "mountUnreachable", 4), ("/", "invalidKey", 2), ("none.car", "mountGone", 4),
        ] as [(String, String, Int32)]
    )
    func refused(source: String, code: String, status: Int32) async throws {
        let scene = try Scene()
        let outcome = try await scene.json("register", source)
        #expect(outcome.status == status)
        #expect(outcome.error["code"]?.text == code)
        // Asked wrongly, there is no shard, hence no state.
        #expect(outcome.objects.first?["state"] == (status == 2 ? .null : "failed"))
        #expect(outcome.objects.first?["error"]?.text == code)
        #expect(outcome.objects.first?["blocks"] == 0)
    }

    @Test("an invalid key is rejected", arguments: ["", String(repeating: "k", count: 481)])
    func badKey(key: String) async throws {
        let scene = try Scene()
        let path = try scene.write(Sample.car)
        let outcome = try await scene.json("register", path, "--key", key)
        #expect(outcome.status == 2)
        #expect(outcome.error["code"] == "invalidKey")
    }

    @Test("one key for several sources is rejected")
    func keyOfSeveral() async throws {
        let scene = try Scene()
        let outcome = try await scene.json("register", "a.car", "b.car", "--key", "k")
        #expect(outcome.status == 2)
        #expect(outcome.out.isEmpty)
        #expect(outcome.error["code"] == "invalidArgument")
    }

    @Test("other processes may read while one writes")
    func locked() async throws {
        let scene = try Scene()
        let path = try scene.write(Sample.car)
        _ = try await scene.run("register", path, "--key", "held")
        // As another process that writes does.
        let lock = try FileDescriptor.open(FilePath(scene.store + "/LOCK"), .readWrite)
        #expect(flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0)
        let outcome = try await scene.json("register", path)
        #expect(outcome.status == 6)
        #expect(outcome.out.isEmpty)
        #expect(outcome.error["code"] == "catalogLocked")
        #expect(try await scene.json("destroy", "held").error["code"] == "catalogLocked")
        let block = try await scene.run("get", Sample.raw.cid.description, "--verify")
        #expect(block.out == Sample.raw.data)
        try lock.close()
        #expect(try await scene.run("register", path).status == 0)
    }

    @Test("a small map gets full, and the store stays usable")
    func full() async throws {
        let scene = try Scene()
        let large = try scene.write(.uniform(sections: 40_000, blockSize: 8, seed: 1), to: "l.car")
        let small = try scene.write(Sample.car, to: "s.car")
        let environment = ["DAGSTORE_MAP_SIZE": "1048576"]
        let outcome = try await scene.json("register", large, small, environment: environment)
        #expect(outcome.status == 6)
        #expect(outcome.objects.map { $0["error"] } == ["catalogFull", .null])
        #expect(try await scene.json("list").objects.map { $0["key"] } == ["s"])
    }

    @Test("an invalid map size is rejected", arguments: ["0", "-1", "x", "1024", "9e9"])
    func badMapSize(size: String) async throws {
        let scene = try Scene()
        for verb in ["list", "stats"] {
            let outcome = try await scene.json(verb, environment: ["DAGSTORE_MAP_SIZE": size])
            #expect(outcome.status == 2)
            #expect(outcome.error["code"] == "invalidConfiguration")
        }
    }

    @Test("text output has one line for each source")
    func text() async throws {
        let scene = try Scene()
        let good = try scene.write(Sample.car, to: "good.car")
        let outcome = try await scene.run("register", good, "missing.car")
        #expect(outcome.lines.count == 2)
        #expect(outcome.lines[0].hasPrefix("good"))
        #expect(outcome.lines[0].hasSuffix("  available"))
        #expect(outcome.lines[1].hasSuffix("  failed (mountGone)"))
        #expect(outcome.errorText.hasPrefix(#"dagstore register: shard "missing": "#))
    }

    @Test(
        "an existing index is accepted if it matches the CAR",
        arguments: ["sample", "full"]
    )
    func existingIndex(verify: String) async throws {
        let scene = try Scene()
        let path = try scene.write(Sample.car)
        let index = scene.folder.path(of: "sample.idx")
        let made = try await Command.run(
            ["car", "index", path, "--output", index, "--identity"],
            in: scene.folder.url.path
        )
        #expect(made.status == 0)
        let outcome = try await scene.json(
            "register",
            path,
            "--existing-index",
            index,
            "--verify",
            verify
        )
        #expect(outcome.status == 0)
        #expect(outcome.objects.first?["blocks"] == 4)
        #expect(outcome.objects.first?["state"] == (verify == "full" ? "available" : "registered"))
        let found = try await scene.run("find", "\(Sample.raw.cid)")
        #expect(found.status == 0)
        #expect(found.lines.contains { $0.contains("sample") })
        #expect(try await scene.run("get", "\(Sample.versionZero.cid)").out == Array("world!".utf8))
        #expect(try await scene.run("check").status == 0)
        // Of another CAR: nothing is registered.
        let other = try scene.write(CARBuilder(roots: [], blocks: [Sample.raw]), to: "other.car")
        let wrong = try await scene.json("register", other, "--existing-index", index)
        #expect(wrong.status == 5)
        #expect(wrong.error["code"] == "malformedIndex")
        let taken = try await scene.json("register", path, "--existing-index", index)
        #expect(taken.error["code"] == "shardExists")
        let lazy = try await scene.json("register", other, "--existing-index", index, "--lazy")
        #expect(lazy.status == 2)
        #expect(try await scene.json("list").objects.count == 1)
    }

    @Test("a bar is drawn on request, and wiped", arguments: ["always", "never", "auto"])
    func progress(mode: String) async throws {
        let scene = try Scene()
        let path = try scene.write(Sample.car)
        let outcome = try await scene.run("register", path, "--progress", mode)
        #expect(outcome.errors.isEmpty == (mode != "always"))
        #expect(mode != "always" || outcome.errorText.hasSuffix("\r\u{1B}[K"))
        #expect(outcome.status == 0)
    }

    @Test("a closed pipe does not stop a registration")
    func closedPipe() async throws {
        let scene = try Scene()
        let path = try scene.write(Sample.car, to: "a.car")
        let second = try scene.write(Sample.car, to: "b.car")
        // The program starts when the other end of its pipe is closed.
        let gate = scene.folder.path(of: "gate")
        let register = #""$DAGSTORE" register \#(path) \#(second) --store \#(scene.store)"#
        let line =
            #"mkfifo \#(gate); { read -r go <\#(gate); \#(register); echo "status $?" >&2; }"#
            + #" | { exec <&-; echo go >\#(gate); }"#
        let outcome = try await Command.shell(line)
        #expect(outcome.errorText == "status 0\n")
        #expect(try await scene.json("list").objects.count == 2)
    }
}
