import Foundation
import TestSupport
import Testing

@Suite("The conformance table of all languages")
struct ConformanceTests {
    @Test("Swift answers as the table says", .timeLimit(.minutes(5)))
    func table() async throws {
        let folder = PackageFolder.url.appending(path: "CModules/CDAGStore/conformance")
        let text = try String(contentsOf: folder.appending(path: "cases.jsonl"), encoding: .utf8)
        var runner = try ConformanceRunner()
        var name = ""
        var cases = 0
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        where !line.isEmpty && line.first != "#" {
            let step = try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
            if let begun = step["case"] {
                name = begun
                cases += 1
            }
            let found = await runner.result(of: step)
            #expect(found == step["is"], "line \(number + 1), \(name): \(step["op"] ?? "")")
        }
        await runner.close()
        #expect(cases > 50)
    }
}
