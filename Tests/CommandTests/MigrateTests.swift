import Foundation
import TestSupport
import Testing

@Suite("migrate", .enabled(if: Vectors.areHere))
struct MigrateTests {
    private static func path(_ name: String) -> String { Vectors.url("go-dagstore/\(name)").path }

    private static func plan(_ arguments: [String]) async throws -> Outcome {
        try await Command.run(["migrate", "plan"] + arguments)
    }

    @Test("plans a folder of CARs, a line a shard and one of totals")
    func cars() async throws {
        let outcome = try await Self.plan([Self.path("cars"), "--format", "json"])
        #expect(outcome.status == 0)
        #expect(outcome.objects.count == 29)
        let totals = try #require(outcome.objects.last)
        #expect(totals["layout"] == "cars")
        #expect(totals["shards"] == 28)
        #expect(totals["states"]?["registered"] == 28)
    }

    @Test("says what is wrong, and is content that it was asked")
    func indexes() async throws {
        let outcome = try await Self.plan([Self.path("indices")])
        #expect(outcome.status == 0)
        #expect(outcome.lines.contains { $0.contains("indexWithoutHashCodes") })
        #expect(outcome.lines.last?.hasPrefix("problems: ") == true)
    }

    @Test("what cannot be migrated is asked wrongly, what is not there is the source's fault")
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

    @Test("brings a folder of index files over, checks it, and has nothing to do the second time")
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

    @Test("a check without what should be there ends with 6")
    func different() async throws {
        let scene = try Scene()
        _ = try await scene.run("register", scene.write(Sample.car))
        let outcome = try await scene.run("migrate", "check", Self.path("indices"))
        #expect(outcome.status == 6)
        #expect(outcome.lines.last == "100 shards, 2,898 entries: 100 different")
    }

    @Test("a store inside of the source, and options that cannot be, are asked wrongly")
    func wrongRuns() async throws {
        let empty = try TemporaryFolder()
        _ = try empty.write([0x81, 0x08, 0, 0, 0, 0], to: "a.full.idx")
        let before = try FileManager.default.contentsOfDirectory(atPath: empty.url.path)
        for store in [empty.url.path, empty.path(of: "store")] {
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

    @Test("writes index files back, and only to where nothing is")
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
        let inside = try await scene.json("migrate", "export", "--to", scene.store + "/x")
        #expect(inside.status == 2)
        let layout = try await scene.json("migrate", "export", "--to", to, "--layout", "cars")
        #expect(layout.status == 2)
        let check = try await scene.json("migrate", "check", to)
        #expect(check.status == 0)
    }

    #if LevelDB
        @Test("a check reports inverse entries that lead nowhere, and does not fail for them")
        func strayInverse() async throws {
            let scene = try Scene()
            _ = try await scene.run("migrate", "run", Self.path("lotus-repo"))
            let outcome = try await scene.json("migrate", "check", Self.path("lotus-repo"))
            #expect(outcome.status == 0)
            let stray = outcome.objects.filter { $0["problem"] == "strayInverseEntry" }
            // Of the shard that was destroyed, and of the one that lost its index.
            #expect(stray.count == 2)
        }

        @Test("writes a Go node's folder, and says what the node will not have")
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
        @Test("says that LevelDB is not built in")
        func notBuiltIn() async throws {
            let outcome = try await Self.plan([Self.path("lotus-repo"), "--format", "json"])
            #expect(outcome.status == 2)
            #expect(outcome.error["code"] == "notBuiltIn")
        }
    #endif
}
