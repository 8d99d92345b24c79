import DAGCAR
import DAGMultiformats
import Foundation
import TestSupport
import Testing

/// Tests of `car create` and `car extract`: what the program adds to `CARCreator` and `CARExtractor`.
@Suite("car create and car extract")
struct CreateCARTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let files = FileManager.default
        let inner = folder.url.appending(path: "in/a")
        try files.createDirectory(at: inner, withIntermediateDirectories: true)
        try Data("hello world".utf8).write(to: inner.appending(path: "hello"))
        try Data(count: 5000).write(to: inner.appending(path: "zeros"))
        try files.createSymbolicLink(
            atPath: inner.appending(path: "link").path,
            withDestinationPath: "../../none"
        )
    }

    private func run(_ arguments: String...) async throws -> Outcome {
        try await Command.run(arguments, in: folder.url.path)
    }

    private func names(_ path: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path(of: path)).sorted()
    }

    @Test("a file, JSON", arguments: [("1", 107), ("2", 107)] as [(String, UInt64)])
    func file(version: String, bytes: UInt64) async throws {
        let outcome = try await run(
            "car",
            "create",
            "in/a/hello",
            "-o",
            "out.car",
            "--version",
            version,
            "--format",
            "json"
        )
        let root = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"
        #expect(
            outcome.text
                == #"{"root":"\#(root)","blocks":1,"bytes":\#(bytes),"files":1}"# + "\n"
        )
        #expect(outcome.errors.isEmpty)
        #expect(outcome.status == 0)
        let found = try await run("car", "inspect", "out.car", "--format", "json").objects.first
        #expect(found?["version"]?.integer == UInt64(version))
        #expect(found?["roots"] == .array([.string(root)]))
        #expect(found?["indexCodec"] == (version == "1" ? .null : "0x0401"))
        #expect(try names() == ["in", "out.car"])
    }

    @Test("a folder comes back as it was, and text says what was made")
    func roundTrip() async throws {
        let made = try await run("car", "create", "in", "-o", "out.car", "--chunk", "1KiB")
        #expect(made.status == 0)
        #expect(
            made.lines.map { $0.prefix(7) } == [
                "file   ", "root   ", "blocks ", "payload", "files  ",
            ]
        )
        let verified = try await run("car", "verify", "out.car", "--format", "json")
        #expect(verified.objects.first?["ok"] == true)
        let out = try await run("car", "extract", "out.car", "-o", "out", "--format", "json")
        #expect(out.objects.first?["files"] == 2)
        #expect(out.objects.first?["bytes"] == 5011)
        #expect(out.objects.first?["folders"] == 1)
        #expect(out.objects.first?["links"] == 1)
        let compared = try await Command.shell(
            "diff -r --no-dereference in out",
            in: folder.url.path
        )
        #expect(compared.status == 0)
        #expect(compared.text == "")
        let text = try await run("car", "extract", "out.car", "-o", "text")
        #expect(text.lines.contains { $0.hasPrefix("files    2  (5.0 kB)") }, "\(text.text)")
    }

    @Test("a path below a CID is extracted, in each form of an address")
    func paths() async throws {
        let made = try await run("car", "create", "in", "-o", "out.car", "--format", "json")
        let root = try #require(made.objects.first?["root"]?.text)
        let forms = ["\(root)/a/hello", "/ipfs/\(root)/a/hello", "ipfs://\(root)/a/hello"]
        for (number, form) in forms.enumerated() {
            let outcome = try await run("car", "extract", "out.car", form, "-o", "out\(number)")
            #expect(outcome.status == 0)
            #expect(try names("out\(number)") == ["hello"])
        }
        let missing = try await run(
            "car",
            "extract",
            "out.car",
            "\(root)/b",
            "-o",
            "none",
            "--format",
            "json"
        )
        #expect(missing.status == 3)
        #expect(missing.error["code"] == "pathNotFound")
        let dots = try await run("car", "extract", "out.car", "\(root)/..", "-o", "none")
        #expect(dots.status == 2)
        let wrong = try await run(
            "car",
            "extract",
            "out.car",
            "xyz/a",
            "-o",
            "none",
            "--format",
            "json"
        )
        #expect(wrong.error["code"] == "invalidCID")
        let left = try names()
        #expect(!left.contains("none"))
    }

    @Test("several paths are wrapped in one directory")
    func severalPaths() async throws {
        let outcome = try await run(
            "car",
            "create",
            "in/a/zeros",
            "in/a/hello",
            "-o",
            "out.car",
            "--format",
            "json"
        )
        #expect(outcome.objects.first?["files"] == 2)
        _ = try await run("car", "extract", "out.car", "-o", "out")
        #expect(try names("out") == ["hello", "zeros"])
        let twice = try await run(
            "car",
            "create",
            "in/a/hello",
            "in/../in/a/hello",
            "-o",
            "b.car",
            "--format",
            "json"
        )
        #expect(twice.status == 2)
        #expect(twice.error["code"] == "invalidArgument")
        let left = try names()
        #expect(!left.contains("b.car"))
    }

    @Test("a source that is missing, and an output that cannot be, leave no file")
    func failures() async throws {
        let missing = try await run("car", "create", "none", "-o", "out.car", "--format", "json")
        #expect(missing.status == 4)
        #expect(missing.error["code"] == "mountGone")
        let inside = try await run("car", "create", ".", "-o", "out.car", "--format", "json")
        #expect(inside.status == 2)
        #expect(inside.error["message"]?.text?.contains("inside the folder") == true)
        let pipe = try await run("car", "create", "in", "-o", "-", "--format", "json")
        #expect(pipe.status == 2)
        #expect(pipe.out.isEmpty)
        let nowhere = try await run("car", "create", "in", "-o", "none/a.car", "--format", "json")
        #expect(nowhere.status == 1)
        #expect(nowhere.error["code"] == "outputFailed")
        #expect(try names() == ["in"])
    }

    @Test("an output that is there is replaced, and stays if the sources cannot be read")
    func replacement() async throws {
        _ = try folder.write([7], to: "out.car")
        let missing = try await run("car", "create", "none", "-o", "out.car")
        #expect(missing.status == 4)
        #expect(try Data(contentsOf: folder.url.appending(path: "out.car")) == Data([7]))
        #expect(try await run("car", "create", "in", "-o", "out.car").status == 0)
        #expect(try await run("car", "verify", "out.car").status == 0)
    }

    @Test("a device is written into, and not replaced")
    func device() async throws {
        let outcome = try await run("car", "create", "in", "-o", "/dev/null", "--format", "json")
        #expect(outcome.status == 0)
        #expect(outcome.objects.first?["files"] == 2)
    }

    @Test("a missing block ends the extraction with its CID, and the message says what stays")
    func missingBlock() async throws {
        let made = CARBuilder.Block.raw([1])
        let missing = CARBuilder.Block.raw([2])
        let root = DAGBlocks.directory([("a", made.cid), ("b", missing.cid)])
        let car = CARBuilder(roots: [root.cid], blocks: [root, made])
        _ = try folder.write(car.bytes, to: "cut.car")
        let outcome = try await run("car", "extract", "cut.car", "-o", "out", "--format", "json")
        #expect(outcome.status == 3)
        #expect(outcome.error["code"] == "blockNotFound")
        let message = try #require(outcome.error["message"]?.text)
        #expect(message.contains(missing.cid.description))
        #expect(message.hasSuffix("1 complete file, 0 folders and 0 links stay"))
        #expect(try names("out") == ["a"])
        let again = try await run("car", "extract", "cut.car", "-o", "out")
        #expect(again.status == 2)
        #expect(again.errorText.contains("exists already"))
        #expect(again.errorText.contains("; nothing was extracted; name a folder that is empty"))
    }

    @Test("names that lead out, other DAGs and wrong bytes have their codes")
    func codes() async throws {
        let leaf = CARBuilder.Block.raw([1])
        let cbor = CARBuilder.Block.hashed([0xa0], codec: 0x71, hashCode: HashCode.sha2_256)
        let wrong = CARBuilder.Block(cid: leaf.cid, data: [2])
        let cases: [(CARBuilder.Block, [CARBuilder.Block], String, Int32)] = [
            (DAGBlocks.directory([("../x", leaf.cid)]), [leaf], "malformedBlock", 5),
            (cbor, [], "unsupportedCodec", 2),
            (DAGBlocks.directory([("x", leaf.cid)]), [wrong], "hashMismatch", 5),
            (DAGBlocks.dagPB([], data: [0xff]), [], "malformedBlock", 5),
        ]
        for (number, (root, others, code, status)) in cases.enumerated() {
            let car = CARBuilder(roots: [root.cid], blocks: [root] + others)
            _ = try folder.write(car.bytes, to: "case.car")
            let outcome = try await run(
                "car",
                "extract",
                "case.car",
                "-o",
                "case\(number)",
                "--format",
                "json"
            )
            #expect(outcome.error["code"] == .string(code))
            #expect(outcome.status == status)
        }
        let left = try names()
        #expect(!left.contains("x"))
        #expect(try await run("car", "extract", "none.car", "-o", "out").status == 4)
    }

    @Test("--max-expansion bounds the files")
    func expansion() async throws {
        let car = CARBuilder(roots: [Sample.raw.cid], blocks: [Sample.raw])
        _ = try folder.write(car.bytes, to: "a.car")
        let outcome = try await run(
            "car",
            "extract",
            "a.car",
            "-o",
            "out",
            "--max-expansion",
            "0",
            "--format",
            "json"
        )
        // Below the free gigabyte the bound says nothing.
        #expect(outcome.status == 0)
        #expect(outcome.objects.first?["files"] == 1)
    }

    @Test("an interrupted creation leaves no file")
    func interruption() async throws {
        let path = folder.path(of: "large")
        let file = try FileHandle(forWritingTo: URL(filePath: try folder.write([], to: "large")))
        try file.truncate(atOffset: 4 << 30)
        try file.close()
        let outcome = try await Command.interrupt(
            SIGINT,
            ["car", "create", path, "-o", folder.path(of: "out.car")]
        )
        #expect(outcome.status == 7)
        #expect(try names() == ["in", "large"])
    }

    @Test("an interrupted extraction leaves no half of a file")
    func interruptedExtraction() async throws {
        let leaf = CARBuilder.Block.raw([UInt8](repeating: 7, count: 1 << 20))
        let small = CARBuilder.Block.raw([1])
        let large = DAGBlocks.file(Array(repeating: (leaf.cid, 1 << 20), count: 1000))
        let root = DAGBlocks.directory([("a", small.cid), ("b", large.cid)])
        let car = CARBuilder(roots: [root.cid], blocks: [root, small, large, leaf])
        let path = try folder.write(car.bytes, to: "large.car")
        let outcome = try await Command.interrupt(
            SIGTERM,
            ["car", "extract", path, "-o", folder.path(of: "out")]
        )
        #expect(outcome.status == 7)
        let left = (try? names("out")) ?? []
        #expect(!left.contains("b"))
    }

    #if os(Linux)
        @Test("a full disk is an error that names the output")
        func fullDisk() async throws {
            let outcome = try await run(
                "car",
                "create",
                "in",
                "-o",
                "/dev/full",
                "--format",
                "json"
            )
            #expect(outcome.status == 1)
            #expect(outcome.error["code"] == "outputFailed")
            let message = try #require(outcome.error["message"]?.text)
            #expect(message.hasPrefix("/dev/full: "))
        }
    #endif
}
