import DAGBytes
import Testing

@testable import DAGMigration

/// Results of Go's `path.Clean` for rooted paths, from its documentation.
@Suite("Go's path cleaning")
struct GoPathTests {
    @Test(
        "cleaning a rooted path gives Go's result",
        arguments: [
            ("a", "/a"), ("a/b", "/a/b"), ("a//b", "/a/b"), ("a/./b", "/a/b"), ("a/../b", "/b"),
            ("../escape", "/escape"), ("a/", "/a"), ("/", "/"), ("", "/"), (".", "/"), ("..", "/"),
            ("a/..", "/"), ("...", "/..."), ("a/.b", "/a/.b"), ("//a", "/a"), ("a/b/../../c", "/c"),
        ]
    )
    func cleans(path: String, expected: String) {
        #expect(GoPath.cleanRooted(path.utf8) == Array(expected.utf8))
    }

    @Test("exactly the clean paths stay unchanged")
    func isCleanAgrees() {
        // All paths of up to six bytes, from an alphabet of four.
        let alphabet: [UInt8] = [0x2f, 0x2e, 0x61, 0xff]
        var paths: [[UInt8]] = [[]]
        var last = paths
        for _ in 0..<6 {
            last = last.flatMap { path in alphabet.map { path + [$0] } }
            paths += last
        }
        for path in paths where !path.isEmpty {
            let isSame = GoPath.cleanRooted(path) == [0x2f] + path
            #expect(path.withView(GoPath.isClean) == isSame, "\(path)")
        }
    }
}
