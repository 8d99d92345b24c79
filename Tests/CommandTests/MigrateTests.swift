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

    #if LevelDB
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
