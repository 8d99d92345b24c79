import DAGBytes
import DAGCAR
import DAGMultiformats
import Foundation
import TestSupport
import Testing

@Suite("export")
struct ExportTests {
    static let leaves = (0..<40).map { [UInt8](repeating: UInt8($0), count: 100 + $0) }
    static let file = DAGBlocks.balancedFile(leaves: leaves, width: 7)
    static let folder = DAGBlocks.directory([("copy", file[0].cid), ("file", file[0].cid)])

    /// The blocks of a DAG in two shards.
    private func scene(without missing: CID? = nil) async throws -> Scene {
        let scene = try Scene()
        let all = ([Self.folder] + Self.file).filter { $0.cid != missing }
        for part in 0..<2 {
            let blocks = all.indices.filter { $0 % 2 == part }.map { all[$0] }
            let path = try scene.write(CARBuilder(blocks: blocks), to: "\(part).car")
            #expect(try await scene.run("register", path).status == 0)
        }
        return scene
    }

    private func car(_ root: CID, _ blocks: [CARBuilder.Block]) -> CARBuilder {
        CARBuilder(roots: [root], blocks: blocks)
    }

    @Test("the CAR of a DAG has its blocks depth first, in a file or in a pipe")
    func whole() async throws {
        let scene = try await scene()
        let root = Self.folder.cid
        let expected = car(root, [Self.folder] + Self.file)
        let piped = try await scene.run("export", "\(root)")
        #expect(piped.status == 0)
        #expect(piped.out == expected.bytes)
        let path = scene.folder.path(of: "out.car")
        let outcome = try await scene.json("export", "/ipfs/\(root)", "-o", path)
        #expect(
            outcome.text
                == "{\"blocks\":\(expected.blocks.count),\"bytes\":\(expected.bytes.count)}\n"
        )
        #expect(try scene.folder.url.appending(path: "out.car").bytes() == expected.bytes)
        let text = try await scene.run("export", "\(root)", "-o", path)
        #expect(text.text.contains("blocks  \(expected.blocks.count)"))
    }

    @Test("paths, scopes, ranges and duplicates")
    func parts() async throws {
        let scene = try await scene()
        let root = Self.folder.cid
        let file = Self.file
        let twice = [Self.folder] + file + file
        for (arguments, blocks) in [
            (["--dups"], twice), (["--scope", "entity"], [Self.folder]),
            (["--scope", "block"], [Self.folder]),
        ] {
            let outcome = try await scene.run(["export", "\(root)"] + arguments)
            #expect(outcome.out == car(root, blocks).bytes, "\(arguments)")
        }
        let byPath = try await scene.run("export", "ipfs://\(root)/file", "--scope", "entity")
        #expect(byPath.out == car(root, [Self.folder] + file).bytes)
        let first = try await scene.run("export", "\(root)/copy/", "--bytes", "0:99")
        #expect(first.out == car(root, [Self.folder, file[0], file[1], file[2]]).bytes)
    }

    @Test("a CAR of version 2 has an index, and verifies")
    func versionTwo() async throws {
        let scene = try await scene()
        let root = Self.folder.cid
        let path = scene.folder.path(of: "out.car")
        let outcome = try await scene.json("export", "\(root)", "-o", path, "--version", "2")
        let expected = car(root, [Self.folder] + Self.file)
            .encoded(version: 2, indexCodec: CARIndex.multihashSorted)
        #expect(outcome.objects.first?["bytes"]?.integer == UInt64(expected.count))
        #expect(try scene.folder.url.appending(path: "out.car").bytes() == expected)
        #expect(try await Command.run(["car", "verify", "--complete", path]).status == 0)
    }

    @Test("a missing block or path is an error, and leaves an old file as it was")
    func missing() async throws {
        let missing = Self.file[9].cid
        let scene = try await scene(without: missing)
        let old = try scene.folder.write([1, 2, 3], to: "out.car")
        let outcome = try await scene.json("export", "\(Self.folder.cid)", "-o", old)
        #expect(outcome.status == 3)
        #expect(outcome.error["code"] == "blockNotFound")
        #expect(outcome.error["message"]?.text?.contains("\(missing)") == true)
        #expect(try scene.folder.url.appending(path: "out.car").bytes() == [1, 2, 3])
        for (path, status, code) in [
            ("\(Self.folder.cid)/none", 3, "pathNotFound"),
            ("\(Sample.absent)", 3, "blockNotFound"), ("x", 2, "invalidCID"),
            ("\(Self.folder.cid)/..", 2, "invalidArgument"), ("/ipns/x", 2, "invalidCID"),
        ] {
            let outcome = try await scene.json("export", path)
            #expect(outcome.status == Int32(status), "\(path)")
            #expect(outcome.error["code"]?.text == code, "\(path)")
            #expect(outcome.out.isEmpty, "\(path)")
        }
    }

    @Test("wrong bytes are refused, unless another shard has the right ones")
    func wrongBytes() async throws {
        let scene = try Scene()
        for index in [0, 5] {
            var blocks = Self.file
            blocks[index].data[blocks[index].data.count - 1] ^= 1
            let path = try scene.write(CARBuilder(blocks: blocks), to: "bad-\(index).car")
            #expect(try await scene.run("register", path).status == 0)
        }
        // Each shard has the right bytes of the other's wrong block.
        let root = Self.file[0].cid
        let sound = try await scene.run("export", "\(root)")
        #expect(sound.out == car(root, Self.file).bytes)
        #expect(try await scene.run("destroy", "bad-0").status == 0)
        let bad = try await scene.json("export", "\(root)", "-o", scene.folder.path(of: "out.car"))
        #expect(bad.status == 5)
        #expect(bad.error["code"] == "hashMismatch")
    }
}

@Suite("car verify --complete")
struct CompleteCARTests {
    private func verified(
        _ car: CARBuilder,
        _ format: String = "json"
    ) async throws -> Outcome {
        let folder = try TemporaryFolder()
        let path = try folder.write(car.bytes, to: "sample.car")
        return try await Command.run(["car", "verify", "--complete", path, "--format", format])
    }

    @Test("a CAR that was cut between two sections is not complete")
    func cut() async throws {
        let file = ExportTests.file
        let root = file[0].cid
        let whole = try await verified(CARBuilder(roots: [root], blocks: file))
        #expect(whole.status == 0)
        #expect(whole.objects.first?["complete"] == true)
        #expect(whole.objects.first?["reached"]?.integer == UInt64(file.count))
        let cut = try await verified(CARBuilder(roots: [root], blocks: file.dropLast(3)))
        #expect(cut.status == 5)
        #expect(cut.error["code"] == "truncated")
        let found = try #require(cut.objects.first)
        #expect(found["ok"] == false)
        #expect(found["complete"] == false)
        #expect(found["missingCount"] == 3)
        #expect(cut.text.contains("\"missing\":[\"\(file[file.count - 3].cid)\""))
        let text = try await verified(CARBuilder(roots: [root], blocks: file.dropLast(3)), "text")
        #expect(text.text.contains("MISSING"))
    }

    @Test("only what is below the roots counts, and multihashes count, not CIDs")
    func reach() async throws {
        let leaf = CARBuilder.Block.raw([1])
        let asVersionZero = CARBuilder.Block(
            cid: CID(codec: 0x90, multihash: leaf.cid.multihash),
            data: leaf.data
        )
        let inline = CARBuilder.Block.identity([7])
        let root = DAGBlocks.directory([("a", leaf.cid), ("b", inline.cid)])
        let stray = DAGBlocks.directory([("a", Sample.absent)])
        let car = CARBuilder(roots: [root.cid], blocks: [root, asVersionZero, stray])
        let found = try await verified(car)
        #expect(found.status == 0)
        #expect(found.objects.first?["reached"] == 2)
        let noRoots = try await verified(CARBuilder(blocks: [stray]))
        #expect(noRoots.objects.first?["complete"] == true)
        let missingRoot = try await verified(CARBuilder(roots: [Sample.absent], blocks: [leaf]))
        #expect(missingRoot.status == 5)
        #expect(missingRoot.objects.first?["missingCount"] == 1)
    }

    @Test("a block of an unknown codec is counted, and a malformed one is an error")
    func undecoded() async throws {
        let unknown = CARBuilder.Block.hashed([1], codec: 0x90, hashCode: HashCode.sha2_256)
        let root = DAGBlocks.directory([("a", unknown.cid)])
        let found = try await verified(CARBuilder(roots: [root.cid], blocks: [root, unknown]))
        #expect(found.status == 0)
        #expect(found.objects.first?["undecoded"] == 1)
        let bad = CARBuilder.Block.hashed([0xff], codec: Codec.dagPB, hashCode: HashCode.sha2_256)
        let outcome = try await verified(CARBuilder(roots: [bad.cid], blocks: [bad]))
        #expect(outcome.status == 5)
        #expect(outcome.error["code"] == "malformedBlock")
        #expect(outcome.objects.first?["complete"] == false)
    }
}
