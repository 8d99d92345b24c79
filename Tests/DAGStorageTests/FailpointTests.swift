import DAGFailpoints
import DAGMounts
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

/// A process does everything a store can do, and is killed at one durable step after the other.
@Suite("Failpoints")
struct FailpointTests {
    /// Passages of one place at which the process is killed, one after the other.
    private static let passagesMax = 12

    /// The places that the scenario comes by; each of them is reached at least once.
    private static let places = Failpoint.allCases.filter { place in
        !["compact", "format", "cache", "backup", "restore"].contains {
            place.rawValue.hasPrefix($0)
        }
    }

    @Test(
        "killed at any durable step, a store opens whole, and what was answered is there",
        arguments: places
    )
    func killed(at place: Failpoint) async throws {
        var kills = 0
        while kills < Self.passagesMax {
            let folder = try StoreFolder()
            try Scenario.writeFiles(in: folder)
            let passage = kills + 1
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [
                    path = folder.path as String, name = place.rawValue as String,
                    passage = passage as Int
                ] in
                try #require(Failpoint(rawValue: name)).arm(passage: passage)
                try await Scenario(path).run()
                // Everything went through: the place is not passed so often.
                try Data().write(to: URL(filePath: path + "/through"))
                kill(getpid(), SIGKILL)
            }
            try await Scenario(folder.path).check(after: "\(place.rawValue):\(passage)")
            let isThrough = FileManager.default.fileExists(atPath: folder.path(of: "through"))
            guard !isThrough else { break }
            kills += 1
        }
        #expect(kills > 0, "\(place) is never passed")
    }

    @Test(
        "killed while it compacts, a store is as it was",
        arguments: [Failpoint.compactCopied, .compactRenamed]
    )
    func killedCompacting(at place: Failpoint) async throws {
        let folder = try StoreFolder()
        let builder = CARBuilder.manyMixed(seed: 1)
        let store = try folder.open()
        let mount = try folder.mount(builder.bytes)
        try await store.register("a", mount)
        try await store.register("b", mount)
        try await store.destroy("b")
        await store.close()
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = folder.storePath as String, name = place.rawValue as String] in
            try #require(Failpoint(rawValue: name)).arm()
            _ = try DAGStore.compact(at: FilePath(path), mapSize: 1 << 32)
        }
        let again = try folder.open()
        #expect(again.keys == ["a"])
        #expect(try await ShardModel(builder).problems(in: again.acquire("a")) == [])
        #expect(try await again.check().problems == [])
        await again.close()
        let report = try DAGStore.compact(at: FilePath(folder.storePath), mapSize: 1 << 32)
        #expect(report.bytesAfter <= report.bytesBefore)
    }
}

/// What the process does, and what must hold after it was killed.
private struct Scenario {
    private static let small = CARBuilder.manyMixed(seed: 3)
    private let path: String
    private let journal: Journal
    private let copied: CountingMount

    static func writeFiles(in folder: StoreFolder) throws {
        _ = try folder.mount(small.bytes, named: "small.car")
        // Its index has more than one batch of pieces.
        let large = [UInt8].manySections(count: 120_000, digestSize: 80, seed: 2)
        _ = try folder.mount(large, named: "large.car")
        _ = try folder.mount([1, 2, 3], named: "junk.car")
    }

    init(_ path: String) throws {
        self.path = path
        journal = try Journal(at: path + "/journal")
        let state = CountingMount.State()
        state.set("bytes", Self.small.bytes)
        copied = try CountingMount(in: state)
    }

    private func open() throws -> DAGStore {
        try StoreFolder.open(path + "/store", [copied]) {
            $0.durability = .full
            // Every shard is a run, and some are merged.
            $0.inverseFlushFrom = 100
        }
    }

    private func mount(_ name: String) -> FileMount { FileMount(FilePath("\(path)/\(name).car")) }

    func run() async throws {
        let store = try open()
        try await journal.run("available", "file") {
            try await store.register("file", mount("small"))
        }
        try await journal.run("available", "copied") {
            try await store.register("copied", from: copied)
        }
        try await journal.run("registered", "lazy") {
            try await store.register("lazy", from: mount("small"), indexing: .onFirstUse)
        }
        try await journal.run("available", "lazy") {
            try await store.acquire("lazy").release()
        }
        _ = try await store.collectGarbage()
        try await store.acquire("copied").release()
        try await journal.run("failed", "junk") {
            let error = await errorCode { try await store.register("junk", mount("junk")) }
            guard error?.exitStatus == 5 else { throw DAGStoreError(.catalogCorrupt) }
        }
        try Data(contentsOf: URL(filePath: path + "/small.car")).write(
            to: URL(filePath: path + "/junk.car")
        )
        try await journal.run("available", "junk") { try await store.recover("junk") }
        try await journal.run("available", "large") {
            try await store.register("large", mount("large"))
        }
        for key in ["large", "copied", "lazy"] {
            try await journal.run("absent", key) { try await store.destroy(key) }
        }
        await store.close()
    }

    /// Opens the store again, and looks for anything that does not hold.
    func check(after plan: String) async throws {
        let entries = try Journal.entries(at: path + "/journal")
        let store = try open()
        // What was interrupted is taken up, and comes to its end.
        await eventually {
            (try? store.allStatuses())?.allSatisfy {
                $0.state != .initializing && $0.state != .recovering
            } ?? false
        }
        for (key, entry) in entries {
            let state = try store.state(of: key)?.rawValue ?? "absent"
            let isKnown = entry.begun == nil ? state == entry.answered : state != "serving"
            #expect(isKnown, "\(plan): \(key) is \(state) after \(entry)")
            guard state == "available", key != "large" else { continue }
            let shard = try await store.acquire(key)
            #expect(try await ShardModel(Self.small).problems(in: shard) == [], "\(plan): \(key)")
        }
        var options = CheckOptions()
        options.isDeep = true
        // The blocks of the large one were made up together with their CIDs.
        let problems = try await store.check(options).problems.filter { $0.kind != .block }
        #expect(problems == [], "\(plan)")
        let copies = try store.state(of: "copied") == nil ? 0 : 1
        #expect(try store.statistics().transients <= copies, "\(plan)")
        await store.close()
        let names = try PackageFolder.files(in: path + "/store/transients")
        #expect(names.count <= copies && names.allSatisfy { $0.hasSuffix(".complete") }, "\(plan)")
    }
}
