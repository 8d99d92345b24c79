import DAGMultiformats
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Suite("Lifecycle verbs")
struct LifecycleVerbTests {
    @Test("initialize indexes a lazily registered shard")
    func lazy() async throws {
        let scene = try Scene()
        let path = try scene.write(Sample.car)
        let registered = try await scene.json("register", path, "--lazy")
        #expect(registered.objects.first?["state"] == "registered")
        #expect(registered.objects.first?["blocks"]?.integer == 0)
        let status = try await scene.json("status", "sample").objects.first
        #expect(status?["lazy"] == true)
        #expect(status?["explanation"]?.text?.contains("initialize") == true)
        let initialized = try await scene.json("initialize", "sample")
        #expect(initialized.lines == [#"{"key":"sample","state":"available","error":null}"#])
        #expect(try await scene.run("get", Sample.raw.cid.description).status == 0)
        // Again does nothing.
        #expect(try await scene.run("initialize", "sample").text == "sample  available\n")
        #expect(try await scene.run("initialize", "nobody").status == 3)
    }

    @Test("initialize-all indexes all lazy shards, and exits with the first failure's status")
    func initializeAll() async throws {
        let scene = try Scene()
        for number in 0..<5 {
            let path = try scene.folder.write(Sample.car.bytes, to: "\(number).car")
            _ = try await scene.run("register", path, "--lazy")
        }
        let all = try await scene.json("initialize-all", "--concurrency", "3")
        #expect(all.status == 0)
        #expect(Set(all.objects.map { $0["key"]?.text }) == Set((0..<5).map { "\($0)" }))
        #expect(all.objects.allSatisfy { $0["state"] == "available" && $0["error"] == .null })
        let junk = try scene.folder.write([1, 2, 3], to: "junk.car")
        _ = try await scene.run("register", junk, "--lazy")
        let failed = try await scene.json("initialize-all")
        #expect(failed.status == 5)
        #expect(failed.objects.map { $0["state"] } == ["failed"])
    }

    @Test("recover succeeds when the source is good, and fails otherwise")
    func recover() async throws {
        let scene = try Scene()
        let path = try scene.folder.write([1, 2, 3], to: "sample.car")
        #expect(try await scene.run("register", path).status == 5)
        let again = try await scene.json("recover", "sample")
        #expect(again.status == 5)
        #expect(again.lines == [#"{"key":"sample","state":"failed","error":"malformedCAR"}"#])
        _ = try scene.write(Sample.car)
        #expect(try await scene.run("recover", "sample").text == "sample  available\n")
        #expect(try await scene.run("recover", "sample").status == 2)
        #expect(try await scene.run("recover", "nobody").status == 3)
    }

    @Test("recover takes several keys, --failed or --all")
    func recoverMany() async throws {
        let scene = try Scene()
        var other = Sample.car.bytes
        let digest = Array(Sample.raw.cid.bytes.suffix(8))
        other[try #require(other.firstRange(of: digest)).lowerBound] ^= 1
        var paths: [String] = []
        for name in ["a", "b", "c"] {
            let path = try scene.folder.write(Sample.car.bytes, to: "\(name).car")
            #expect(try await scene.run("register", path).status == 0)
            paths.append(path)
        }
        let junk = try scene.folder.write([1, 2, 3], to: "junk.car")
        #expect(try await scene.run("register", junk).status == 5)
        // Nothing is known of it yet, and a recovery finds it out.
        try Data(other).write(to: URL(filePath: paths[0]))
        let named = try await scene.json("recover", "a", "b")
        #expect(named.status == 2)
        #expect(named.objects.map { $0["key"] } == ["a", "b"])
        #expect(named.objects.map { $0["error"] } == [.null, "notFailed"])
        try Data(Sample.car.bytes).write(to: URL(filePath: paths[0]))
        try Data(other).write(to: URL(filePath: paths[1]))
        try FileManager.default.removeItem(atPath: paths[2])
        let failed = try await scene.json("recover", "--failed")
        #expect(failed.objects.map { $0["key"] } == ["junk"])
        #expect(failed.status == 5)
        try Data(Sample.car.bytes).write(to: URL(filePath: junk))
        let all = try await scene.json("recover", "--all")
        #expect(all.status == 4)
        #expect(all.objects.map { $0["key"] } == ["a", "b", "c", "junk"])
        #expect(all.objects.map { $0["error"] } == [.null, .null, "mountGone", .null])
        #expect(try await scene.json("recover", "--failed").objects.isEmpty)
        #expect(try await scene.run("get", Sample.raw.cid.description).out == Sample.raw.data)
    }

    @Test(
        "a verb that writes waits for the lock as long as --wait says",
        arguments: [["initialize", "sample"], ["compact"]]
    )
    func wait(verb: [String]) async throws {
        let scene = try Scene()
        let path = try scene.write(Sample.car)
        #expect(try await scene.run("register", path, "--lazy").status == 0)
        let lock = try FileDescriptor.open(
            FilePath(scene.folder.path(of: "store/LOCK")),
            .readWrite
        )
        #expect(flock(lock.rawValue, LOCK_EX) == 0)
        #expect(try await scene.run(verb).status == 6)
        #expect(try await scene.run(verb + ["--wait", "0.1"]).status == 6)
        async let waiting = scene.run(verb + ["--wait", "60"])
        #expect(try await scene.run(verb).status == 6)
        try lock.close()
        #expect(try await waiting.status == 0)
    }

    @Test("initialize-all waits for interrupted registrations")
    func interrupted() async throws {
        let scene = try Scene()
        // Too large to be indexed before its record is written.
        let large = CARBuilder.uniform(sections: 7000, blockSize: 200, seed: 1)
        let path = try scene.folder.write(large.bytes, to: "large.car")
        let killed = try await scene.run(
            "register",
            path,
            environment: ["DAGSTORE_FAILPOINT": "indexBuilt"]
        )
        #expect(killed.status != 0)
        let before = try await scene.json("status", "large")
        #expect(before.objects.first?["state"] == "initializing")
        let outcome = try await scene.json("initialize-all")
        #expect(outcome.status == 0)
        #expect(outcome.objects.map { $0["key"] } == ["large"])
        #expect(outcome.objects.map { $0["state"] } == ["available"])
    }

    @Test("an existing transient serves without its source, and is never removed")
    func existingTransient() async throws {
        let scene = try Scene()
        let copy = try scene.folder.write(Sample.car.bytes, to: "copy.bin")
        let registered = try await scene.json(
            "register",
            scene.folder.path(of: "gone.car"),
            "--existing-transient",
            copy
        )
        #expect(registered.objects.first?["state"] == "available")
        #expect(try await scene.json("status", "gone").objects.first?["transient"]?.text == copy)
        #expect(try await scene.run("get", Sample.raw.cid.description).status == 0)
        let collected = try await scene.json("gc")
        #expect(collected.lines == [#"{"removed":0,"bytesRemoved":0}"#])
        #expect(try await scene.run("destroy", "gone").status == 0)
        #expect(FileManager.default.fileExists(atPath: copy))
    }

    @Test("check finds problems, repairs them, and reports both")
    func check() async throws {
        let scene = try Scene()
        let path = try scene.write(Sample.car)
        _ = try await scene.run("register", path)
        let sound = try await scene.json("check", "--deep")
        #expect(sound.status == 0)
        #expect(sound.objects.count == 1)
        #expect(sound.objects.first?["shards"]?.integer == 1)
        #expect(sound.objects.first?["problems"]?.integer == 0)
        #expect(try #require(sound.objects.first?["blocks"]?.integer) > 0)
        // The same bytes with another time match the index; the same size with another digest does not.
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1_000_000)],
            ofItemAtPath: path
        )
        #expect(try await scene.run("check").status == 0)
        var other = Sample.car.bytes
        let digest = Sample.raw.cid.bytes.suffix(8)
        let place = try #require(other.firstRange(of: Array(digest))).lowerBound
        other[place] ^= 1
        try Data(other).write(to: URL(filePath: path))
        let told = try await scene.json("status", "sample")
        #expect(told.objects.first?["state"] == "available")
        #expect(told.objects.first?["error"] == "sourceChanged")
        let changed = try await scene.json("check")
        #expect(changed.status == 6)
        #expect(changed.objects.first?["problem"] == "sourceChanged")
        #expect(changed.objects.first?["key"] == "sample")
        #expect(changed.objects.first?["repaired"] == .null)
        let mended = try await scene.json("check", "--repair")
        #expect(mended.status == 0)
        #expect(mended.objects.first?["repaired"] == "reindexed")
        #expect(try await scene.run("check").status == 0)
        try FileManager.default.removeItem(atPath: path)
        let gone = try await scene.json("check", "--repair")
        #expect(gone.status == 6)
        #expect(gone.objects.first?["problem"] == "sourceUnreachable")
        #expect(gone.objects.first?["repaired"] == .null)
        let away = try await scene.json("status", "sample")
        #expect(away.objects.first?["state"] == "available")
        #expect(away.objects.first?["error"] == "mountGone")
        try Data(other).write(to: URL(filePath: path))
        #expect(try await scene.run("check").status == 0)
        #expect(try await scene.json("status", "sample").objects.first?["error"] == .null)
        // A store whose shards have all failed is not sound, until their sources are back.
        var shorter = other
        shorter.removeLast(3)
        try Data(shorter).write(to: URL(filePath: path))
        #expect(try await scene.run("check", "--repair").status == 0)
        let failed = try await scene.json("check")
        #expect(failed.status == 6)
        #expect(failed.objects.first?["problem"] == "failed")
        #expect(failed.objects.last?["failed"]?.integer == 1)
        try Data(other).write(to: URL(filePath: path))
        let back = try await scene.json("check", "--repair")
        #expect(back.status == 0)
        #expect(back.objects.first?["repaired"] == "reindexed")
        #expect(try await scene.run("check").status == 0)
    }

    // `--repair` indexed the shard again and called the block mended.
    @Test("a block with a wrong hash stays a problem, and the other blocks stay readable")
    func wrongBlock() async throws {
        let scene = try Scene()
        let index = try #require(Sample.car.blocks.firstIndex { $0.cid == Sample.raw.cid })
        let bytes = Sample.withWrongData(in: index)
        let path = scene.folder.path(of: "wrong.car")
        try Data(bytes).write(to: URL(filePath: path))
        #expect(try await scene.run("register", path, "--key", "wrong").status == 0)
        for option in ["--deep", "--repair", "--deep"] {
            let found = try await scene.json("check", "--deep", option)
            #expect(found.status == 6)
            #expect(found.objects.first?["problem"] == "block")
            #expect(found.objects.first?["repaired"] == .null)
            #expect(try await scene.json("status", "wrong").objects.first?["state"] == "available")
        }
        try Data(Sample.car.bytes).write(to: URL(filePath: path))
        #expect(try await scene.run("relocate", "wrong", path).status == 0)
        #expect(try await scene.run("check", "--deep").status == 0)
    }

    // The check stopped at the first one.
    @Test("a deep check counts the wrong blocks of a shard and names the first")
    func wrongBlocks() async throws {
        let scene = try Scene()
        let builder = CARBuilder.uniform(sections: 50, blockSize: 100, seed: 6)
        var bytes = builder.bytes
        let sections = builder.sections
        for index in [7, 8, 49] { bytes[Int(sections[index].dataOffset)] ^= 1 }
        let path = scene.folder.path(of: "wrong.car")
        try Data(bytes).write(to: URL(filePath: path))
        #expect(try await scene.run("register", path).status == 0)
        let found = try await scene.json("check", "--deep")
        #expect(found.status == 6)
        let detail = "3 blocks have another hash, the first at payload offset \(sections[7].offset)"
        #expect(found.objects.first?["detail"] == .string(detail))
    }

    // Blocks that nothing was able to hash were counted among the hashed ones.
    @Test("a deep check counts blocks that it cannot hash separately")
    func deepCheckCounts() async throws {
        let scene = try Scene()
        let unknown = Multihash(code: 0xb401, digest: Array(repeating: 7, count: 32))
        let blocks = [
            CARBuilder.Block(cid: CID(codec: Codec.raw, multihash: unknown), data: [1]),
            .hashed([2], codec: Codec.raw, hashCode: HashCode.sha2_256, digestSize: 4),
            .hashed([3, 3], codec: Codec.raw, hashCode: HashCode.blake3), .identity([4]),
        ]
        _ = try await scene.run("register", try scene.write(CARBuilder(blocks: blocks)))
        let deep = try await scene.json("check", "--deep")
        #expect(deep.status == 0)
        #expect(deep.objects.first?["blocks"] == 2)
        #expect(deep.objects.first?["bytes"] == 3)
        #expect(deep.objects.first?["unverified"] == 2)
        let text = try await scene.run("check", "--deep").text
        #expect(text.contains("2 blocks (3 B) hashed, 2 blocks not verified"))
        #expect(try await scene.json("check").objects.first?["unverified"] == 0)
    }

    @Test("a deep check finds a block whose bytes do not match its CID")
    func deepCheck() async throws {
        let scene = try Scene()
        var bytes = Sample.car.bytes
        bytes[bytes.count - 1] ^= 1
        let path = try scene.folder.write(bytes, to: "sample.car")
        #expect(try await scene.run("register", path).status == 0)
        #expect(try await scene.run("check").status == 0)
        let deep = try await scene.json("check", "--deep")
        #expect(deep.status == 6)
        #expect(deep.objects.first?["problem"] == "block")
    }

    @Test("compact makes the catalog smaller")
    func compact() async throws {
        let scene = try Scene()
        let large = CARBuilder.uniform(sections: 20_000, blockSize: 8, seed: 1)
        _ = try await scene.run("register", try scene.folder.write(large.bytes, to: "large.car"))
        _ = try await scene.run("register", try scene.write(Sample.car))
        _ = try await scene.run("destroy", "large")
        let outcome = try await scene.json("compact")
        #expect(outcome.status == 0)
        let before = try #require(outcome.objects.first?["bytesBefore"]?.integer)
        let after = try #require(outcome.objects.first?["bytesAfter"]?.integer)
        #expect(after < before / 2)
        #expect(try await scene.run("get", Sample.raw.cid.description).status == 0)
        #expect(try await scene.run("check", "--deep").status == 0)
    }
}
