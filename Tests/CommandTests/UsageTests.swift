import Foundation
import TestSupport
import Testing

@Suite("Arguments")
struct UsageTests {
    @Test("the version is printed")
    func version() async throws {
        let outcome = try await Command.run(["--version"])
        #expect(outcome.text == "dagstore 0.1.0\n")
        #expect(outcome.status == 0)
    }

    @Test(
        "help goes to standard output, with exit status 0",
        arguments: [
            ["--help"], ["-h"], ["help"], ["car", "--help"], ["help", "car", "list"],
            ["car", "inspect", "--help"], ["car", "verify", "--help"], ["car", "list", "--help"],
            ["car", "index", "--help"], ["car", "create", "--help"],
            ["car", "extract", "--help"], ["register", "--help"], ["list", "--help"],
            ["status", "--help"], ["get", "--help"], ["has", "--help"], ["locate", "--help"],
            ["export", "--help"],
            ["index", "list", "--help"], ["index", "export", "--help"], ["destroy", "--help"],
            ["stats", "--help"], ["recover", "--help"], ["initialize", "--help"],
            ["initialize-all", "--help"], ["gc", "--help"], ["check", "--help"],
            ["compact", "--help"], ["backup", "--help"], ["restore", "--help"],
            ["serve", "--help"], ["cluster", "--help"], ["cluster", "init", "--help"],
            ["cluster", "status", "--help"], ["cluster", "nodes", "--help"],
            ["cluster", "shards", "--help"], ["cluster", "find", "--help"],
            ["cluster", "register", "--help"], ["cluster", "recover", "--help"],
            ["cluster", "destroy", "--help"], ["cluster", "drain", "--help"],
            ["cluster", "sweep", "--help"], ["cluster", "adopt", "--help"],
            ["help", "cluster", "drain"],
        ]
    )
    func help(arguments: [String]) async throws {
        let outcome = try await Command.run(arguments)
        #expect(outcome.text.hasPrefix("OVERVIEW: "))
        #expect(outcome.text.contains("USAGE: dagstore"))
        #expect(outcome.errors.isEmpty)
        #expect(outcome.status == 0)
    }

    @Test(
        "a group without a verb exits with 2",
        arguments: [[], ["car"], ["index"], ["cluster"]] as [[String]]
    )
    func missingVerb(arguments: [String]) async throws {
        let outcome = try await Command.run(arguments)
        #expect(outcome.out.isEmpty)
        #expect(outcome.errorText.contains("SUBCOMMANDS:"))
        #expect(outcome.status == 2)
    }

    static let mistakes: [[String]] = [
        ["find"], ["recover"], ["recover", "a", "--all"],
        ["serve", "x"], ["serve", "--drain", "5x"],
        ["get", "--wait", "x"], ["list", "--wait", "-1"],
        ["gc", "x"],
        ["gc", "--quota", "5X"], ["check", "x"], ["compact", "x"], ["initialize"],
        ["initialize-all", "--concurrency", "0"],
        ["car", "inspect"], ["car", "list"], ["car", "list", "a", "b"], ["car", "verify"],
        ["car", "list", "a", "--format", "xml"], ["car", "list", "a", "--store", "s"],
        ["car", "verify", "a", "--progress", "maybe"], ["car", "index", "a"],
        ["car", "index", "a", "-o"], ["car", "index", "a", "-o", "b", "--codec", "0x0402"],
        ["car", "create", "-o", "b"], ["car", "create", "a"], ["car", "create", "", "-o", "b"],
        ["car", "create", "a", "-o", "b", "--version", "3"],
        ["car", "create", "a", "-o", "b", "--chunk", "0"],
        ["car", "create", "a", "-o", "b", "--chunk", "3MiB"],
        ["car", "create", "a", "-o", "b", "--width", "1"],
        ["car", "create", "a", "-o", "b", "--hamt-threshold", "1GiB"],
        ["car", "extract", "a"], ["car", "extract", "-o", "b"],
        ["car", "extract", "a", "-o", ""], ["car", "extract", "a", "b", "c", "-o", "d"],
        ["register"], ["register", "a", "b", "--key", "k"],
        ["register", "a", "b", "--existing-transient", "c"],
        ["list", "extra"], ["status"], ["get"], ["get", "a", "b"], ["has"], ["locate"],
        ["export"], ["export", "bafkqaaa", "--scope", "some"],
        ["export", "bafkqaaa", "--bytes", "5"],
        ["export", "bafkqaaa", "--version", "3"], ["export", "bafkqaaa", "--version", "2"],
        ["export", "bafkqaaa", "--scope", "block", "--bytes", "0:1"],
        ["index", "list"], ["index", "export", "k"], ["destroy"], ["destroy", "a", "b"],
        ["stats", "--unknown"], ["backup"], ["backup", ""], ["backup", "a", "b"],
        ["backup", "a", "--rate", "5"], ["backup", "a", "--rate", "fast"],
        ["backup", "a", "--min-free", "x"], ["restore"], ["restore", ""],
        ["cluster", "init", "x"], ["cluster", "init", "--copies", "x"],
        ["cluster", "status", "x"], ["cluster", "shards", "x"], ["cluster", "find"],
        ["cluster", "register"], ["cluster", "register", "a", "b", "--key", "k"],
        ["cluster", "recover"], ["cluster", "recover", "a", "b"], ["cluster", "destroy"],
        ["cluster", "drain"], ["cluster", "drain", "a", "b"], ["cluster", "sweep", "x"],
        ["check", "--environment", "--deep"], ["check", "--environment", "--repair"],
    ]

    @Test("wrong arguments exit with 2 and an explanation", arguments: mistakes)
    func mistake(arguments: [String]) async throws {
        let text = try await Command.run(arguments)
        #expect(text.status == 2)
        #expect(text.out.isEmpty)
        #expect(text.errorText.hasPrefix("Error: "))
        guard !arguments.contains("--format") else { return }
        for option in [["--format", "json"], ["--format=json"]] {
            let json = try await Command.run(arguments + option)
            #expect(json.status == 2)
            #expect(json.out.isEmpty)
            #expect(json.error["code"] == "invalidArgument")
            #expect(json.error["message"]?.text?.isEmpty == false)
        }
    }

    @Test(
        "a verb that does not exist is named, whatever follows it",
        arguments: [
            (["init", "--store", "s"], "dagstore init"), (["bogus", "a", "b"], "dagstore bogus"),
            (["car", "frob", "-o", "x"], "dagstore car frob"),
            (["cluster", "bogus"], "dagstore cluster bogus"),
        ]
    )
    func unknownVerb(arguments: [String], words: String) async throws {
        let text = try await Command.run(arguments)
        #expect(text.status == 2)
        let group = words.split(separator: " ").dropLast().joined(separator: " ")
        let line =
            "\(group): there is no verb '\(words)'; see '\(group) --help' (invalidArgument)\n"
        #expect(text.errorText == line)
        let json = try await Command.run(arguments + ["--format", "json"])
        #expect(json.status == 2)
        #expect(json.error["code"] == "invalidArgument")
        #expect(json.error["message"]?.text == "there is no verb '\(words)'")
    }

    @Test("an argument that is not UTF-8 is refused, because it would name another file")
    func notUTF8() async throws {
        let folder = try TemporaryFolder()
        let line =
            #"cd "$1" && echo old >"$(printf 'caf\357\277\275.car')" && echo new >new && "#
            + #"exec "$DAGSTORE" car create new -o "$(printf 'caf\351.car')""#
        let outcome = try await Command.shell(
            line.replacing("$1", with: folder.url.path),
            in: folder.url.path
        )
        #expect(outcome.status == 2)
        #expect(outcome.errorText.contains("is not UTF-8"))
        #expect(try folder.url.files().count == 2)
        let old = try folder.url.files().first { $0.lastPathComponent != "new" }
        #expect(try old?.bytes() == Array("old\n".utf8))
    }

    @Test("an option before the verb is refused as one")
    func optionFirst() async throws {
        let text = try await Command.run(["--bogus", "list"])
        #expect(text.status == 2)
        #expect(text.errorText.hasPrefix("Error: Unknown option '--bogus'"))
    }

    @Test("an empty store name exits with 2")
    func emptyStore() async throws {
        let outcome = try await Command.run(["list", "--store", "", "--format", "json"])
        #expect(outcome.status == 2)
        #expect(outcome.error["code"] == "invalidArgument")
    }

    @Test(
        "a missing file and a folder exit with 4",
        arguments: ["inspect", "list", "verify", "index"]
    )
    func source(verb: String) async throws {
        let folder = try TemporaryFolder()
        let options = (verb == "index" ? ["-o", folder.path(of: "o")] : []) + ["--format", "json"]
        let missing = try await Command.run(["car", verb, folder.path(of: "none")] + options)
        #expect(missing.status == 4)
        #expect(missing.out.isEmpty)
        #expect(missing.error["code"] == "mountGone")
        #expect(missing.error["offset"] == nil)
        let directory = try await Command.run(["car", verb, folder.url.path] + options)
        #expect(directory.status == 4)
        #expect(directory.error["code"] == "mountUnreachable")
        let empty = try await Command.run(["car", verb, folder.write([], to: "empty")] + options)
        #expect(empty.status == 5)
        #expect(empty.error["code"] == "truncated")
    }

    @Test("a file without permission exits with 4", .enabled(if: geteuid() != 0))
    func permission() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Sample.car.bytes, to: "a.car")
        let mode = [FileAttributeKey.posixPermissions: 0]
        try FileManager.default.setAttributes(mode, ofItemAtPath: path)
        let outcome = try await Command.run(["car", "inspect", path, "--format", "json"])
        #expect(outcome.status == 4)
        #expect(outcome.error["code"] == "mountUnreachable")
    }

    @Test("control characters of a file's name stay on their line")
    func controlCharacters() async throws {
        let text = try await Command.run(["car", "list", "a\u{1B}[2J\nb"])
        #expect(text.errorText.split(separator: "\n").count == 1)
        #expect(!text.errorText.contains("\u{1B}"))
        let json = try await Command.run(["car", "list", "a\u{1B}\nb\"\\", "--format", "json"])
        #expect(json.error["message"]?.text?.hasPrefix("a\u{1B}\nb\"\\: ") == true)
    }
}
