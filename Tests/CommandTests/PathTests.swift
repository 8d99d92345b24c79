import Foundation
import TestSupport
import Testing

/// Paths from the command line, which a store reads again from other working directories.
@Suite("Paths")
struct PathTests {
    private let scene: Scene
    /// A folder below the scene's, from which relative paths lead up.
    private let inner: String

    init() throws {
        scene = try Scene()
        inner = scene.folder.path(of: "inner")
        try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: true)
    }

    private func json(_ arguments: String...) async throws -> Outcome {
        let options = ["--store", scene.store, "--format", "json"]
        return try await Command.run(arguments + options, in: inner)
    }

    private func mount(of key: String) async throws -> String? {
        try await scene.json("status", key).objects.first?["mount"]?.text
    }

    @Test("a path with .. is stored without it", arguments: ["", "file://"])
    func leadsUp(scheme: String) async throws {
        let path = try scene.write(Sample.car)
        #expect(try await json("register", scheme + "../inner/./../sample.car").status == 0)
        #expect(try await mount(of: "sample") == "file://" + path)
        let again = try await json("register", "--key", "b", inner + "/../sample.car", "--lazy")
        #expect(again.status == 0)
        #expect(try await mount(of: "b") == "file://" + path)
    }

    @Test("the links of a path stay, so users can change them")
    func links() async throws {
        let path = try scene.write(Sample.car)
        let link = scene.folder.path(of: "link.car")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        #expect(try await json("register", "../link.car").status == 0)
        #expect(try await mount(of: "link") == "file://" + link)
    }

    @Test(
        "a file that ends with the process is rejected under every name",
        arguments: ["/dev/stdin", "/proc/self/fd/0", "/dev/fd/0", "in", "pipe", "/dev/zero"],
        [[], ["--lazy"]]
    )
    func descriptors(name: String, options: [String]) async throws {
        let path = try scene.write(Sample.car)
        let register = ([#""$DAGSTORE" register"#] + options).joined(separator: " ")
        for source in ["\(name) --key k", "\(path) --key k --existing-transient \(name)"] {
            let outcome = try await Command.shell(
                "ln -sf /dev/stdin in; mkfifo pipe 2>&-;"
                    + "\(register) \(source) --store '\(scene.store)' --format json <'\(path)'",
                in: inner
            )
            #expect(outcome.status == 2)
            #expect(outcome.error["code"] == "invalidArgument")
            #expect(try await scene.json("list").objects.isEmpty)
        }
    }

    @Test("a copy of a CAR has an absolute path too")
    func existingTransient() async throws {
        let path = try scene.write(Sample.car)
        let outcome = try await json(
            "register",
            "../gone.car",
            "--existing-transient",
            "../sample.car"
        )
        #expect(outcome.status == 0)
        let status = try await scene.json("status", "gone").objects.first
        #expect(status?["transient"]?.text == path)
    }

    @Test(
        "an export accepts a relative folder",
        arguments: ["out", "./out", "../out", "link/../out"]
    )
    func export(to: String) async throws {
        let far = scene.folder.path(of: "far/away")
        try FileManager.default.createDirectory(atPath: far, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: inner + "/link",
            withDestinationPath: far
        )
        _ = try await scene.run("register", scene.write(Sample.car), "--key", "a")
        _ = try await scene.run("register", scene.write(Sample.car), "--key", "b")
        let outcome = try await json("migrate", "export", "--to", to, "--layout", "indexes")
        #expect(outcome.status == 0)
        #expect(outcome.objects.last?["problems"] == .object([:]))
        let found = try await Command.shell(#"ls -A "\#(to)" | tr '\n' ' '"#, in: inner)
        #expect(found.text == ".version a.full.idx b.full.idx ")
        // And back again, from where it was written to.
        let plan = try await Command.run(["migrate", "plan", to, "--format", "json"], in: inner)
        #expect(plan.objects.last?["entries"] == 8)
    }

    @Test(
        "CARs of a relative folder are found from every working directory",
        arguments: [".", "../inner"]
    )
    func cars(source: String) async throws {
        let car = inner + "/a.car"
        try Data(Sample.car.bytes).write(to: URL(filePath: car))
        #expect(try await json("migrate", "run", source).status == 0)
        #expect(try await mount(of: "a") == "file://" + car)
        #expect(try await scene.run("initialize", "a").status == 0)
    }

    @Test(
        "a mount that is given as a relative path becomes absolute",
        arguments: ["file://../cars/{key}.car", "file://{rest}"]
    )
    func mountMap(template: String) async throws {
        let folder = inner + "/source"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data([0x81, 8, 0, 0, 0, 0]).write(to: URL(filePath: folder + "/a.full.idx"))
        let run = try await json("migrate", "run", "source", "--mount-map", "index=" + template)
        #expect(run.status == 0)
        let wanted = template.contains("key") ? scene.folder.path(of: "cars/a.car") : inner + "/a"
        #expect(try await mount(of: "a") == "file://" + wanted)
    }
}
