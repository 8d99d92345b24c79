import DAGCAR
import DAGMultiformats
import Foundation
import TestSupport
import Testing

/// Two shards with a block in common.
private struct TwoShards {
    let scene: Scene
    let first: String
    let second: String
    static let only = CARBuilder.Block.raw(Array("only here".utf8))

    init() async throws {
        scene = try Scene()
        first = try scene.write(Sample.car, to: "first.car")
        let car = CARBuilder(blocks: [Self.only, Sample.raw])
        second = try scene.folder.write(car.encoded(version: 2), to: "second.car")
        _ = try await scene.run("register", first, second)
    }
}

@Suite("get")
struct GetTests {
    @Test("prints a block for every CID of its multihash", arguments: [[], ["--verify"]])
    func bytes(options: [String]) async throws {
        let shards = try await TwoShards()
        let versionZero = Sample.versionZero.cid
        let versionOne = CID(codec: Codec.raw, multihash: versionZero.multihash)
        let asked = [
            (Sample.raw.cid, Sample.raw.data), (versionZero, Sample.versionZero.data),
            (versionOne, Sample.versionZero.data), (TwoShards.only.cid, TwoShards.only.data),
            (Sample.identity.cid, Sample.identity.data),
        ]
        for (cid, data) in asked {
            let arguments = ["get", cid.description, "--store", shards.scene.store] + options
            let outcome = try await Command.run(arguments)
            #expect(outcome.out == data)
            #expect(outcome.status == 0)
            #expect(outcome.errors.isEmpty)
        }
    }

    @Test("a block in whose place another one stands is never printed")
    func otherBlock() async throws {
        let scene = try Scene()
        let blocks = (0..<10).map { CARBuilder.Block.raw([UInt8](repeating: $0, count: 100)) }
        let path = try scene.write(CARBuilder(blocks: blocks), to: "a.car")
        _ = try await scene.run("register", path)
        var others = blocks
        others[3] = .raw([UInt8](repeating: 99, count: 100))
        _ = try scene.write(CARBuilder(blocks: others), to: "a.car")
        // The quick look at a changed file takes a sample of its sections, another one each time.
        for _ in 0..<8 {
            let outcome = try await scene.run("get", blocks[3].cid.description)
            #expect(outcome.status == 4)
            #expect(outcome.out.isEmpty)
            #expect(outcome.errorText.contains("(sourceChanged)"))
        }
    }

    @Test("reads a CID in any base")
    func bases() async throws {
        let shards = try await TwoShards()
        for base in Multibase.allCases {
            let text = try Sample.raw.cid.text(in: base)
            #expect(try await shards.scene.run("get", text).out == Sample.raw.data)
        }
    }

    @Test("an identity CID needs no store")
    func identity() async throws {
        let outcome = try await Scene().run("get", Sample.identity.cid.description)
        #expect(outcome.out == Sample.identity.data)
    }

    @Test("a block goes to a file as a whole")
    func file() async throws {
        let shards = try await TwoShards()
        let file = try shards.scene.folder.write([1], to: "block")
        let outcome = try await shards.scene.run("get", Sample.raw.cid.description, "-o", file)
        #expect(outcome.status == 0)
        #expect(outcome.out.isEmpty)
        #expect(try URL(filePath: file).bytes() == Sample.raw.data)
        let absent = Sample.absent.description
        #expect(try await shards.scene.run("get", absent, "-o", file).status == 3)
        #expect(try URL(filePath: file).bytes() == Sample.raw.data)
        let names = try shards.scene.folder.url.files().map(\.lastPathComponent)
        #expect(names == ["block", "first.car", "second.car"])
    }

    @Test("--shard looks in that shard only")
    func named() async throws {
        let shards = try await TwoShards()
        let cid = TwoShards.only.cid.description
        #expect(try await shards.scene.run("get", cid, "--shard", "second").status == 0)
        let outcome = try await shards.scene.json("get", cid, "--shard", "first")
        #expect(outcome.status == 3)
        #expect(outcome.error["code"] == "blockNotFound")
        #expect(outcome.error["shard"] == "first")
        let unknown = try await shards.scene.json("get", cid, "--shard", "third")
        #expect(unknown.status == 3)
        #expect(unknown.error["code"] == "shardUnknown")
    }

    @Test("a block that no shard has is not found")
    func absent() async throws {
        let shards = try await TwoShards()
        let outcome = try await shards.scene.json("get", Sample.absent.description)
        #expect(outcome.status == 3)
        #expect(outcome.out.isEmpty)
        #expect(outcome.error["code"] == "blockNotFound")
        #expect(outcome.error["shard"] == nil)
        #expect(outcome.error["message"]?.text?.contains(Sample.absent.description) == true)
    }

    @Test("a shard that cannot be opened is skipped, unless no other shard has the block")
    func gone() async throws {
        let shards = try await TwoShards()
        try FileManager.default.removeItem(atPath: shards.first)
        let common = Sample.raw.cid.description
        #expect(try await shards.scene.run("get", common).out == Sample.raw.data)
        let cid = Sample.versionZero.cid.description
        let outcome = try await shards.scene.json("get", cid)
        #expect(outcome.status == 4)
        #expect(outcome.error["code"] == "mountGone")
        #expect(outcome.error["shard"] == "first")
        // Verbs that read only the index need no file.
        #expect(try await shards.scene.json("has", cid).objects.first?["has"] == true)
        #expect(try await shards.scene.json("locate", cid).objects.first?["key"] == "first")
        #expect(try await shards.scene.run("find", cid).lines == ["first"])
    }

    @Test("find prints the shards that have a block, in order of registration")
    func find() async throws {
        let shards = try await TwoShards()
        let common = Sample.raw.cid.description
        #expect(try await shards.scene.run("find", common).lines == ["first", "second"])
        let objects = try await shards.scene.json("find", common).objects
        #expect(objects.map { $0["key"] } == ["first", "second"])
        let outcome = try await shards.scene.json("find", Sample.absent.description)
        #expect(outcome.status == 3)
        #expect(outcome.error["code"] == "blockNotFound")
        #expect(try await shards.scene.json("find", "x").error["code"] == "invalidCID")
    }

    @Test("a changed file is reported as a changed source")
    func changed() async throws {
        let shards = try await TwoShards()
        _ = try shards.scene.folder.write(Sample.car.bytes + [0], to: "first.car")
        let cid = Sample.versionZero.cid.description
        let outcome = try await shards.scene.json("get", cid, "--shard", "first")
        #expect(outcome.status == 4)
        #expect(outcome.error["code"] == "sourceChanged")
    }

    @Test("a failed shard reports its stored error")
    func failed() async throws {
        let shards = try await TwoShards()
        _ = try shards.scene.folder.write([9, 9], to: "bad.car")
        _ = try await shards.scene.run("register", "bad.car")
        let cid = Sample.raw.cid.description
        let outcome = try await shards.scene.json("get", cid, "--shard", "bad")
        #expect(outcome.status == 5)
        #expect(outcome.error["shard"] == "bad")
        #expect(try await shards.scene.run("get", cid).status == 0)
    }

    @Test("--verify prints no bytes that do not match the CID")
    func mismatch() async throws {
        let scene = try Scene()
        _ = try scene.folder.write(Sample.withWrongData(in: 1), to: "wrong.car")
        _ = try await scene.run("register", "wrong.car")
        let cid = Sample.versionZero.cid.description
        #expect(try await scene.run("get", cid).status == 0)
        let outcome = try await scene.json("get", cid, "--verify")
        #expect(outcome.status == 5)
        #expect(outcome.out.isEmpty)
        #expect(outcome.error["code"] == "hashMismatch")
        #expect(outcome.error["shard"] == "wrong")
    }

    @Test("a block with an unknown hash function cannot be verified")
    func unsupported() async throws {
        let scene = try Scene()
        let multihash = Multihash(code: 0xb401, digest: Array(repeating: 7, count: 32))
        let block = CARBuilder.Block(cid: CID(codec: Codec.raw, multihash: multihash), data: [1])
        _ = try await scene.run("register", try scene.write(CARBuilder(blocks: [block])))
        let outcome = try await scene.json("get", block.cid.description, "--verify")
        #expect(outcome.status == 2)
        #expect(outcome.error["code"] == "unsupportedHash")
        #expect(try await scene.run("get", block.cid.description).out == [1])
    }

    @Test("a digest of under 20 bytes proves nothing, and is not verified")
    func shortDigest() async throws {
        let scene = try Scene()
        let blocks = [4, 20].map {
            let code = HashCode.sha2_256
            return CARBuilder.Block.hashed([1], codec: Codec.raw, hashCode: code, digestSize: $0)
        }
        _ = try await scene.run("register", try scene.write(CARBuilder(blocks: blocks)))
        let short = try await scene.json("get", blocks[0].cid.description, "--verify")
        #expect(short.status == 2)
        #expect(short.out.isEmpty)
        #expect(short.error["code"] == "unsupportedHash")
        let message = try #require(short.error["message"]?.text)
        #expect(message.contains("a digest of 4 bytes proves nothing"))
        #expect(try await scene.run("get", blocks[1].cid.description, "--verify").out == [1])
    }

    @Test("a block is named by its CID in any base, a path to it, or its multihash")
    func names() async throws {
        let scene = try Scene()
        _ = try await scene.run("register", try scene.write(Sample.car))
        let cid = Sample.raw.cid
        let hexadecimal = cid.multihash.hexadecimal
        var names = ["/ipfs/\(cid)", "ipfs://\(cid)", "ipfs://\(cid)/", hexadecimal]
        names += ["0x" + hexadecimal, hexadecimal.uppercased()]
        for base in Multibase.allCases { names.append(try cid.text(in: base)) }
        for name in names {
            #expect(try await scene.run("get", name).out == Sample.raw.data, "\(name)")
        }
        for verb in ["find", "locate", "has"] {
            #expect(try await scene.run(verb, "/ipfs/\(cid)").status == 0)
            #expect(try await scene.run(verb, hexadecimal).status == 0)
        }
        for name in ["/ipfs/\(cid)/a", "ipfs://\(cid)?x", "/ipns/\(cid)", hexadecimal + "00"] {
            let outcome = try await scene.json("get", name)
            #expect(outcome.status == 2, "\(name)")
            #expect(outcome.error["code"] == "invalidCID")
        }
        let path = try await scene.json("find", "/ipfs/\(cid)/a")
        #expect(path.error["message"]?.text?.contains("a path below a CID") == true)
    }

    @Test("find names the shards that have an identity CID as a root")
    func identityRoots() async throws {
        let scene = try Scene()
        let root = CARBuilder.Block.identity(Array("root".utf8))
        let rooted = CARBuilder(roots: [Sample.raw.cid, root.cid], blocks: [Sample.raw])
        let both = CARBuilder(roots: [root.cid], blocks: [root])
        let paths = [
            try scene.write(Sample.car, to: "none.car"), try scene.write(rooted, to: "rooted.car"),
            try scene.write(both, to: "both.car"),
        ]
        for path in paths { _ = try await scene.run("register", path) }
        let found = try await scene.json("find", root.cid.description)
        #expect(found.status == 0)
        #expect(found.objects.map { $0["key"] } == ["both", "rooted"])
        let absent = CARBuilder.Block.identity([1, 2, 3]).cid.description
        let outcome = try await scene.json("find", absent)
        #expect(outcome.status == 3)
        #expect(outcome.error["message"]?.text?.contains("its block is in the CID") == true)
    }

    @Test(
        "text that is not a CID is rejected",
        arguments: ["get", "has", "locate"],
        ["", "hello", "bafk", "/ipfs/x"]
    )
    func notACID(verb: String, text: String) async throws {
        let outcome = try await Scene().json(verb, text)
        #expect(outcome.status == 2)
        #expect(outcome.error["code"] == "invalidCID")
    }
}

@Suite("has")
struct HasTests {
    @Test("prints yes or no, and exits with 0 either way")
    func answers() async throws {
        let shards = try await TwoShards()
        let here = Sample.raw.cid.description
        let absent = Sample.absent.description
        #expect(try await shards.scene.json("has", here).lines == [#"{"has":true}"#])
        #expect(try await shards.scene.json("has", absent).lines == [#"{"has":false}"#])
        #expect(try await shards.scene.run("has", here).lines == ["yes"])
        let no = try await shards.scene.run("has", absent)
        #expect(no.lines == ["no"])
        #expect(no.status == 0)
        let other = Sample.versionZero.cid.description
        let named = try await shards.scene.json("has", other, "--shard", "second")
        #expect(named.lines == [#"{"has":false}"#])
        let identity = Sample.identity.cid.description
        #expect(try await shards.scene.json("has", identity).lines == [#"{"has":true}"#])
        let unknown = try await shards.scene.json("has", here, "--shard", "third")
        #expect(unknown.status == 3)
    }
}

@Suite("locate")
struct LocateTests {
    @Test("prints a line for each shard, with offsets of payload and file")
    func everywhere() async throws {
        let shards = try await TwoShards()
        let outcome = try await shards.scene.json("locate", Sample.raw.cid.description)
        let first = Sample.car.sections[0]
        let second = CARBuilder(blocks: [TwoShards.only, Sample.raw]).sections[1]
        #expect(
            outcome.lines == [
                #"{"key":"first","offset":\#(first.offset),"blockOffset":\#(first.dataOffset),"#
                    + #""size":5}"#,
                #"{"key":"second","offset":\#(second.offset),"#
                    + #""blockOffset":\#(second.dataOffset + 51),"size":5}"#,
            ]
        )
        let text = try await shards.scene.run("locate", Sample.raw.cid.description)
        #expect(text.lines.map { $0.split(separator: " ").last } == ["first", "second"])
    }

    @Test("an identity CID is located where it has a section, and nowhere else")
    func identity() async throws {
        let shards = try await TwoShards()
        let outcome = try await shards.scene.json("locate", Sample.identity.cid.description)
        #expect(outcome.objects.map { $0["key"] } == ["first"])
        let absent = CARBuilder.Block.identity(Array("elsewhere".utf8)).cid.description
        #expect(try await shards.scene.json("locate", absent).status == 3)
    }

    @Test("a block that no shard has is not found", arguments: [[], ["--shard", "first"]])
    func absent(options: [String]) async throws {
        let shards = try await TwoShards()
        let outcome = try await Command.run(
            ["locate", Sample.absent.description, "--store", shards.scene.store] + options
                + ["--format", "json"]
        )
        #expect(outcome.status == 3)
        #expect(outcome.error["code"] == "blockNotFound")
    }
}
