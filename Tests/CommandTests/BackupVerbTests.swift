import Foundation
import TestSupport
import Testing

@Suite("Backup verbs")
struct BackupVerbTests {
    /// A scene with a store of one shard.
    private static func scene() async throws -> Scene {
        let scene = try Scene()
        _ = try await scene.run("register", scene.write(Sample.car))
        return scene
    }

    /// Restores a backup, and asks for JSON.
    private static func restore(_ scene: Scene, to store: String = "again") async throws -> Outcome
    {
        try await Command.run(
            ["restore", "backup", "--store", store, "--format", "json", "--min-free", "0"],
            in: scene.folder.url.path
        )
    }

    private static func exists(_ scene: Scene, _ name: String) -> Bool {
        FileManager.default.fileExists(atPath: scene.folder.path(of: name))
    }

    @Test("a backup becomes a store again")
    func whole() async throws {
        let scene = try await Self.scene()
        let taken = try await scene.json("backup", "backup", "--min-free", "0")
        #expect(taken.status == 0)
        let backup = try #require(taken.objects.first)
        #expect(taken.objects.count == 1)
        #expect(backup["shards"] == 1)
        #expect(backup["growthBytes"] == 0)
        #expect(try #require(backup["bytes"]?.integer) > 0)
        #expect(backup["checksum"]?.text?.wholeMatch(of: /[0-9a-f]{16}/) != nil)
        #expect(backup["seconds"] != nil)
        let again = try await Self.restore(scene)
        #expect(again.status == 0)
        let restored = try #require(again.objects.first)
        for name in ["shards", "bytes", "checksum"] { #expect(restored[name] == backup[name]) }
        #expect(restored["taken"]?.text?.wholeMatch(of: /20\d\d-.*Z/) != nil)
        let list = try await Command.run(["list", "--store", scene.folder.path(of: "again")])
        #expect(list.text == (try await scene.run("list")).text)
        // A backup is a store that can be read.
        let read = try await Command.run(["list", "--store", scene.folder.path(of: "backup")])
        #expect(read.text == list.text)
        #expect(try await Self.restore(scene, to: "third").status == 0)
    }

    @Test("the text names the counts and sizes")
    func text() async throws {
        let scene = try await Self.scene()
        let taken = try await scene.run("backup", "backup", "--min-free", "0", "--rate", "none")
        #expect(taken.text.hasPrefix("1 shard, "))
        #expect(taken.text.contains(" copied to backup, "))
        let again = try await Command.run(
            ["restore", "backup", "--store", "again", "--min-free", "0"],
            in: scene.folder.url.path
        )
        #expect(again.text.hasPrefix("1 shard, "))
        #expect(again.text.contains(" restored as of 20"))
    }

    @Test("a folder that is not empty and a store that exists stay")
    func refused() async throws {
        let scene = try await Self.scene()
        _ = try await scene.run("backup", "backup", "--min-free", "0")
        for outcome in [
            try await scene.json("backup", "backup"), try await scene.json("backup", "store/b"),
            try await scene.json("restore", "backup"), try await scene.json("restore", "none"),
        ] {
            #expect(outcome.status == 2)
            #expect(outcome.out.isEmpty)
            #expect(outcome.error["code"] == "invalidArgument")
        }
        let text = try await scene.run("backup", "backup")
        #expect(text.errorText.hasSuffix("see 'dagstore backup --help' (invalidArgument)\n"))
    }

    @Test("too little free space exits with 6 and leaves nothing")
    func full() async throws {
        let scene = try await Self.scene()
        let outcome = try await scene.json("backup", "backup", "--min-free", "1000000TiB")
        #expect(outcome.status == 6)
        #expect(outcome.error["code"] == "catalogFull")
        #expect(!Self.exists(scene, "backup"))
        #expect(!Self.exists(scene, "backup.partial"))
    }

    @Test("a damaged backup exits with 6 and makes no store")
    func damaged() async throws {
        let scene = try await Self.scene()
        _ = try await scene.run("backup", "backup", "--min-free", "0")
        let data = URL(filePath: scene.folder.path(of: "backup/catalog/data.mdb"))
        var bytes = try data.bytes()
        bytes[bytes.count / 2] ^= 1
        try Data(bytes).write(to: data)
        let outcome = try await Self.restore(scene)
        #expect(outcome.status == 6)
        #expect(outcome.error["code"] == "catalogCorrupt")
        #expect(!Self.exists(scene, "again"))
    }

    @Test("an interrupted backup and an interrupted restore leave nothing")
    func interrupted() async throws {
        let scene = try Scene()
        // An index of some megabytes, which takes seconds at the lowest rate.
        let car = try scene.write(.uniform(sections: 80_000, blockSize: 16, seed: 2))
        _ = try await scene.run("register", car)
        let backup = scene.folder.path(of: "backup")
        let slow = ["--rate", "1MiB", "--min-free", "0"]
        let first = try await Command.interrupt(
            SIGINT,
            ["backup", backup, "--store", scene.store] + slow
        )
        #expect(first.status == 7)
        #expect(first.errorText.contains("interrupted by SIGINT"))
        #expect(!Self.exists(scene, "backup"))
        #expect(!Self.exists(scene, "backup.partial"))
        _ = try await scene.run("backup", backup, "--rate", "none", "--min-free", "0")
        let second = try await Command.interrupt(
            SIGTERM,
            ["restore", backup, "--store", scene.folder.path(of: "again")] + slow
        )
        #expect(second.status == 7)
        #expect(!Self.exists(scene, "again"))
        #expect(try await Self.restore(scene).status == 0)
    }

    @Test("a backup beside a process that writes is whole")
    func besideWriter() async throws {
        let scene = try await Self.scene()
        let cars = try (0..<20).map { number in
            let block = CARBuilder.Block.raw(Array("block \(number)".utf8))
            return try scene.write(
                CARBuilder(roots: [block.cid], blocks: [block]),
                to: "\(number).car"
            )
        }
        async let registering = scene.run(["register"] + cars)
        let taken = try await scene.json("backup", "backup", "--min-free", "0")
        #expect(taken.status == 0)
        #expect(try await registering.status == 0)
        let shards = try #require(taken.objects.first?["shards"]?.integer)
        #expect(try await Self.restore(scene).objects.first?["shards"]?.integer == shards)
        let again = scene.folder.path(of: "again")
        let list = try await Command.run(["list", "--store", again, "--format", "json"])
        #expect(UInt64(list.objects.count) == shards)
        #expect(try await Command.run(["check", "--store", again]).status == 0)
    }
}

@Suite("Environment verb")
struct EnvironmentVerbTests {
    private static let names: Set = [
        "fileSystem", "freeSpace", "fileSize", "mapSize", "room", "descriptors", "maps", "watches",
        "watchQueues", "clock", "lmdb", "zstd", "openssl", "sha",
    ]

    @Test("prints a line for each fact and a summary, with a store and without")
    func facts() async throws {
        let scene = try Scene()
        for isThere in [false, true] {
            if isThere { _ = try await scene.run("register", scene.write(Sample.car)) }
            let outcome = try await scene.json("check", "--environment")
            #expect(outcome.errors.isEmpty)
            let findings = outcome.objects.dropLast()
            #expect(findings.allSatisfy { Self.names.contains($0["name"]?.text ?? "") })
            #expect(findings.count >= 10)
            for finding in findings {
                #expect(finding["value"]?.text?.isEmpty == false)
                let isAdvised = finding["advice"]?.text != nil
                #expect(isAdvised == (finding["verdict"] != "ok"), "\(finding)")
            }
            let problems = findings.count { $0["verdict"] == "problem" }
            let summary = try #require(outcome.objects.last)
            #expect(summary["findings"]?.integer == UInt64(findings.count))
            #expect(summary["problems"]?.integer == UInt64(problems))
            #expect(summary["warnings"] != nil)
            #expect(outcome.status == (problems == 0 ? 0 : 6))
            let text = try await scene.run("check", "--environment")
            #expect(text.lines.count == outcome.lines.count)
            #expect(text.status == outcome.status)
        }
        #expect(!FileManager.default.fileExists(atPath: scene.folder.path(of: "none")))
    }

    @Test("a small map and a damaged store are problems, and exit with 6")
    func problems() async throws {
        let scene = try Scene()
        let small = ["DAGSTORE_MAP_SIZE": "1048576"]
        let outcome = try await scene.json("check", "--environment", environment: small)
        #expect(outcome.status == 6)
        let room = outcome.objects.first { $0["name"] == "room" }
        #expect(room?["verdict"] == "problem")
        #expect(room?["advice"]?.text?.contains("DAGSTORE_MAP_SIZE") == true)
        let loop = scene.folder.path(of: "loop")
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: "loop")
        let looped = try await Command.run(
            ["check", "--environment", "--store", loop, "--format", "json"]
        )
        #expect(looped.status == 6)
        #expect(looped.objects.first?["name"] == "store")
    }
}
