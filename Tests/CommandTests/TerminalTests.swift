import DAGMultiformats
import Foundation
import TestSupport
import Testing

/// The output on a terminal.
@Suite("Terminal")
struct TerminalTests {
    /// Runs a verb of a store on a terminal of its own.
    ///
    /// - Returns: The output on the terminal, which has headings that a pipe lacks.
    private static func onTerminal(_ scene: Scene, _ arguments: String) async throws -> String {
        let line = #"script -qec "'$DAGSTORE' \#(arguments) --store '\#(scene.store)'" /dev/null"#
        let outcome = try await Command.shell(line, in: scene.folder.url.path)
        return outcome.text.replacing("\r\n", with: "\n")
    }

    /// The characters that a terminal obeys: C0, DEL, C1 (as in `CSI 2 J`), the direction of writing, ends of lines.
    private static let controls =
        "\u{1B}[2J\u{7}\u{7f}\u{9b}2J\u{85}\u{202e}\u{2066}\u{200f}\u{2028}\u{feff}\u{e0041}"

    private static func isObeyed(_ scalar: Unicode.Scalar) -> Bool {
        scalar != "\n"
            && (scalar.properties.generalCategory == .control
                || scalar.properties.generalCategory == .format
                || scalar.properties.generalCategory == .lineSeparator)
    }

    // Mount URLs were printed as they came, and C1 controls and overrides of the direction nearly everywhere.
    @Test(
        "text from outside is printed without its control characters",
        arguments: [[], ["json"]]
    )
    func controls(format: [String]) async throws {
        let scene = try Scene()
        let format = format.flatMap { ["--format", $0] }
        let key = "k" + Self.controls
        let index = scene.folder.path(of: "indexes")
        try FileManager.default.createDirectory(atPath: index, withIntermediateDirectories: true)
        try Data([0x81, 8, 0, 0, 0, 0]).write(to: URL(filePath: index + "/\(key).full.idx"))
        let map = "index=foo://\(Self.controls)/{key}"
        let car = try scene.write(Sample.car, to: "c\(Self.controls).car")
        let cid = Sample.raw.cid.description
        let outcomes = [
            try await scene.run(["migrate", "run", index, "--mount-map", map] + format),
            try await scene.run(["register", car] + format),
            try await scene.run(["register", scene.folder.path(of: Self.controls)] + format),
            try await scene.run(["list"] + format), try await scene.run(["status", key] + format),
            try await scene.run(["find", cid] + format),
            try await scene.run(["locate", cid] + format),
            try await scene.run(["initialize", key] + format),
            try await scene.run(["check"] + format),
            try await scene.run(["status", Self.controls] + format),
            try await scene.run(["destroy", key] + format),
            try await scene.run(["get", Self.controls] + format),
            try await scene.run(["list", "--\(Self.controls)"] + format),
            try await scene.run([Self.controls] + format),
            try await Command.run(["migrate", "plan", index] + format),
            try await Command.run(["car", "inspect", car] + format),
            try await Command.run(["car", "inspect", Self.controls] + format),
            try await Command.run(["migrate", "plan", Self.controls] + format),
            try await Command.run(["car", "index", car, "-o", "/\(Self.controls)/o"] + format),
        ]
        for (number, outcome) in outcomes.enumerated() {
            for text in [outcome.text, outcome.errorText] {
                let obeyed = text.unicodeScalars.filter(Self.isObeyed)
                #expect(obeyed.isEmpty, "\(number): \(text)")
            }
        }
        #expect(outcomes[3].text.contains(#"\u{009B}2J"#) == format.isEmpty)
        #expect(format.isEmpty || outcomes[3].objects.first?["key"]?.text == key)
        let url = outcomes[3].objects.first?["mount"]?.text
        #expect(format.isEmpty || url?.hasPrefix("foo://\(Self.controls)/k%1B") == true)
    }

    private static var hasTerminal: Bool {
        FileManager.default.isExecutableFile(atPath: "/usr/bin/script")
    }

    @Test("a list on a terminal begins with its headings", .enabled(if: hasTerminal))
    func headings() async throws {
        let scene = try Scene()
        let empty = try scene.folder.write([], to: "empty.car")
        _ = try await scene.run("register", scene.write(Sample.car), "--lazy")
        _ = try await scene.run("register", empty)
        let cid = Sample.raw.cid.description
        for (verb, headings) in [
            ("initialize-all", ["KEY", "STATE"]),
            ("list", ["KEY", "BLOCKS", "SIZE", "STATE", "MOUNT"]), ("find \(cid)", ["KEY"]),
            ("locate \(cid)", ["OFFSET", "BLOCK", "SIZE", "KEY"]),
            ("index list sample", ["OFFSET", "SIZE", "CID"]),
            ("recover --failed", ["KEY", "STATE"]),
        ] {
            let shown = try await Self.onTerminal(scene, verb)
            let first = shown.split(separator: "\n").first ?? ""
            #expect(first.split(separator: " ").map(String.init) == headings, "\(verb): \(shown)")
            // A pipe gets the rows alone.
            let piped = try await scene.run(verb.split(separator: " ").map(String.init))
            #expect(!piped.text.contains(headings[0]), "\(verb): \(piped.text)")
        }
    }

    @Test(
        "sizes have binary units on a terminal, as in --help, and decimal ones in a pipe",
        .enabled(if: hasTerminal)
    )
    func sizes() async throws {
        let scene = try Scene()
        let block = CARBuilder.Block.raw([UInt8](repeating: 1, count: 300_000))
        let car = CARBuilder(roots: [block.cid], blocks: [block])
        _ = try await scene.run("register", scene.write(car))
        #expect(try await Self.onTerminal(scene, "list").contains(" 293 KiB  "))
        #expect(try await scene.run("list").text.contains(" 300.1 kB  "))
        for quota in ["293KiB", "1MB", "300kB", "0"] {
            #expect(try await scene.run("gc", "--quota", quota).status == 0)
        }
    }

    @Test("an error begins with the verb, and ends with the next step and the code")
    func advice() async throws {
        let scene = try Scene()
        let none = try await scene.run("list")
        #expect(
            none.errorText.hasSuffix(
                "; name it with --store or $DAGSTORE_PATH, or make one with 'dagstore register' (invalidArgument)\n"
            )
        )
        _ = try await scene.run("register", scene.write(Sample.car), "--key", "a b", "--lazy")
        let missing = scene.folder.path(of: "missing.car")
        for (arguments, advice) in [
            (["status", "b"], "run 'dagstore list' to see the keys (shardUnknown)"),
            (["get", "\(Sample.absent)"], "with 'dagstore initialize-all' (blockNotFound)"),
            (["register", missing], "then run 'dagstore recover missing' (mountGone)"),
            (["register", missing, "--key", "a b"], #"'dagstore destroy "a b"' (shardExists)"#),
            (["get", "nonsense"], "such as bafy… or Qm… (invalidCID)"),
            (["migrate", "run", missing], "check the path and its permissions (sourceUnreadable)"),
        ] {
            let outcome = try await scene.run(arguments)
            #expect(outcome.errorText.hasSuffix(advice + "\n"), "\(outcome.errorText)")
            #expect(outcome.errorText.hasPrefix("dagstore \(arguments[0])"))
        }
    }

    @Test("a folder that cannot be read is told apart from one without a store")
    func unreadableStore() async throws {
        let scene = try Scene()
        // Not even the superuser passes a link that leads to itself.
        let loop = scene.folder.path(of: "loop")
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: "loop")
        for (verb, unreadable, missing) in Self.storeVerbs {
            for (store, code) in [(loop, unreadable), (scene.folder.path(of: "none"), missing)] {
                let arguments = verb + ["--store", store, "--format", "json"]
                let outcome = try await Command.run(arguments)
                #expect(outcome.error["code"]?.text == code, "\(arguments) \(outcome.errorText)")
            }
        }
    }

    private static let storeVerbs: [([String], String, String)] =
        [
            ["list"], ["status", "k"], ["get", "\(Sample.raw.cid)"], ["has", "\(Sample.raw.cid)"],
            ["locate", "\(Sample.raw.cid)"], ["find", "\(Sample.raw.cid)"], ["index", "list", "k"],
            ["index", "export", "k", "-o", "-"], ["recover", "k"], ["destroy", "k"],
            ["initialize", "k"], ["initialize-all"], ["gc"], ["check"], ["check", "--repair"],
            ["compact"], ["backup", "out"], ["stats"], ["migrate", "export", "--to", "out"],
        ].map { ($0, "readOnly", "invalidArgument") }

    @Test(
        "a source folder without read permission is not taken for another layout",
        .enabled(if: geteuid() != 0)
    )
    func unreadableSource() async throws {
        let scene = try Scene()
        let folder = scene.folder.path(of: "node/datastore")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let closed = [FileAttributeKey.posixPermissions: 0]
        try FileManager.default.setAttributes(closed, ofItemAtPath: folder)
        let source = scene.folder.path(of: "node")
        let outcome = try await Command.run(["migrate", "plan", source, "--format", "json"])
        #expect(outcome.status == 4)
        #expect(outcome.error["code"] == "sourceUnreadable")
    }
}
