import DAGStorage
import Foundation
import TestSupport
import Testing

/// Outputs that would replace what they are made of.
@Suite("Places of outputs")
struct OutputPlaceTests {
    private static let limit = TimeLimitTrait.Duration.minutes(3)

    private func run(_ scene: Scene, _ arguments: [String]) async throws -> Outcome {
        let store = arguments[0] == "car" ? [] : ["--store", scene.store]
        return try await Command.run(
            arguments + store + ["--format", "json"],
            environment: [:],
            in: scene.folder.url.path
        )
    }

    @Test("a link to a file stays a link, and a failing verb leaves the file", .timeLimit(limit))
    func link() async throws {
        let scene = try Scene()
        let old = try scene.folder.write([1, 2, 3], to: "old.bin")
        let link = URL(filePath: old).deletingLastPathComponent().appending(path: "link")
        try FileManager.default.createSymbolicLink(
            atPath: link.path,
            withDestinationPath: "old.bin"
        )
        _ = try scene.write(Sample.car)
        _ = try await scene.json("register", "sample.car")
        for verb in ["get", "export"] {
            let outcome = try await run(scene, [verb, "\(Sample.absent)", "-o", "link"])
            #expect(outcome.status == 3)
            #expect(try Data(contentsOf: URL(filePath: old)) == Data([1, 2, 3]))
        }
        _ = try scene.folder.write([7], to: "content")
        let made = try await run(scene, ["car", "create", "content", "-o", "link"])
        #expect(made.status == 0, "\(made.errorText)")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == "old.bin")
        #expect(try Data(contentsOf: URL(filePath: old)).count > 3)
    }

    @Test("an output that is an input is refused, also through links", .timeLimit(limit))
    func inputs() async throws {
        let scene = try Scene()
        let car = URL(filePath: try scene.write(Sample.car))
        let folder = car.deletingLastPathComponent()
        try FileManager.default.linkItem(at: car, to: folder.appending(path: "hard.car"))
        try FileManager.default.createSymbolicLink(
            at: folder.appending(path: "soft.car"),
            withDestinationURL: car
        )
        let before = try Data(contentsOf: car)
        for output in ["sample.car", "hard.car", "soft.car"] {
            for verb in [["car", "index", "sample.car"], ["car", "create", "sample.car"]] {
                let outcome = try await run(scene, verb + ["-o", output])
                #expect(outcome.status == 2)
                #expect(outcome.error["code"] == "invalidArgument")
                #expect(try Data(contentsOf: car) == before)
            }
        }
    }

    @Test("neither the store nor the CAR of a shard is replaced", .timeLimit(limit))
    func store() async throws {
        let scene = try Scene()
        let car = URL(filePath: try scene.write(Sample.car))
        _ = try await scene.json("register", "sample.car")
        let before = try Data(contentsOf: car)
        let cid = "\(Sample.raw.cid)"
        for output in ["sample.car", "store/catalog/data.mdb", "store/new"] {
            for verb in [
                ["get", cid], ["export", cid, "--scope", "block"], ["index", "export", "sample"],
            ] {
                let outcome = try await run(scene, verb + ["-o", output])
                #expect(outcome.status == 2, "\(verb) \(output): \(outcome.errorText)")
                #expect(outcome.error["code"] == "invalidArgument")
            }
        }
        #expect(try Data(contentsOf: car) == before)
        #expect(try await scene.json("check").status == 0)
    }
}
