import DAGMultiformats
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Verbs over shards that are not finished")
struct UnfinishedTests {
    /// A store in which the indexing of one shard was interrupted, and the CAR's path.
    private static func interrupted(_ scene: Scene) async throws -> String {
        let blocks = (0..<9).map { number in
            CARBuilder.Block.raw([UInt8](repeating: UInt8(number), count: 300_000))
        }
        let path = try scene.write(CARBuilder(roots: [], blocks: blocks))
        // The record is on disk, and the process dies before the index is.
        let killed = try await scene.run(
            ["register", path],
            environment: ["DAGSTORE_FAILPOINT": "indexBuilt"]
        )
        #expect(killed.status == 128 + 9)
        let status = try await scene.json("status", "sample").objects.first
        #expect(status?["state"] == "initializing")
        return path
    }

    private static func writeIndex(of path: String, to index: String) async throws {
        let made = try await Command.run(
            ["car", "index", path, "--output", index, "--identity"],
            in: "/"
        )
        #expect(made.status == 0)
    }

    @Test("repeating an interrupted registration continues it")
    func registeredAgain() async throws {
        let scene = try Scene()
        let path = try await Self.interrupted(scene)
        // Other sources are other registrations.
        let other = try scene.write(Sample.car, to: "other.car")
        #expect(try await scene.run("register", other, "--key", "sample").status == 2)
        let again = try await scene.json("register", path)
        #expect(again.status == 0)
        #expect(again.objects.first?["state"] == "available")
        #expect(again.objects.first?["blocks"]?.integer == 9)
        // The shard is available already.
        #expect(try await scene.run("register", path).status == 2)
    }

    @Test(
        "an interrupted recovery is finished by initialize-all or initialize",
        arguments: [["initialize-all"], ["initialize", "sample"], ["recover", "sample"]]
    )
    func interruptedRecovery(verb: [String]) async throws {
        let scene = try Scene()
        let path = try scene.folder.write([1, 2, 3], to: "sample.car")
        #expect(try await scene.run("register", path).status == 5)
        let blocks = (0..<9).map { number in
            CARBuilder.Block.raw([UInt8](repeating: UInt8(number), count: 300_000))
        }
        _ = try scene.write(CARBuilder(roots: [], blocks: blocks))
        let killed = try await scene.run(
            ["recover", "sample"],
            environment: ["DAGSTORE_FAILPOINT": "indexBuilt"]
        )
        #expect(killed.status == 128 + 9)
        #expect(try await scene.json("status", "sample").objects.first?["state"] == "recovering")
        #expect(try await scene.run(verb).status == 0)
        #expect(try await scene.json("status", "sample").objects.first?["state"] == "available")
    }

    @Test("other verbs leave interrupted shards alone")
    func leftAlone() async throws {
        let scene = try Scene()
        _ = try await Self.interrupted(scene)
        let other = try scene.write(Sample.car, to: "other.car")
        #expect(try await scene.run("register", other).status == 0)
        #expect(try await scene.run("gc").status == 0)
        #expect(try await scene.json("status", "sample").objects.first?["state"] == "initializing")
        #expect(try await scene.run("initialize-all").text == "sample  available\n")
    }

    @Test(
        "get indexes a lazy shard, unless another process has the store open for writing"
    )
    func getLazy() async throws {
        let scene = try Scene()
        let cid = Sample.raw.cid.description
        _ = try await scene.run("register", try scene.write(Sample.car), "--lazy")
        let holder = try DAGStore.open(at: FilePath(scene.store))
        let refused = try await scene.json("get", cid, "--shard", "sample")
        #expect(refused.status == 6)
        #expect(refused.error["code"] == "catalogLocked")
        let message = refused.error["message"]?.text ?? ""
        #expect(
            message.contains("process \(ProcessInfo.processInfo.processIdentifier)"),
            "\(message)"
        )
        await holder.close()
        #expect(try await scene.run("get", cid, "--shard", "sample").text == "hello")
        #expect(try await scene.json("status", "sample").objects.first?["state"] == "available")
    }

    @Test(
        "each verb that reads a shard indexes it first",
        arguments: ["has", "locate", "list", "export"]
    )
    func readingVerbs(verb: String) async throws {
        let scene = try Scene()
        let cid = Sample.raw.cid.description
        _ = try await scene.run("register", try scene.write(Sample.car), "--lazy")
        let arguments =
            switch verb {
            case "has", "locate": [verb, cid, "--shard", "sample"]
            case "list": ["index", "list", "sample"]
            default:
                ["index", "export", "sample", "--output", scene.folder.path(of: "exported.idx")]
            }
        #expect(try await scene.run(arguments).status == 0)
        #expect(try await scene.json("status", "sample").objects.first?["state"] == "available")
    }

    @Test("status explains a shard with a given index, and its first use reads its CAR")
    func givenIndex() async throws {
        let scene = try Scene()
        let path = try scene.write(Sample.car)
        let index = scene.folder.path(of: "sample.idx")
        try await Self.writeIndex(of: path, to: index)
        let registered = try await scene.json("register", path, "--existing-index", index)
        #expect(registered.status == 0)
        let status = try await scene.json("status", "sample").objects.first
        #expect(status?["state"] == "registered")
        #expect(status?["explanation"]?.text?.contains("its index came with it") == true)
        #expect(try await scene.run("find", Sample.raw.cid.description).text == "sample\n")
        let check = try await scene.json("check")
        #expect(check.status == 0)
        #expect(check.objects.last?["unread"]?.integer == 1)
        #expect(try await scene.run("get", Sample.raw.cid.description).text == "hello")
        #expect(try await scene.json("status", "sample").objects.first?["state"] == "available")
    }

    @Test(
        "check --repair and initialize-all finish shards that came with an index",
        arguments: [true, false]
    )
    func finished(repairs: Bool) async throws {
        let scene = try Scene()
        let path = try scene.write(Sample.car)
        let index = scene.folder.path(of: "sample.idx")
        try await Self.writeIndex(of: path, to: index)
        _ = try await scene.run("register", path, "--existing-index", index)
        #expect(
            try await scene.run(repairs ? ["check", "--repair"] : ["initialize-all"]).status == 0
        )
        #expect(try await scene.json("status", "sample").objects.first?["state"] == "available")
        #expect(try await scene.json("check").objects.last?["unread"]?.integer == 0)
    }

    @Test("a block with one damaged section is read from a later section or another shard")
    func verifiedElsewhere() async throws {
        let scene = try Scene()
        let cid = Sample.raw.cid.description
        // The sample has this block twice.
        let damaged = try scene.folder.write(Sample.withWrongData(in: 0), to: "damaged.car")
        _ = try await scene.run("register", damaged)
        #expect(try await scene.run("get", cid).text != "hello")
        #expect(try await scene.run("get", cid, "--verify").text == "hello")
        let once = CARBuilder(roots: [], blocks: [Sample.versionZero])
        let zero = Sample.versionZero.cid.description
        let wrong = try scene.folder.write(Sample.withWrongData(in: 1), to: "wrong.car")
        _ = try await scene.run("destroy", "damaged")
        _ = try await scene.run("register", wrong)
        #expect(try await scene.run("get", zero, "--verify").status == 5)
        _ = try await scene.run("register", try scene.write(once, to: "once.car"))
        #expect(try await scene.run("get", zero, "--verify").text == "world!")
    }

    @Test("check --repair takes the limits of the registration and keeps the shard")
    func limits() async throws {
        let scene = try Scene()
        let large = CARBuilder.Block.raw([UInt8](repeating: 7, count: 9 << 20))
        let path = try scene.write(CARBuilder(roots: [], blocks: [large]))
        #expect(try await scene.run("register", path).status == 5)
        let verified = try await Command.run(["car", "verify", path], in: "/")
        #expect(verified.status == 5)
        let larger = ["car", "verify", path, "--max-section", "16MiB"]
        #expect(try await Command.run(larger, in: "/").status == 0)
        _ = try await scene.run("destroy", "sample")
        #expect(try await scene.run("register", path, "--max-section", "16MiB").status == 0)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1_000_000)],
            ofItemAtPath: path
        )
        #expect(try await scene.run("check", "--deep", "--repair").status == 0)
        #expect(try await scene.run("get", large.cid.description).out.count == 9 << 20)
        #expect(
            try await scene.run("register", path, "--key", "b", "--max-section", "0").status == 2
        )
    }
}
