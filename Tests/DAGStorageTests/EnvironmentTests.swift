import DAGSystem
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import DAGStorage

@Suite("Environment")
struct EnvironmentTests {
    /// Facts of a machine on which nothing is to be done.
    private static func facts(
        _ change: (inout EnvironmentFacts) -> Void = { _ in }
    ) -> EnvironmentFacts {
        var facts = EnvironmentFacts()
        facts.place = "/srv/store"
        facts.fileSystem = FileSystemKind(name: "ext4", place: .disk)
        facts.freeSpace = 1 << 40
        facts.catalogSize = 1 << 30
        facts.newestRecord = 1_795_000_000_000
        facts.descriptors = (65_536, 1 << 20)
        facts.mappings = 65_530
        facts.watches = 8192
        facts.watchQueues = 128
        facts.clock = 1_795_000_000_500
        facts.usesHashInstructions = true
        change(&facts)
        return facts
    }

    /// The findings that are not `ok`: names and verdicts.
    private static func faults(
        _ change: (inout EnvironmentFacts) -> Void = { _ in }
    ) -> [String] {
        facts(change).findings.filter { $0.verdict != .ok }.map { finding in
            #expect(finding.advice?.isEmpty == false, "\(finding)")
            return "\(finding.name) \(finding.verdict)"
        }
    }

    @Test("a sound machine has no faults, and every fact has a line")
    func sound() {
        #expect(Self.faults() == [])
        #expect(
            Self.facts().findings.map(\.name) == [
                "fileSystem", "freeSpace", "fileSize", "mapSize", "room", "descriptors", "maps",
                "watches", "watchQueues", "clock", "lmdb", "zstd", "openssl", "sha",
            ]
        )
        #expect(Self.facts().findings.allSatisfy { $0.advice == nil })
    }

    @Test("a file system of another machine is a problem, and one that may vanish a warning")
    func fileSystems() {
        for (place, fault) in [
            (FileSystemKind.Place.network, "fileSystem problem"), (.memory, "fileSystem warning"),
            (.container, "fileSystem warning"), (.program, "fileSystem warning"),
        ] {
            let kind = FileSystemKind(name: "some", place: place)
            #expect(Self.faults { $0.fileSystem = kind } == [fault])
        }
        #expect(Self.faults { $0.fileSystem = FileSystemKind(name: "0x1", place: .unknown) } == [])
        #expect(Self.faults { $0.writeFault = "/srv: read-only" } == ["writing problem"])
        for code in [DAGStoreError.Code.readOnly, .catalogCorrupt, .catalogTooNew, .outOfResources]
        {
            #expect(Self.faults { $0.storeFault = DAGStoreError(code, "x") } == ["store problem"])
        }
        #expect(Self.faults { $0.fileSystem = nil } == [])
    }

    @Test("the tightest of disk, map and file size is the room of the catalog")
    func room() {
        #expect(
            Self.faults { $0.freeSpace = 1 << 29 } == ["freeSpace warning", "room warning"]
        )
        #expect(Self.faults { $0.freeSpace = 1 << 20 } == ["freeSpace problem", "room problem"])
        #expect(Self.faults { $0.mapSize = 3 << 29 } == ["room warning"])
        #expect(Self.faults { $0.mapSize = 1 << 30 } == ["room problem"])
        #expect(Self.faults { $0.mapSize = 1 << 20 } == ["room problem"])
        #expect(Self.faults { $0.fileSizeMax = 1 << 39 } == ["fileSize warning"])
        #expect(
            Self.faults { $0.fileSizeMax = 1 << 20 } == ["fileSize warning", "room problem"]
        )
        let advice = Self.facts { $0.mapSize = 1 << 30 }.findings.first { $0.name == "room" }?
            .advice
        #expect(advice?.contains("DAGSTORE_MAP_SIZE") == true)
    }

    @Test("limits of the process")
    func limits() {
        #expect(Self.faults { $0.hasRoomForMap = false } == ["mapSize warning"])
        #expect(
            Self.faults {
                $0.hasRoomForSmallestMap = false
                $0.addressSpace = 1 << 30
            } == ["mapSize problem"]
        )
        #expect(Self.faults { $0.descriptors = (1024, 1024) } == ["descriptors warning"])
        #expect(Self.faults { $0.descriptors = (100, 1 << 20) } == ["descriptors problem"])
        #expect(Self.faults { $0.mappings = 1000 } == ["maps warning"])
        #expect(Self.faults { $0.watches = 100 } == ["watches warning"])
        #expect(Self.faults { $0.watchQueues = 1 } == ["watchQueues warning"])
        #expect(
            Self.faults {
                $0.mappings = nil
                $0.watches = nil
                $0.watchQueues = nil
            } == []
        )
    }

    @Test("a clock before the newest record, or in another century, is a problem")
    func clocks() {
        #expect(Self.faults { $0.clock -= 60_000 } == [])
        #expect(Self.faults { $0.clock -= 61_000 } == ["clock problem"])
        #expect(Self.faults { $0.clock = 1 } == ["clock problem"])
        #expect(Self.faults { $0.clock = .max } == ["clock problem"])
        #expect(Self.faults { $0.newestRecord = nil } == [])
    }

    @Test("instructions that the library leaves unused are a warning")
    func hashing() {
        #expect(Self.faults { $0.usesHashInstructions = false } == [])
        #expect(Self.faults { $0.usesHashInstructions = nil } == [])
        #expect(
            Self.faults {
                $0.usesHashInstructions = false
                $0.hasHashInstructions = true
            } == ["sha warning"]
        )
    }

    @Test("the facts of this machine, with a store and without")
    func gathered() async throws {
        let folder = try StoreFolder()
        let directory = FilePath(folder.storePath)
        let without = EnvironmentFacts(of: directory, mapSize: 1 << 32)
        #expect(without.place == folder.path)
        #expect(without.fileSystem != nil)
        #expect(without.freeSpace ?? 0 > 0)
        #expect(without.clock > 1_700_000_000_000)
        #expect(without.lmdb.wholeMatch(of: /\d+\.\d+\.\d+/) != nil)
        #expect(without.zstd.wholeMatch(of: /\d+\.\d+\.\d+/) != nil)
        #expect(without.openSSL.hasPrefix("OpenSSL 3"))
        #expect(without.hasRoomForMap)
        let absent = DAGStore.checkEnvironment(of: directory, mapSize: 1 << 32)
        #expect(!absent.findings.contains { $0.name == "store" })

        let store = try folder.open()
        try await store.register("a", folder.mount(CARBuilder.manyMixed(seed: 1).bytes))
        let report = try store.checkEnvironment()
        #expect(report.findings.map(\.name) == absent.findings.map(\.name))
        let clock = try #require(report.findings.first { $0.name == "clock" })
        #expect(clock.verdict == .ok)
        await store.close()
        #expect(throws: DAGStoreError(.closed, "")) { try store.checkEnvironment() }
        let beside = DAGStore.checkEnvironment(of: directory, mapSize: 1 << 32)
        #expect(beside.findings.map(\.name) == report.findings.map(\.name))
    }

    @Test("a store that cannot be opened is a finding")
    func damaged() async throws {
        let folder = try StoreFolder()
        await (try folder.open()).close()
        let data = URL(filePath: folder.storePath + "/catalog/data.mdb")
        try Data(repeating: 1, count: 8192).write(to: data)
        let report = DAGStore.checkEnvironment(of: FilePath(folder.storePath), mapSize: 1 << 32)
        #expect(report.findings.first?.name == "store")
        #expect(report.findings.first?.verdict == .problem)
        #expect(!report.isSound)
    }
}
