import Foundation
import TestSupport
import Testing

/// Runs the commands of the article "Operating", as they stand there.
@Suite("Operating")
struct OperatingTests {
    private static let article = PackageFolder.url.appending(
        path: "Sources/DAGStorage/DAGStorage.docc/Operating.md"
    )

    /// The lines of the blocks of code in a section.
    private static func commands(_ section: String) throws -> [String] {
        let text = try String(contentsOf: article, encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex(of: "## \(section)"))
        let rest = lines[(start + 1)...].prefix { !$0.hasPrefix("## ") }
        var isCode = false
        var commands: [String] = []
        for line in rest {
            if line == "```" {
                isCode.toggle()
            } else if isCode {
                commands.append(String(line))
            }
        }
        return commands
    }

    @Test(
        "the commands of a section succeed one after the other",
        arguments: ["Back up and restore", "Check the environment"]
    )
    func commands(section: String) async throws {
        let scene = try Scene()
        let car = try scene.write(Sample.car)
        let commands = try Self.commands(section)
        #expect(!commands.isEmpty)
        let start = [
            "set -e", #"dagstore() { "$DAGSTORE" "$@"; }"#,
            "dagstore register '\(car)' --store my-store",
        ]
        let outcome = try await Command.shell(
            (start + commands).joined(separator: "\n"),
            in: scene.folder.url.path
        )
        // Only the environment of this machine may have problems.
        let isSound = outcome.status == 0
        #expect(isSound || (outcome.status == 6 && section == "Check the environment"))
        #expect(outcome.errorText.isEmpty)
    }
}
