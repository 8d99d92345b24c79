import DAGMultiformats
import Foundation
import TestSupport
import Testing

@Suite("Interruption")
struct InterruptionTests {
    /// Enough small sections for a walk to take a while: one section again and again.
    private func longCAR(in folder: TemporaryFolder) throws -> String {
        var bytes = CARBuilder(blocks: [Sample.raw]).bytes
        let header = CARBuilder().bytes
        var sections = Array(bytes.dropFirst(header.count))
        for _ in 0..<20 { sections += sections }
        bytes = header + sections
        return try folder.write(bytes, to: "long.car")
    }

    @Test(
        "a signal ends the program with 7 and one error line",
        arguments: [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM"), (SIGHUP, "SIGHUP")]
    )
    func verify(signal: Int32, name: String) async throws {
        let folder = try TemporaryFolder()
        let path = try longCAR(in: folder)
        let outcome = try await Command.interrupt(
            signal,
            ["car", "verify", path, "--format", "json"]
        )
        #expect(outcome.status == 7)
        #expect(outcome.out.isEmpty)
        let line = try #require(outcome.errorText.split(separator: "\u{1B}[K").last)
        #expect(
            line == #"{"error":{"code":"cancelled","message":"interrupted by \#(name)"}}"# + "\n"
        )
    }

    @Test("an interrupted index leaves no file")
    func index() async throws {
        let folder = try TemporaryFolder()
        let path = try longCAR(in: folder)
        let outcome = try await Command.interrupt(
            SIGINT,
            ["car", "index", path, "-o", folder.path(of: "out.idx")]
        )
        #expect(outcome.status == 7)
        #expect(try folder.url.files().map(\.lastPathComponent) == ["long.car"])
    }

    @Test("an interrupted registration leaves a working store, and initialize continues it")
    func register() async throws {
        let scene = try Scene()
        let path = try longCAR(in: scene.folder)
        let outcome = try await Command.interrupt(
            SIGTERM,
            ["register", path, "--store", scene.store]
        )
        #expect(outcome.status == 7)
        #expect(outcome.out.isEmpty)
        let left = try await scene.json("list").objects.first
        guard left != nil else { return }
        #expect(left?["state"] == "initializing")
        let status = try await scene.json("status", "long").objects.first
        #expect(status?["explanation"]?.text?.contains("interrupted") == true)
        #expect(try await scene.run("register", try scene.write(Sample.car)).status == 0)
        #expect(try await scene.run("initialize", "long").status == 0)
        #expect(try await scene.json("status", "long").objects.first?["state"] == "available")
        #expect(try await scene.run("check").status == 0)
    }
}
