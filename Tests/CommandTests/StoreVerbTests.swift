import DAGMultiformats
import Foundation
import TestSupport
import Testing

@Suite("list")
struct ListTests {
    @Test("prints every shard in order of registration")
    func shards() async throws {
        let scene = try Scene()
        let path = try scene.write(Sample.car)
        _ = try await scene.run("register", path, "--key", "b")
        _ = try await scene.run("register", scene.folder.path(of: "none"), "--key", "a")
        let outcome = try await scene.json("list")
        let size = Sample.car.bytes.count
        let none = scene.folder.path(of: "none")
        #expect(
            outcome.lines == [
                #"{"key":"b","state":"available","mount":"file://\#(path)","lazy":false,"#
                    + #""blocks":4,"bytes":\#(size),"error":null}"#,
                #"{"key":"a","state":"failed","mount":"file://\#(none)","lazy":false,"#
                    + #""blocks":0,"bytes":0,"error":"mountGone"}"#,
            ]
        )
        let text = try await scene.run("list")
        #expect(
            text.lines == [
                "b         4  \(size) B  available           file://\(path)",
                "a         0    0 B  failed (mountGone)  file://\(none)",
            ]
        )
    }

    @Test("a store without shards prints nothing")
    func empty() async throws {
        let scene = try Scene()
        _ = try await scene.run("register", "none.car")
        _ = try await scene.run("destroy", "none")
        let outcome = try await scene.json("list")
        #expect(outcome.out.isEmpty)
        #expect(outcome.status == 0)
    }

    @Test(
        "a verb that reads makes no store",
        arguments: [["list"], ["stats"], ["status", "k"], ["destroy", "k"]]
    )
    func missing(verb: [String]) async throws {
        let scene = try Scene()
        let outcome = try await Command.run(verb + ["--store", scene.store, "--format", "json"])
        #expect(outcome.status == 2)
        #expect(outcome.error["code"] == "invalidArgument")
        #expect(!FileManager.default.fileExists(atPath: scene.store))
    }

    @Test("the store is at $DAGSTORE_PATH, or in the working directory")
    func defaultStore() async throws {
        let scene = try Scene()
        let path = try scene.write(Sample.car)
        let folder = scene.folder.url.path
        _ = try await Command.run(["register", path], in: folder)
        let named = ["DAGSTORE_PATH": folder + "/dagstore-data"]
        #expect(try await Command.run(["list"], environment: named).lines.count == 1)
        #expect(try await Command.run(["list"], in: folder).lines.count == 1)
    }
}

@Suite("status")
struct StatusTests {
    @Test("shows an available shard in detail")
    func available() async throws {
        let scene = try Scene()
        let path = try scene.write(Sample.car)
        _ = try await scene.run("register", path)
        let outcome = try await scene.json("status", "sample")
        let size = Sample.car.bytes.count
        let found = try #require(outcome.objects.first)
        let index = try #require(found["indexBytes"]?.integer)
        #expect(index > 0)
        let since = try #require(found["since"]?.text)
        #expect(since.wholeMatch(of: /20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ/) != nil)
        #expect(
            outcome.lines == [
                #"{"key":"sample","state":"available","mount":"file://\#(path)","lazy":false,"#
                    + #""blocks":4,"bytes":\#(size),"error":null,"references":0,"#
                    + #""indexBytes":\#(index),"transient":null,"errorMessage":null,"#
                    + #""roots":["\#(Sample.raw.cid)"],"since":"\#(since)","explanation":null,"#
                    + #""policy":"automatic","remoteRequests":0,"remoteBytes":0}"#
            ]
        )
        let text = try await scene.run("status", "sample")
        #expect(text.lines.first == "key         sample")
        #expect(text.lines.last == "roots       \(Sample.raw.cid)")
        try FileManager.default.removeItem(atPath: path)
        #expect(try await scene.json("status", "sample").objects.first?["roots"] == .null)
    }

    @Test("shows why a shard has failed")
    func failed() async throws {
        let scene = try Scene()
        let cut = try scene.folder.write(Array(Sample.car.bytes.dropLast()), to: "cut.car")
        _ = try await scene.run("register", cut)
        let outcome = try await scene.json("status", "cut")
        let found = try #require(outcome.objects.first)
        #expect(outcome.status == 0)
        #expect(found["state"] == "failed")
        #expect(found["error"] == "truncated")
        #expect(found["errorMessage"]?.text?.hasPrefix("truncated at byte ") == true)
        #expect(found["roots"] == .null)
        let text = try await scene.run("status", "cut")
        #expect(text.lines.contains { $0.hasPrefix("error") && $0.hasSuffix(" (truncated)") })
    }

    @Test(
        "an unknown key exits with 3",
        arguments: [["status"], ["destroy"], ["index", "list"], ["index", "export", "-o", "x"]]
    )
    func unknown(verb: [String]) async throws {
        let scene = try Scene()
        let path = try scene.write(Sample.car)
        _ = try await scene.run("register", path)
        let arguments = verb + ["no\nkey", "--store", scene.store]
        let outcome = try await Command.run(arguments + ["--format", "json"])
        #expect(outcome.status == 3)
        #expect(outcome.out.isEmpty)
        #expect(outcome.error["code"] == "shardUnknown")
        #expect(outcome.error["shard"] == "no\nkey")
        let text = try await Command.run(arguments)
        #expect(text.status == 3)
        let words = verb.prefix { $0 != "-o" }.joined(separator: " ")
        #expect(text.errorText.hasPrefix(#"dagstore \#(words): shard "no\nkey": "#))
        #expect(text.errorText.hasSuffix(" (shardUnknown)\n"))
    }
}

@Suite("destroy")
struct DestroyTests {
    @Test("removes the shard and leaves the file")
    func destroyed() async throws {
        let scene = try Scene()
        let path = try scene.write(Sample.car)
        _ = try await scene.run("register", path)
        let outcome = try await scene.json("destroy", "sample")
        #expect(outcome.lines == [#"{"key":"sample","state":"destroyed","error":null}"#])
        #expect(outcome.status == 0)
        #expect(try await scene.json("list").out.isEmpty)
        #expect(FileManager.default.fileExists(atPath: path))
        _ = try await scene.run("register", path)
        #expect(try await scene.run("destroy", "sample").lines == ["sample  destroyed"])
    }
}

@Suite("stats")
struct StatsTests {
    @Test("prints the counts under the library's names")
    func counts() async throws {
        let scene = try Scene()
        let path = try scene.write(Sample.car)
        _ = try await scene.run("register", path, scene.folder.path(of: "none.car"))
        let outcome = try await scene.json("stats", environment: ["DAGSTORE_MAP_SIZE": "67108864"])
        let size = Sample.car.bytes.count
        #expect(
            outcome.text.hasPrefix(
                #"{"shards":2,"available":1,"failed":1,"blocks":4,"payloadBytes":\#(size),"#
            )
        )
        // A reader has address space for all that the writer may add.
        #expect(outcome.objects.first?["mapSize"] == 1_099_511_627_776)
        guard case .object(let members) = outcome.objects.first else {
            Issue.record("no object")
            return
        }
        #expect(
            Set(members.keys) == [
                "shards", "available", "failed", "blocks", "payloadBytes", "indexBytes",
                "catalogFileBytes", "catalogUsedBytes", "catalogFreeBytes", "mapSize", "leases",
                "openShards",
                "pageCacheHits", "pageCacheMisses", "pageCacheBytes", "inverseEntries",
                "inverseBytes", "inverseRecentEntries", "inverseRuns", "inverseRunEntries",
                "inverseReadAmplification", "inverseWriteAmplification", "remoteRequests",
                "remoteBytes", "remoteSchemes",
            ]
        )
        #expect(members["inverseEntries"] == 3)
        #expect(members["inverseRecentEntries"] == 3)
        let text = try await scene.run("stats")
        #expect(text.lines.first == "shards   2  (1 available, 1 failed)")
    }
}
