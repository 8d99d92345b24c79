import DAGCAR
import DAGMultiformats
import Foundation
import TestSupport
import Testing

@Suite("car list")
struct ListCARTests {
    @Test("prints one line for each section, with both offsets", arguments: [1, 2] as [UInt64])
    func sections(version: UInt64) async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Sample.car.encoded(version: version), to: "sample.car")
        let outcome = try await Command.run(["car", "list", path, "--format", "json"])
        #expect(outcome.lines == Sample.listing(dataOffset: version == 1 ? 0 : 51))
        #expect(outcome.status == 0)
    }

    @Test("prints every kind of CID as its block has it", arguments: 1...3 as ClosedRange<UInt64>)
    func mixed(seed: UInt64) async throws {
        let car = CARBuilder.mixed(seed: seed)
        let folder = try TemporaryFolder()
        let path = try folder.write(car.bytes, to: "mixed.car")
        let outcome = try await Command.run(["car", "list", path, "--format", "json"])
        #expect(outcome.objects.map { $0["cid"]?.text } == car.blocks.map { $0.cid.description })
        #expect(outcome.objects.map { $0["offset"]?.integer } == car.sections.map { $0.offset })
    }

    @Test("text output has columns, and no heading in a pipe")
    func text() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Sample.car.bytes, to: "sample.car")
        let outcome = try await Command.run(["car", "list", path])
        let sections = Sample.car.sections
        let first = "    \(sections[0].offset)     \(sections[0].dataOffset)        5"
        #expect(outcome.lines.first == first + "  \(Sample.raw.cid)")
        let cids = outcome.lines.map { String($0.dropFirst(24)) }
        #expect(cids == Sample.car.blocks.map { $0.cid.description })
    }

    @Test("the sections before a fault are printed")
    func truncated() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Array(Sample.car.bytes.dropLast()), to: "cut.car")
        let outcome = try await Command.run(["car", "list", path, "--format", "json"])
        #expect(outcome.lines == Array(Sample.listing().prefix(3)))
        #expect(outcome.status == 5)
        #expect(outcome.error["code"] == "truncated")
        #expect(outcome.error["offset"]?.integer == Sample.car.sections[3].offset)
        #expect(outcome.error["message"]?.text?.hasPrefix(path) == true)
        let text = try await Command.run(["car", "list", path])
        #expect(text.lines.count == 3)
        #expect(text.errorText.hasPrefix("dagstore car list: \(path): truncated at byte "))
        #expect(text.errorText.hasSuffix(" (truncated)\n"))
    }

    @Test("a reader that closes the pipe causes no error")
    func closedPipe() async throws {
        let folder = try TemporaryFolder()
        // More than a pipe and the buffer hold, so that a write meets the closed end.
        let blocks = Array(repeating: Sample.raw, count: 20_000)
        _ = try folder.write(CARBuilder(blocks: blocks).bytes, to: "long.car")
        let line = #"{ "$DAGSTORE" car list long.car; echo "status $?" >&2; } | head -n 1"#
        let outcome = try await Command.shell(line, in: folder.url.path)
        #expect(outcome.lines.count == 1)
        #expect(outcome.errorText == "status 0\n")
    }

    @Test("a standard output that cannot be written is a failure", .enabled(if: FullDevice.isHere))
    func fullOutput() async throws {
        let folder = try TemporaryFolder()
        _ = try folder.write(Sample.car.bytes, to: "a.car")
        let line = #""$DAGSTORE" car list a.car --format json >/dev/full"#
        let outcome = try await Command.shell(line, in: folder.url.path)
        #expect(outcome.status == 1)
        #expect(outcome.error["code"] == "outputFailed")
    }
}

/// The device on which there is never room.
enum FullDevice {
    static var isHere: Bool { FileManager.default.fileExists(atPath: "/dev/full") }
}
