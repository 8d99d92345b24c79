import Foundation
import TestSupport
import Testing

/// The pages and completions that the parser's description gives.
@Suite("Manual")
struct ManualTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Writes the pages, and returns their texts by their names.
    private func pages() async throws -> [String: String] {
        let outcome = try await Command.shell(
            #""$DAGSTORE" --experimental-dump-help | "${DAGSTORE}-manual" man "dagstore 1.2""#,
            in: folder.url.path
        )
        #expect(outcome.errorText == "" && outcome.status == 0)
        var pages: [String: String] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path(of: "man")) {
            let bytes = try URL(filePath: folder.path(of: "man/\(name)")).bytes()
            pages[name] = String(decoding: bytes, as: UTF8.self)
        }
        return pages
    }

    @Test("every verb has a page with every name in its help")
    func verbs() async throws {
        let pages = try await pages()
        let verbs = [
            "", "car", "car list", "car inspect", "car verify", "car index", "car create",
            "car extract", "register", "list", "status", "get", "has", "locate", "find", "export",
            "index", "index list", "index export",
            "recover", "destroy", "initialize", "initialize-all", "gc", "check", "compact",
            "backup",
            "restore", "stats",
            "migrate", "migrate plan", "migrate run", "migrate check", "migrate export",
            "cluster", "cluster init", "cluster status", "cluster nodes", "cluster shards",
            "cluster find", "cluster register", "cluster recover", "cluster destroy",
            "cluster drain", "cluster adopt", "cluster sweep",
            "serve",
        ]
        for verb in verbs {
            let words = verb.split(separator: " ").map(String.init)
            let name = (["dagstore"] + words).joined(separator: "-")
            let page = try #require(pages[name + ".1"], "\(name)")
            #expect(page.hasPrefix(".TH "))
            #expect(page.contains(#""dagstore 1.2" "dagstore manual""#))
            let help = try await Command.run(words + ["--help"]).text
            for option in help.split(whereSeparator: { " \n,[]()/".contains($0) })
            where option.hasPrefix("--") && !option.hasPrefix("---") {
                let name = option.replacing("-", with: #"\-"#)
                #expect(page.contains(name), "\(verb): \(option)")
            }
        }
        #expect(pages.count >= verbs.count)
    }

    @Test("no line of text is read as a request of man(7)")
    func requests() async throws {
        let known: Set = [
            ".TH", ".nh", ".ad", ".SH", ".TP", ".PP", ".BR", ".RS", ".RE", ".nf", ".fi",
        ]
        for (name, page) in try await pages() {
            for line in page.split(separator: "\n") where line.hasPrefix(".") {
                #expect(known.contains(String(line.prefix { $0 != " " })), "\(name): \(line)")
            }
            // A dash without a backslash becomes a hyphen, which a shell does not accept.
            #expect(page.split(separator: "\n").allSatisfy { !$0.contains(" --") }, "\(name)")
        }
    }

    @Test(
        "the completions for shells are those of the program",
        arguments: ["bash", "zsh", "fish"]
    )
    func completions(shell: String) async throws {
        let script = try await Command.run(["--generate-completion-script", shell])
        #expect(script.status == 0)
        for word in ["initialize-all", "mount-map", "existing-transient"] {
            #expect(script.text.contains(word), "\(word)")
        }
    }
}
