import DAGMounts
import DAGMultiformats
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("relocate")
struct RelocateTests {
    @Test("a moved CAR is read at its new place, with the same index")
    func one() async throws {
        let scene = try Scene()
        let old = try scene.write(Sample.car)
        _ = try await scene.run("register", old)
        let new = scene.folder.path(of: "moved.car")
        try FileManager.default.moveItem(atPath: old, toPath: new)
        #expect(try await scene.run("get", Sample.raw.cid.description).status == 4)
        let moved = try await scene.json("relocate", "sample", "moved.car")
        let url = FileMount(FilePath(new)).url.text
        #expect(
            moved.lines == [
                #"{"key":"sample","state":"available","error":null,"mount":"\#(url)","problem":null}"#
            ]
        )
        #expect(try await scene.run("get", Sample.raw.cid.description).text == "hello")
        let status = try await scene.json("status", "sample").objects.first
        #expect(status?["mount"]?.text == url)
        #expect(try await scene.run("check", "--deep").status == 0)
    }

    @Test("another CAR is rejected, and the shard keeps its mount")
    func other() async throws {
        let scene = try Scene()
        _ = try await scene.run("register", try scene.write(Sample.car))
        let longer = try scene.folder.write(Sample.car.bytes + [0], to: "longer.car")
        #expect(try await scene.run("relocate", "sample", longer).status == 4)
        var bytes = Sample.car.bytes
        let digest = Array(Sample.versionZero.cid.bytes.suffix(8))
        bytes[try #require(bytes.firstRange(of: digest)).lowerBound] ^= 1
        let otherPath = try scene.folder.write(bytes, to: "other.car")
        let refused = try await scene.json("relocate", "sample", otherPath)
        #expect(refused.status == 4)
        #expect(refused.objects.first?["error"] == "sourceChanged")
        #expect(refused.objects.first?["problem"] == "sourceChanged")
        let nowhere = try await scene.run("relocate", "sample", "nowhere.car")
        #expect(nowhere.status == 4)
        #expect(nowhere.errorText.contains("the shard keeps its old mount (mountGone)"))
        #expect(try await scene.run("get", Sample.raw.cid.description).text == "hello")
        #expect(try await scene.run("relocate", "nobody", "sample.car").status == 3)
        #expect(try await scene.run("relocate", "sample").status == 2)
        #expect(try await scene.run("relocate", "sample", "x.car", "--map", "a=b").status == 2)
        #expect(try await scene.run("relocate", "--map", "a").status == 2)
    }

    @Test("all shards below a folder are moved, and no others")
    func map() async throws {
        let scene = try Scene()
        for name in ["old/a", "old/b", "older/c"] {
            let folder = scene.folder.path(of: String(name.split(separator: "/")[0]))
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true
            )
            let path = try scene.folder.write(Sample.car.bytes, to: name + ".car")
            _ = try await scene.run("register", path)
        }
        try FileManager.default.moveItem(
            atPath: scene.folder.path(of: "old"),
            toPath: scene.folder.path(of: "new")
        )
        let moved = try await scene.json("relocate", "--map", "old=new")
        #expect(moved.status == 0)
        #expect(moved.objects.map { $0["key"]?.text } == ["a", "b"])
        for key in ["a", "b", "c"] {
            let got = try await scene.run("get", Sample.raw.cid.description, "--shard", key)
            #expect(got.text == "hello", "\(key)")
        }
        // Nothing is below the old folder any more.
        #expect(try await scene.run("relocate", "--map", "old/=new/").status == 3)
        // The root path ends with a slash; the rest of a URL is appended as usual.
        let root = try await scene.json("relocate", "--map", "/=/nowhere")
        #expect(root.status == 4)
        #expect(root.error["message"]?.text?.contains("/nowhere/") != false)
    }

    @Test("a shard that failed without its CAR recovers at the new place")
    func failed() async throws {
        let scene = try Scene()
        let old = try scene.write(Sample.car)
        _ = try await scene.run("register", old)
        // Replaces the indexed file, so that the shard fails for good.
        try FileManager.default.moveItem(
            atPath: old,
            toPath: scene.folder.path(of: "kept.car")
        )
        _ = try scene.folder.write([1, 2, 3], to: "sample.car")
        _ = try await scene.run("check", "--repair")
        #expect(try await scene.json("status", "sample").objects.first?["state"] == "failed")
        #expect(try await scene.run("relocate", "sample", "kept.car").status == 0)
        #expect(try await scene.run("get", Sample.raw.cid.description).text == "hello")
    }
}
