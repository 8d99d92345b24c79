import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import DAGMigration

/// Plans of directories that the reference wrote, and of damaged copies of them.
@Suite("Plan", .enabled(if: Vectors.areHere))
struct PlanTests {
    static let lotus = ["lotus-repo", "lotus-repo-compacted"]
    static let all = lotus + ["generic-repo"]

    #if LevelDB
        @Test("the shards and states are those that the reference reports", arguments: all)
        func shards(repository: String) throws {
            let expected = try Expected(of: repository)
            let plan = try source(repository).plan()
            #expect(plan.layout == .dagstore)
            var found: [String: String] = [:]
            for shard in plan.shards { found[shard.key] = shard.state.rawValue }
            #expect(found == expected.states)
            for shard in plan.shards
            where shard.state == .failed && expected.errors[shard.key] != nil {
                #expect(shard.error.hasSuffix(expected.errors[shard.key] ?? "?"))
            }
        }

        @Test("problems of Lotus directories", arguments: lotus)
        func lotusProblems(repository: String) throws {
            let plan = try source(repository).plan()
            #expect(
                plan.problemCounts == [
                    .indexWithoutHashCodes: 1, .mangledInverseKeys: 3, .orphanIndex: 1,
                    .stuckRecovering: 1, .unknownScheme: 28,
                ]
            )
            #expect(
                try source(repository).plan(schemes: ["lotus"]).problemCounts[.unknownScheme] == nil
            )
            #expect(plan.entries == 688)
        }

        @Test("problems of a directory with odd keys and mounts")
        func genericProblems() throws {
            let plan = try source("generic-repo").plan()
            #expect(
                plan.problemCounts == [
                    .absolutePathDamaged: 1, .keyIsNoFileName: 3, .mangledInverseKeys: 1,
                    .unknownScheme: 4,
                ]
            )
            // The index of this key lies outside the index folder.
            let escape = plan.shards.first { $0.key == "../escape" }
            #expect(escape?.entries == 3)
            #expect(plan.strays == [])
        }

        @Test("a plan changes no byte and no time of its source", arguments: all)
        func sourceUntouched(repository: String) throws {
            let copy = try copied(repository)
            let before = try fingerprint(copy.url)
            _ = try MigrationSource(at: FilePath(copy.url.path)).plan()
            #expect(try fingerprint(copy.url) == before)
        }

        @Test("missing, orphaned and unreadable files become problems, and the plan continues")
        func damage() throws {
            let copy = try copied("generic-repo")
            let index = copy.url.appending(path: "dagstore/index")
            try FileManager.default.removeItem(at: index.appending(path: "file-rel.full.idx"))
            try Data([0x81]).write(to: index.appending(path: "fs-1.full.idx"))
            try Data([0x82, 8, 0]).write(to: index.appending(path: "fs-3.full.idx"))
            try Data([0x81, 8, 0, 0, 0, 0]).write(to: index.appending(path: "nobody.full.idx"))
            let transients = copy.url.appending(path: "dagstore/transients")
            try Data([1]).write(to: transients.appending(path: "transient-x.partial"))
            let plan = try MigrationSource(at: FilePath(copy.url.path)).plan()
            let counts = plan.problemCounts
            #expect(counts[.missingIndex] == 1)
            #expect(counts[.malformedIndex] == 1)
            #expect(counts[.truncatedIndex] == 1)
            #expect(counts[.orphanIndex] == 1)
            #expect(counts[.orphanTransient] == 1)
            let missing = plan.shards.first { $0.key == "file-rel" }
            #expect(missing?.state == .registered)
        }

        @Test(
            "a damaged LevelDB is refused, and the error names its file",
            arguments: ["CURRENT", "MANIFEST-000004", "000006.ldb"]
        )
        func corruptLevelDB(file: String) throws {
            let copy = try copied("lotus-repo-compacted")
            let path = copy.url.appending(path: "dagstore/datastore/\(file)")
            var bytes = try Data(contentsOf: path)
            for offset in bytes.indices where offset % 7 == 3 { bytes[offset] ^= 0x5a }
            try bytes.write(to: path)
            #expect(throws: MigrationError(.sourceCorrupt, "", "")) {
                try MigrationSource(at: FilePath(copy.url.path)).plan()
            }
        }

        @Test("a missing table is refused after several attempts to open it")
        func missingTable() throws {
            let copy = try copied("lotus-repo-compacted")
            let table = copy.url.appending(path: "dagstore/datastore/000006.ldb")
            try FileManager.default.removeItem(at: table)
            #expect(throws: MigrationError(.sourceCorrupt, "", "")) {
                try MigrationSource(at: FilePath(copy.url.path)).plan()
            }
        }
    #endif

    @Test("a folder of index files is recognized, and every index is counted")
    func indexes() throws {
        let plan = try MigrationSource(at: FilePath(Vectors.url("go-dagstore/indices").path)).plan()
        #expect(plan.layout == .indexes)
        let files = try FileManager.default.contentsOfDirectory(
            atPath: Vectors.url("go-dagstore/indices").path
        )
        #expect(plan.shards.count == files.count)
        #expect(plan.shards.allSatisfy { $0.entries != nil })
        #expect(plan.problemCounts[.malformedIndex] == nil)
    }

    @Test("a folder of CARs is recognized")
    func cars() throws {
        let plan = try MigrationSource(at: FilePath(Vectors.url("go-dagstore/cars").path)).plan()
        #expect(plan.layout == .cars)
        #expect(plan.shards.count == 28)
        #expect(plan.shards.allSatisfy { $0.state == .registered && $0.mountURL != nil })
    }

    @Test("an index repository of another version is refused")
    func version() throws {
        let copy = try copied("generic-repo")
        try Data("2".utf8).write(to: copy.url.appending(path: "dagstore/index/.version"))
        #expect(throws: MigrationError(.unsupportedVersion, "", "")) {
            try MigrationSource(at: FilePath(copy.url.path))
        }
    }

    @Test("a folder without a known layout is refused")
    func nothingThere() throws {
        let folder = try TemporaryFolder()
        #expect(throws: MigrationError(.unknownLayout, "", "")) {
            try MigrationSource(at: FilePath(folder.url.path))
        }
        #expect(throws: MigrationError(.sourceUnreadable, "", "")) {
            try MigrationSource(at: FilePath(folder.url.path).appending("nowhere"))
        }
        #expect(throws: MigrationError(.unknownLayout, "", "")) {
            let cars = FilePath(Vectors.url("go-dagstore/cars").path)
            return try MigrationSource(at: cars, layout: .dagstore)
        }
    }

    private func source(_ repository: String) throws -> MigrationSource {
        try MigrationSource(at: FilePath(Vectors.url("go-dagstore/\(repository)").path))
    }

    /// Returns a copy that a test may damage.
    private func copied(_ repository: String) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = [
            "-c", #"cp -R "$0/." "$1" && chmod -R u+w "$1""#,
            Vectors.url("go-dagstore/\(repository)").path, folder.url.path,
        ]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return folder
    }

    /// Returns every file with its bytes and times.
    private func fingerprint(_ folder: URL) throws -> [String: String] {
        var found: [String: String] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
            let path = folder.appending(path: name).path
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            let time = (attributes[.modificationDate] as? Date)?.timeIntervalSinceReferenceDate
            let bytes = FileManager.default.contents(atPath: path) ?? Data()
            found[name] = "\(time ?? 0) \(bytes.count) \(bytes.hashValue)"
        }
        return found
    }
}

/// The reference's report about its own directory.
private struct Expected {
    var states: [String: String] = [:]
    var errors: [String: String] = [:]

    private struct File: Decodable {
        struct State: Decodable {
            let state_num: UInt8
            let error: String?
        }
        let states_at_shutdown: [String: State]
    }

    init(of repository: String) throws {
        let name = repository.hasPrefix("lotus") ? "expected-lotus.json" : "expected-generic.json"
        let data = try Data(contentsOf: Vectors.url("go-dagstore/\(name)"))
        let file = try JSONDecoder().decode(File.self, from: data)
        for (key, state) in file.states_at_shutdown {
            errors[key] = state.error
            states[key] =
                switch state.state_num {
                case 0, 1: "registered"
                case 2, 3: "available"
                default: "failed"
                }
        }
    }
}
