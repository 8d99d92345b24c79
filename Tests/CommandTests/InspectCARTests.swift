import DAGCAR
import DAGMultiformats
import TestSupport
import Testing

@Suite("car inspect")
struct InspectCARTests {
    private func inspected(_ bytes: [UInt8]) async throws -> Outcome {
        let folder = try TemporaryFolder()
        let path = try folder.write(bytes, to: "sample.car")
        return try await Command.run(["car", "inspect", path, "--format", "json"])
    }

    @Test("prints all counts in the order of CLI.md")
    func versionOne() async throws {
        let size = Sample.car.bytes.count
        let expected =
            #"{"version":1,"roots":["\#(Sample.raw.cid)"],"sections":4,"dataOffset":0,"#
            + #""dataSize":\#(size),"indexOffset":0,"indexCodec":null,"fullyIndexed":false,"#
            + #""identitySections":1,"duplicateSections":1,"minBlock":2,"maxBlock":6,"#
            + #""codecs":{"dag-pb":1,"raw":3},"hashes":{"identity":1,"sha2-256":3},"#
            + #""nullPadding":0,"missingRoots":[]}"#
        let outcome = try await inspected(Sample.car.bytes)
        #expect(outcome.lines == [expected])
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty)
    }

    @Test("finds an embedded index", arguments: [0x0400, 0x0401] as [UInt64])
    func versionTwo(codec: UInt64) async throws {
        let bytes = Sample.car.encoded(version: 2, indexCodec: codec, storesIdentity: true)
        let size = Sample.car.bytes.count
        let found = try #require(try await inspected(bytes).objects.first)
        #expect(found["version"] == 2)
        #expect(found["dataOffset"] == 51)
        #expect(found["dataSize"]?.integer == UInt64(size))
        #expect(found["indexOffset"]?.integer == UInt64(51 + size))
        #expect(found["indexCodec"]?.text == "0x0" + String(codec, radix: 16))
        #expect(found["fullyIndexed"] == true)
    }

    @Test("an index after the file's end does not make the file malformed")
    func unreadableIndex() async throws {
        var bytes = Sample.car.encoded(version: 2, indexCodec: 0x0401)
        bytes[50] = 0x7f
        let outcome = try await inspected(bytes)
        #expect(outcome.status == 0)
        #expect(outcome.objects.first?["indexCodec"] == .null)
    }

    @Test("a root without a section is reported, unless it is an identity CID")
    func missingRoots() async throws {
        let other = CARBuilder.Block.raw([9, 9]).cid
        let identity = CARBuilder.Block.identity([1]).cid
        // A section under another codec has the multihash, and the store finds blocks by multihash.
        let renamed = CID(codec: Codec.dagCBOR, multihash: Sample.raw.cid.multihash)
        let car = CARBuilder(
            roots: [other, renamed, identity, Sample.versionZero.cid],
            blocks: Sample.car.blocks
        )
        let outcome = try await inspected(car.bytes)
        #expect(outcome.status == 0)
        #expect(outcome.objects.first?["missingRoots"] == .array([.string(other.description)]))
        let folder = try TemporaryFolder()
        let path = try folder.write(car.bytes, to: "sample.car")
        let verified = try await Command.run(["car", "verify", path, "--format", "json"])
        #expect(verified.status == 0)
        #expect(verified.objects.first?["missingRoots"] == .array([.string(other.description)]))
        let text = try await Command.run(["car", "verify", path]).text
        #expect(text.contains("no section has the root \(other)"))
    }

    @Test("bytes after the first zero length are padding, whatever they are")
    func padding() async throws {
        let outcome = try await inspected(Sample.car.bytes + [0, 7, 0, 9])
        #expect(outcome.objects.first?["nullPadding"] == 4)
        #expect(outcome.objects.first?["sections"] == 4)
    }

    @Test("a CAR without sections has no smallest block")
    func empty() async throws {
        let found = try #require(try await inspected(CARBuilder().bytes).objects.first)
        #expect(found["roots"] == [])
        #expect(found["minBlock"] == 0)
        #expect(found["maxBlock"] == 0)
        #expect(found["codecs"] == [:])
    }

    @Test("a truncated section is rejected with its offset, without output")
    func truncated() async throws {
        let outcome = try await inspected(Array(Sample.car.bytes.dropLast()))
        #expect(outcome.status == 5)
        #expect(outcome.out.isEmpty)
        #expect(outcome.error["code"] == "truncated")
        #expect(outcome.error["offset"]?.integer == Sample.car.sections[3].offset)
    }

    @Test("an empty file is rejected")
    func emptyFile() async throws {
        let outcome = try await inspected([])
        #expect(outcome.status == 5)
        #expect(outcome.error["code"] == "truncated")
        #expect(outcome.error["offset"] == 0)
    }

    @Test("text output has sizes with units, and names")
    func text() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Sample.car.bytes, to: "sample.car")
        let outcome = try await Command.run(["car", "inspect", path])
        #expect(
            outcome.lines == [
                "file      \(path)",
                "version   CARv1",
                "roots     \(Sample.raw.cid)",
                "sections  4  (1 identity, 1 repeated)",
                "blocks    2 B to 6 B",
                "codecs    dag-pb  1",
                "          raw     3",
                "hashes    identity  1",
                "          sha2-256  3",
                "payload   \(Sample.car.bytes.count) B, from byte 0",
                "index     none",
            ]
        )
    }
}
