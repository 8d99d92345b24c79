import DAGCAR
import DAGMultiformats
import TestSupport
import Testing

@Suite("car verify")
struct VerifyCARTests {
    // A pipe that ended early made a success of every failure.
    @Test("a failure has its exit status, also if nobody reads the report")
    func unread() async throws {
        let scene = try Scene()
        let path = try scene.folder.write(Array(Sample.car.bytes.dropLast()), to: "cut.car")
        let line = "(\(Command.path) car verify \(path) --format json; echo $? >&2) | true"
        let outcome = try await Command.shell(line)
        #expect(outcome.errorText.split(separator: "\n").last == "5")
    }

    private func verified(_ bytes: [UInt8], _ format: String = "json") async throws -> Outcome {
        let folder = try TemporaryFolder()
        let path = try folder.write(bytes, to: "sample.car")
        return try await Command.run(["car", "verify", path, "--format", format])
    }

    @Test("a sound CAR passes, with any index", arguments: [nil, 0x0400, 0x0401] as [UInt64?])
    func sound(codec: UInt64?) async throws {
        let bytes = Sample.car.encoded(version: codec == nil ? 1 : 2, indexCodec: codec)
        let outcome = try await verified(bytes)
        let found = try #require(outcome.objects.first)
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty)
        #expect(outcome.text.hasPrefix(#"{"ok":true,"sections":4,"bytes":"#))
        #expect(found["bytes"]?.integer == UInt64(Sample.car.bytes.count))
        #expect(found["unverified"] == 0)
        #expect(found["mismatches"] == 0)
        guard case .number(let seconds) = found["seconds"] else {
            Issue.record("no seconds")
            return
        }
        #expect(seconds >= 0)
    }

    @Test("a wrong bit is reported with its offset and CID")
    func mismatch() async throws {
        let outcome = try await verified(Sample.withWrongData(in: 1))
        let found = try #require(outcome.objects.first)
        #expect(outcome.status == 5)
        #expect(found["ok"] == false)
        #expect(found["mismatches"] == 1)
        #expect(outcome.error["code"] == "hashMismatch")
        #expect(outcome.error["offset"]?.integer == Sample.car.sections[1].offset)
        let cid = Sample.versionZero.cid.description
        #expect(outcome.error["message"]?.text?.contains(cid) == true)
    }

    @Test("an unknown hash function is no failure")
    func unverified() async throws {
        let multihash = Multihash(code: 0xb401, digest: Array(repeating: 7, count: 32))
        let block = CARBuilder.Block(cid: CID(codec: Codec.raw, multihash: multihash), data: [1])
        let outcome = try await verified(CARBuilder(blocks: [block, Sample.raw]).bytes)
        #expect(outcome.status == 0)
        #expect(outcome.objects.first?["ok"] == true)
        #expect(outcome.objects.first?["unverified"] == 1)
    }

    @Test("a short digest is unverified if it matches, and wrong if not")
    func shortDigests() async throws {
        let code = HashCode.sha2_256
        let blocks = [0, 4, 19, 20].map {
            CARBuilder.Block.hashed([1, 2], codec: Codec.raw, hashCode: code, digestSize: $0)
        }
        let car = CARBuilder(blocks: blocks + [.identity([7])])
        let outcome = try await verified(car.bytes)
        #expect(outcome.objects.first?["sections"] == 5)
        #expect(outcome.objects.first?["unverified"] == 3)
        #expect(outcome.status == 0)
        let text = try await verified(car.bytes, "text").text
        #expect(text.contains("3  (unknown hash function or digest under 20 bytes)"))
        var bytes = car.bytes
        bytes[Int(car.sections[1].dataOffset)] ^= 1
        let wrong = try await verified(bytes)
        #expect(wrong.objects.first?["unverified"] == 2)
        #expect(wrong.objects.first?["mismatches"] == 1)
        #expect(wrong.status == 5)
    }

    @Test("bytes after a zero length cause a warning unless they are zeros")
    func ignoredBytes() async throws {
        let end = UInt64(Sample.car.bytes.count)
        let zeros = [UInt8](repeating: 0, count: 3 << 20)
        let padded = try await verified(Sample.car.bytes + zeros)
        #expect(padded.objects.first?["ignoredBytes"] == 0)
        #expect(padded.objects.first?["ignoredOffset"] == .null)
        let lost = try await verified(Sample.car.bytes + zeros + [1] + zeros)
        #expect(lost.status == 0)
        #expect(lost.objects.first?["ok"] == true)
        #expect(lost.objects.first?["ignoredBytes"]?.integer == UInt64(zeros.count) + 1)
        #expect(lost.objects.first?["ignoredOffset"]?.integer == end + UInt64(zeros.count))
        let text = try await verified(Sample.car.bytes + [0, 5], "text").text
        #expect(text.contains("WARNING   1 byte from payload offset \(end + 1) on are ignored"))
    }

    @Test("an index that contradicts the sections fails")
    func contradiction() async throws {
        var bytes = Sample.car.encoded(version: 2, indexCodec: CARIndex.multihashSorted)
        // The last eight bytes are the offset of the last record.
        bytes[bytes.count - 8] ^= 1
        let outcome = try await verified(bytes)
        #expect(outcome.status == 5)
        #expect(outcome.objects.first?["ok"] == false)
        #expect(outcome.error["code"] == "malformedIndex")
    }

    @Test("an index that cannot be read fails")
    func unreadableIndex() async throws {
        let whole = Sample.car.encoded(version: 2, indexCodec: CARIndex.multihashSorted)
        let outcome = try await verified(Array(whole.dropLast()))
        #expect(outcome.status == 5)
        #expect(outcome.error["code"] == "truncated")
    }

    @Test("a malformed file fails, with counts up to the fault")
    func malformed() async throws {
        let outcome = try await verified(Array(Sample.car.bytes.dropLast()))
        #expect(outcome.status == 5)
        #expect(outcome.objects.first?["ok"] == false)
        #expect(outcome.objects.first?["sections"] == 3)
        #expect(outcome.error["code"] == "truncated")
    }

    @Test("a file without a header gives only an error")
    func garbage() async throws {
        let outcome = try await verified([3, 1, 2, 3])
        #expect(outcome.status == 5)
        #expect(outcome.out.isEmpty)
        #expect(outcome.error["code"] == "malformedCAR")
    }

    @Test("text output has a verdict")
    func text() async throws {
        let good = try await verified(Sample.car.bytes, "text")
        #expect(good.lines.dropFirst().first == "result    sound")
        let bad = try await verified(Sample.withWrongData(in: 0), "text")
        #expect(bad.lines.dropFirst().first == "result      NOT SOUND")
        #expect(bad.errorText.hasSuffix(" (hashMismatch)\n"))
        #expect(bad.status == 5)
    }
}
