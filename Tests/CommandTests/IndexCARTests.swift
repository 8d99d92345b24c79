import DAGCAR
import DAGMultiformats
import Foundation
import TestSupport
import Testing

@Suite("car index")
struct IndexCARTests {
    /// The index that the library builds of the sample.
    static func expected(_ codec: UInt64, storesIdentity: Bool) -> [UInt8] {
        var builder = CARIndexBuilder(storesIdentity: storesIdentity)
        for (block, section) in zip(Sample.car.blocks, Sample.car.sections) {
            block.cid.withDigest { digest in
                builder.append(
                    hashCode: block.cid.hashCode,
                    digest: digest,
                    offset: section.offset
                )
            }
        }
        return builder.encoded(codec: codec)
    }

    @Test(
        "writes the format of the options",
        arguments: ["0x0400", "0x0401"],
        ["--identity", "--no-identity"]
    )
    func codecs(codec: String, identity: String) async throws {
        let scene = try Scene()
        let car = try scene.write(Sample.car)
        let file = scene.folder.path(of: "out.idx")
        let outcome = try await Command.run([
            "car", "index", car, "-o", file, "--codec", codec, identity, "--format", "json",
        ])
        let number = codec == "0x0400" ? CARIndex.sorted : CARIndex.multihashSorted
        let bytes = Self.expected(number, storesIdentity: identity == "--identity")
        let count = identity == "--identity" ? 4 : 3
        #expect(try URL(filePath: file).bytes() == bytes)
        #expect(
            outcome.lines == [
                #"{"codec":"\#(codec)","entries":\#(count),"bytes":\#(bytes.count)}"#
            ]
        )
        #expect(outcome.status == 0)
    }

    @Test("defaults to 0x0401 without identity CIDs")
    func defaults() async throws {
        let scene = try Scene()
        let car = try scene.write(Sample.car)
        let file = scene.folder.path(of: "out.idx")
        let outcome = try await Command.run(["car", "index", car, "-o", file])
        let bytes = Self.expected(CARIndex.multihashSorted, storesIdentity: false)
        #expect(try URL(filePath: file).bytes() == bytes)
        #expect(
            outcome.lines == [
                "file     \(file)", "codec    0x0401", "entries  3",
                "size     \(bytes.count) B",
            ]
        )
    }

    @Test("standard output gets only the index")
    func standardOutput() async throws {
        let scene = try Scene()
        let car = try scene.write(Sample.car)
        let outcome = try await Command.run(["car", "index", car, "-o", "-", "--format", "json"])
        #expect(outcome.out == Self.expected(CARIndex.multihashSorted, storesIdentity: false))
        #expect(outcome.errors.isEmpty)
    }

    @Test("a malformed CAR keeps the old file, and leaves no other")
    func malformed() async throws {
        let scene = try Scene()
        let car = try scene.folder.write(Array(Sample.car.bytes.dropLast()), to: "cut.car")
        let file = try scene.folder.write([1, 2, 3], to: "out.idx")
        let outcome = try await Command.run(["car", "index", car, "-o", file, "--format", "json"])
        #expect(outcome.status == 5)
        #expect(outcome.out.isEmpty)
        #expect(outcome.error["code"] == "truncated")
        #expect(try URL(filePath: file).bytes() == [1, 2, 3])
        #expect(try scene.folder.url.files().map(\.lastPathComponent) == ["cut.car", "out.idx"])
    }

    @Test("a file that cannot be written has its own error code")
    func unwritable() async throws {
        let scene = try Scene()
        let car = try scene.write(Sample.car)
        let missing = scene.folder.path(of: "nowhere/out.idx")
        let outcome = try await Command.run([
            "car", "index", car, "-o", missing, "--format", "json",
        ])
        #expect(outcome.status == 1)
        #expect(outcome.out.isEmpty)
        #expect(outcome.error["code"] == "outputFailed")
        #expect(outcome.error["message"]?.text?.hasPrefix(missing) == true)
    }

    @Test("a folder cannot be replaced", arguments: ["json", "text"])
    func folder(format: String) async throws {
        let scene = try Scene()
        let car = try scene.write(Sample.car)
        let outcome = try await Command.run([
            "car", "index", car, "-o", scene.folder.url.path, "--format", format,
        ])
        #expect(outcome.status == 1)
        #expect(outcome.errorText.contains("outputFailed"))
    }

    @Test("a device is written to, not replaced", .enabled(if: FullDevice.isHere))
    func device() async throws {
        let scene = try Scene()
        let car = try scene.write(Sample.car)
        let null = try await Command.run(["car", "index", car, "-o", "/dev/null"])
        #expect(null.status == 0)
        let full = try await Command.run([
            "car", "index", car, "-o", "/dev/full", "--format", "json",
        ])
        #expect(full.status == 1)
        #expect(full.error["code"] == "outputFailed")
        #expect(FullDevice.isHere)
    }
}
