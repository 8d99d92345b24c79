import DAGBytes
import DAGCAR
import Foundation
import TestSupport
import Testing

@Suite("migrate", .enabled(if: Vectors.areHere))
struct MigrateTests {
    private static func path(_ name: String) -> String { Vectors.url("go-dagstore/\(name)").path }

    private static func plan(_ arguments: [String]) async throws -> Outcome {
        try await Command.run(["migrate", "plan"] + arguments)
    }

    @Test("plans a folder of CARs: a line for each shard, and totals")
    func cars() async throws {
        let outcome = try await Self.plan([Self.path("cars"), "--format", "json"])
        #expect(outcome.status == 0)
        #expect(outcome.objects.count == 29)
        let totals = try #require(outcome.objects.last)
        #expect(totals["layout"] == "cars")
        #expect(totals["shards"] == 28)
        #expect(totals["states"]?["registered"] == 28)
    }

    @Test("reports problems, and exits with 0")
    func indexes() async throws {
        let outcome = try await Self.plan([Self.path("indices")])
        #expect(outcome.status == 0)
        #expect(outcome.lines.contains { $0.contains("indexWithoutHashCodes") })
        #expect(outcome.lines.last?.hasPrefix("problems: ") == true)
    }

    @Test("an unknown layout exits with 2, a missing source with 4")
    func refused() async throws {
        let empty = try TemporaryFolder()
        let nothing = try await Self.plan([empty.url.path, "--format", "json"])
        #expect(nothing.status == 2)
        #expect(nothing.error["code"] == "unknownLayout")
        let missing = try await Self.plan([empty.path(of: "nowhere"), "--format", "json"])
        #expect(missing.status == 4)
        #expect(missing.error["code"] == "sourceUnreadable")
        let layout = try await Self.plan([empty.url.path, "--from", "nonsense", "--format", "json"])
        #expect(layout.status == 2)
        #expect(try await Command.run(["migrate"]).status == 2)
    }

    @Test("migrates a folder of index files, checks it, and skips it the second time")
    func run() async throws {
        let scene = try Scene()
        let first = try await scene.json("migrate", "run", Self.path("indices"), "--verify", "full")
        // Indexes without hash codes are a problem, and come over.
        #expect(first.status == 5)
        #expect(first.objects.count == 101)
        #expect(first.objects.last?["migrated"] == 100)
        #expect(first.objects.last?["entries"] == 2898)
        let check = try await scene.json("migrate", "check", Self.path("indices"))
        #expect(check.status == 0)
        #expect(check.objects.last?["different"] == 0)
        let second = try await scene.json("migrate", "run", Self.path("indices"))
        #expect(second.objects.last?["present"] == 100)
        #expect(try await scene.json("check").status == 0)
    }

    @Test(
        "a killed run continues when it is run again, with the same result",
        arguments: ["beforeCommit:1", "afterCommit:1", "beforeCommit:2"]
    )
    func killed(failpoint: String) async throws {
        let source = try TemporaryFolder()
        // More shards than a commit takes, and one index that is written in parts.
        let vectors = try FileManager.default.contentsOfDirectory(atPath: Self.path("indices"))
        for name in vectors where name.hasSuffix(".idx") {
            let bytes = try Vectors.url("go-dagstore/indices/\(name)").bytes()
            for copy in 0..<3 { _ = try source.write(bytes, to: "\(copy)-\(name)") }
        }
        var random = SplitMix64(seed: 5)
        var builder = CARIndexBuilder()
        for number in 0..<40_000 {
            var digest: [UInt8] = []
            for _ in 0..<4 { digest.append(littleEndian: random.next()) }
            digest.withView {
                builder.append(hashCode: 0x12, digest: $0, offset: UInt64(59 + number * 100))
            }
        }
        _ = try source.write(builder.encoded(), to: "large.full.idx")
        let whole = try Scene()
        let undisturbed = try await whole.json("migrate", "run", source.url.path)
        let total = try #require(undisturbed.objects.last?["migrated"]?.integer)
        let scene = try Scene()
        let killed = try await scene.run(
            "migrate",
            "run",
            source.url.path,
            "--jobs",
            "1",
            environment: ["DAGSTORE_FAILPOINT": failpoint]
        )
        #expect(killed.status != 0 && killed.status != 5)
        let again = try await scene.json("migrate", "run", source.url.path)
        #expect(again.status == 5)
        let migrated = again.objects.last?["migrated"]?.integer ?? 0
        let present = again.objects.last?["present"]?.integer ?? 0
        #expect(migrated + present == total)
        #expect(migrated > 0)
        #expect(try await scene.run("migrate", "check", source.url.path).status == 0)
        #expect(try await scene.run("check").status == 0)
        let lines = try await scene.run("list").lines.sorted()
        #expect(try await whole.run("list").lines.sorted() == lines)
    }

    @Test("a full store keeps the migrated shards, and gets the rest when there is room")
    func full() async throws {
        let source = try TemporaryFolder()
        var random = SplitMix64(seed: 6)
        for shard in 0..<4 {
            var builder = CARIndexBuilder()
            for number in 0..<30_000 {
                var digest: [UInt8] = []
                for _ in 0..<4 { digest.append(littleEndian: random.next()) }
                digest.withView {
                    builder.append(hashCode: 0x12, digest: $0, offset: UInt64(59 + number * 100))
                }
            }
            _ = try source.write(builder.encoded(), to: "\(shard).full.idx")
        }
        let scene = try Scene()
        let full = try await scene.json(
            "migrate",
            "run",
            source.url.path,
            environment: ["DAGSTORE_MAP_SIZE": "4194304"]
        )
        #expect(full.status == 6)
        #expect(full.error["code"] == "catalogFull")
        let again = try await scene.json("migrate", "run", source.url.path, "--verify", "full")
        #expect(again.objects.allSatisfy { $0["result"] != "refused" })
        #expect(try await scene.run("migrate", "check", source.url.path).status == 0)
        #expect(try await scene.run("check").status == 0)
    }

    @Test(
        "a bad index file delays only its shard, until it is repaired"
    )
    func unreadable() async throws {
        let source = try TemporaryFolder()
        let whole = try Vectors.url("go-dagstore/indices/v1-raw.car.0401.idx").bytes()
        for name in ["a", "c"] { _ = try source.write(whole, to: "\(name).full.idx") }
        // A Go node writes indexes in place.
        _ = try source.write(Array(whole.dropLast(40)), to: "b.full.idx")
        // One shard, by its key, has two files; and one is a link to a file elsewhere.
        _ = try source.write(whole, to: "a.idx")
        let elsewhere = try TemporaryFolder()
        let target = try elsewhere.write(whole, to: "d")
        try FileManager.default.createSymbolicLink(
            atPath: source.path(of: "d.full.idx"),
            withDestinationPath: target
        )
        let scene = try Scene()
        let first = try await scene.json("migrate", "run", source.url.path)
        #expect(first.status == 5)
        #expect(first.objects.last?["migrated"] == 3)
        #expect(first.objects.last?["refused"] == 1)
        #expect(first.objects.last?["problems"]?["unreadableIndex"] == 1)
        #expect(first.objects.last?["problems"]?["duplicateKey"] == 1)
        #expect(try await scene.run("status", "b").status == 3)
        #expect(try await scene.run("migrate", "check", source.url.path).status == 0)
        _ = try source.write(whole, to: "b.full.idx")
        let second = try await scene.json("migrate", "run", source.url.path)
        #expect(second.objects.last?["migrated"] == 1)
        #expect(second.objects.last?["present"] == 3)
        #expect(try await scene.run("migrate", "check", source.url.path).status == 0)
    }

    @Test(
        "an unreadable source ends a run with 6, also if only the plan could read it"
    )
    func failedRuns() async throws {
        let scene = try Scene()
        let missing = try await scene.json("migrate", "run", scene.folder.path(of: "nowhere"))
        #expect(missing.status == 6)
        #expect(missing.error["code"] == "sourceUnreadable")
    }

    @Test("every multihash of many medium shards is found after the store was closed")
    func newestEntries() async throws {
        // More than the newest entries hold, of shards too small for runs of their own.
        let source = try TemporaryFolder()
        var random = SplitMix64(seed: 8)
        for shard in 0..<3 {
            var builder = CARIndexBuilder()
            for number in 0..<23_000 {
                var digest: [UInt8] = []
                for _ in 0..<4 { digest.append(littleEndian: random.next()) }
                digest.withView {
                    builder.append(hashCode: 0x12, digest: $0, offset: UInt64(59 + number * 100))
                }
            }
            _ = try source.write(builder.encoded(), to: "\(shard).full.idx")
        }
        let scene = try Scene()
        _ = try await scene.run("migrate", "run", source.url.path, "--verify", "none")
        #expect(try await scene.run("migrate", "check", source.url.path).status == 0)
    }

    @Test("a check that misses entries ends with 6")
    func different() async throws {
        let scene = try Scene()
        _ = try await scene.run("register", scene.write(Sample.car))
        let outcome = try await scene.run("migrate", "check", Self.path("indices"))
        #expect(outcome.status == 6)
        #expect(outcome.lines.last == "100 shards, 2,898 entries: 100 different")
    }

    @Test("a store inside the source, and wrong options, exit with 2")
    func wrongRuns() async throws {
        let empty = try TemporaryFolder()
        _ = try empty.write([0x81, 0x08, 0, 0, 0, 0], to: "a.full.idx")
        let before = try FileManager.default.contentsOfDirectory(atPath: empty.url.path)
        // Also by a second name of the folder.
        let link = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            atPath: link.path(of: "link"),
            withDestinationPath: empty.url.path
        )
        for store in [
            empty.url.path, empty.path(of: "store"), link.path(of: "link"),
            link.path(of: "link/new/store"),
        ] {
            let outcome = try await Command.run(
                ["migrate", "run", empty.url.path, "--store", store]
            )
            #expect(outcome.status == 2)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: empty.url.path) == before)
        let scene = try Scene()
        let source = empty.url.path
        for wrong in [
            ["--jobs", "0"], ["--verify", "perhaps"], ["--mount-map", "lotus"],
            ["--mount-map", "a=b"],
        ] {
            let arguments = ["migrate", "run", source, "--store", scene.store] + wrong
            #expect(try await Command.run(arguments).status == 2, "\(wrong)")
        }
    }

    @Test("exports index files, and only to an empty folder")
    func exportsIndexes() async throws {
        let scene = try Scene()
        _ = try await scene.run("migrate", "run", Self.path("indices"))
        let folder = try TemporaryFolder()
        let to = folder.path(of: "out")
        let first = try await scene.json("migrate", "export", "--to", to, "--layout", "indexes")
        #expect(first.status == 0)
        #expect(first.objects.count == 101)
        #expect(first.objects.last?["entries"] == 2898)
        #expect(FileManager.default.fileExists(atPath: to + "/.version"))
        let second = try await scene.json("migrate", "export", "--to", to, "--layout", "indexes")
        #expect(second.status == 2)
        #expect(second.error["code"] == "destinationExists")
        let link = folder.path(of: "link")
        try FileManager.default.createSymbolicLink(
            atPath: link,
            withDestinationPath: scene.store
        )
        for place in [scene.store + "/x", link + "/x"] {
            #expect(try await scene.json("migrate", "export", "--to", place).status == 2)
        }
        let layout = try await scene.json("migrate", "export", "--to", to, "--layout", "cars")
        #expect(layout.status == 2)
        let check = try await scene.json("migrate", "check", to)
        #expect(check.status == 0)
    }

    #if LevelDB
        @Test(
            "copies of CARs are migrated on request, and read instead of the mount",
            arguments: ["--copy-transients", "--link-transients"]
        )
        func transients(option: String) async throws {
            let scene = try Scene()
            // A copy of the folder: a second name needs a place on the same file system.
            let source = scene.folder.path(of: "source")
            let copy =
                #"cp -R "\#(Self.path("generic-repo"))" "\#(source)" && chmod -R u+w "\#(source)""#
            let copied = try await Command.shell(copy)
            #expect(copied.status == 0, "\(copied.errorText)")
            // One of them is a link to a file elsewhere.
            let copies = source + "/dagstore/transients/transient-fs-1.complete"
            let elsewhere = scene.folder.path(of: "elsewhere.car")
            try FileManager.default.moveItem(atPath: copies, toPath: elsewhere)
            try FileManager.default.createSymbolicLink(
                atPath: copies,
                withDestinationPath: elsewhere
            )
            _ = try await scene.run("migrate", "run", source, option)
            try FileManager.default.removeItem(atPath: elsewhere)
            for (key, name) in [("fs-1", "v1-cidv0"), ("fs-3", "v2-noidx")] {
                let kept = scene.store + "/imported/\(key).car"
                let car = try Vectors.url("go-dagstore/cars/\(name).car").bytes()
                #expect(FileManager.default.contents(atPath: kept).map(Array.init) == car)
                // No mount serves this scheme, and the copy is enough.
                #expect(try await scene.run("initialize", key).status == 0)
            }
            #expect(try await scene.run("check").status == 0)
            let neither = try await scene.json(
                "migrate",
                "run",
                source,
                option,
                "--leave-transients"
            )
            #expect(neither.status == 2)
        }

        @Test("a check reports stray inverse entries, and does not fail for them")
        func strayInverse() async throws {
            let scene = try Scene()
            _ = try await scene.run("migrate", "run", Self.path("lotus-repo"))
            let outcome = try await scene.json("migrate", "check", Self.path("lotus-repo"))
            #expect(outcome.status == 0)
            let stray = outcome.objects.filter { $0["problem"] == "strayInverseEntry" }
            // Of the shard that was destroyed, and of the one that lost its index.
            #expect(stray.count == 2)
        }

        @Test("exports a Go node's folder, and reports what the node will lack")
        func exportsFolder() async throws {
            let scene = try Scene()
            _ = try await scene.run("migrate", "run", Self.path("lotus-repo"))
            let folder = try TemporaryFolder()
            let to = folder.path(of: "out")
            let outcome = try await scene.json("migrate", "export", "--to", to)
            #expect(outcome.status == 5)
            #expect(outcome.objects.last?["shards"] == 28)
            #expect(outcome.objects.last?["problems"]?["indexWithoutHashCodes"] == 1)
            #expect(try await scene.run("migrate", "check", to).status == 0)
        }

        @Test("plans a Go node's folder")
        func lotus() async throws {
            let outcome = try await Self.plan([Self.path("lotus-repo"), "--format", "json"])
            #expect(outcome.status == 0)
            let totals = try #require(outcome.objects.last)
            #expect(totals["shards"] == 28)
            #expect(totals["entries"] == 688)
            #expect(totals["problems"]?["stuckRecovering"] == 1)
            let stray = outcome.objects.first { $0["problem"] == "orphanIndex" }
            #expect(stray?["key"] == .null)
        }
    #else
        @Test("reports that LevelDB is not built in")
        func notBuiltIn() async throws {
            let outcome = try await Self.plan([Self.path("lotus-repo"), "--format", "json"])
            #expect(outcome.status == 2)
            #expect(outcome.error["code"] == "notBuiltIn")
        }
    #endif
}
