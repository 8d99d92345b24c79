import DAGCAR
import DAGMultiformats
import Foundation
import TestSupport
import Testing

@Suite("index list")
struct IndexListTests {
    @Test("prints every section in the order of the CAR")
    func entries() async throws {
        let scene = try Scene()
        let car = CARBuilder.mixed(seed: 5)
        _ = try await scene.run("register", try scene.write(car))
        let outcome = try await scene.json("index", "list", "sample")
        let expected = zip(car.blocks, car.sections).map { block, section in
            #"{"cid":"\#(block.cid)","multihash":"\#(block.cid.multihash.hexadecimal)","#
                + #""offset":\#(section.offset),"size":\#(block.data.count)}"#
        }
        #expect(outcome.lines == expected)
        let text = try await scene.run("index", "list", "sample")
        #expect(
            text.lines.map { $0.split(separator: " ").last.map(String.init) }
                == car.blocks.map { $0.cid.description }
        )
    }
}

@Suite("index export")
struct IndexExportTests {
    @Test(
        "writes the bytes of car index",
        arguments: ["0x0400", "0x0401"],
        ["--identity", "--no-identity"]
    )
    func sameAsCarIndex(codec: String, identity: String) async throws {
        let scene = try Scene()
        let path = try scene.write(CARBuilder.mixed(seed: 6))
        _ = try await scene.run("register", path)
        let options = ["--codec", codec, identity, "--format", "json"]
        let one = scene.folder.path(of: "one.idx")
        let other = scene.folder.path(of: "other.idx")
        let built = try await Command.run(["car", "index", path, "-o", one] + options)
        let exported = try await Command.run(
            ["index", "export", "sample", "-o", other, "--store", scene.store] + options
        )
        #expect(exported.lines == built.lines)
        #expect(exported.status == 0)
        #expect(try URL(filePath: one).bytes() == URL(filePath: other).bytes())
    }

    @Test("standard output gets only the index")
    func standardOutput() async throws {
        let scene = try Scene()
        _ = try await scene.run("register", try scene.write(Sample.car))
        let outcome = try await scene.run("index", "export", "sample", "-o", "-")
        #expect(
            outcome.out
                == IndexCARTests.expected(CARIndex.multihashSorted, storesIdentity: false)
        )
    }
}
